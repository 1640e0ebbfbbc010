"""Tables with rules around every cell: the cells, also those across columns and rows, follow from them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from ocrstudio.teachers.offline import reading_order
from ocrstudio.teachers.offline.lines import OcrLine
from ocrstudio.teachers.offline.rules import Rule

_COVERED = 0.6  # of the side of a cell, for a rule to part it from the next
_MIN_LINES = 3  # rules each way
_ALIGNED = 3  # rows of text in neighbouring cells that stand side by side: rows without rules
_NEAR = 0.6  # of the line height


@dataclass(frozen=True)
class GridCell:
    """A cell by the numbers of its rows and columns, the last ones excluded."""

    top: int
    bottom: int
    left: int
    right: int


def table_from_rules(
    box: tuple[float, float, float, float], lines: Sequence[OcrLine], rules: Sequence[Rule], height: float
) -> str | None:
    """The table inside a box as HTML; None where the rules do not part every cell from its neighbours.

    Args:
        box: x0, y0, x1, y1 of the table in pixels.
        lines: Lines of the page.
        rules: Rules of the page.
        height: Median height of a line in pixels.
    """
    near = _touching(box, rules, height)
    ys = _clusters([rule.y0 for rule in near if rule.is_level], _NEAR * height)
    xs = _clusters([rule.x0 for rule in near if not rule.is_level], _NEAR * height)
    if len(ys) < _MIN_LINES or len(xs) < _MIN_LINES:
        return None
    cells = _cells(xs, ys, near, _NEAR * height)
    if cells is None:
        return None
    x0, y0, x1, y1 = box
    inside = [
        line
        for line in lines
        if min(x0, xs[0]) <= (line.x0 + line.x1) / 2 <= max(x1, xs[-1])
        and min(y0, ys[0]) <= (line.y0 + line.y1) / 2 <= max(y1, ys[-1])
    ]
    held = [_held(cell, inside, xs, ys) for cell in cells]
    if sum(map(len, held)) != len(inside) or _has_loose_rows(held, cells):
        return None
    if any(
        _leaves(line, cell, xs, height) for cell, texts in zip(cells, held, strict=True) for line in texts
    ):
        return None
    return _html(cells, held, len(ys) - 1)


def _touching(box: tuple[float, float, float, float], rules: Sequence[Rule], reach: float) -> list[Rule]:
    """Rules that reach into a box, and those that reach into what these enclose."""
    x0, y0, x1, y1 = box
    found: list[Rule] = []
    while True:
        more = [
            rule
            for rule in rules
            if rule.x0 <= x1 + reach
            and rule.x1 >= x0 - reach
            and rule.y0 <= y1 + reach
            and rule.y1 >= y0 - reach
        ]
        if len(more) == len(found):
            return found
        found = more
        x0, x1 = min(x0, *(rule.x0 for rule in found)), max(x1, *(rule.x1 for rule in found))
        y0, y1 = min(y0, *(rule.y0 for rule in found)), max(y1, *(rule.y1 for rule in found))


def _clusters(values: Sequence[float], near: float) -> list[float]:
    """Means of values that lie within `near` of the one before."""
    groups: list[list[float]] = []
    for value in sorted(values):
        if not groups or value - groups[-1][-1] > near:
            groups.append([])
        groups[-1].append(value)
    return [sum(group) / len(group) for group in groups]


def _cells(
    xs: Sequence[float], ys: Sequence[float], rules: Sequence[Rule], near: float
) -> list[GridCell] | None:
    """Rectangles of the grid that no rule parts; None where one is no rectangle or the border is open."""
    rows, columns = len(ys) - 1, len(xs) - 1
    group = {(row, column): (row, column) for row in range(rows) for column in range(columns)}
    for row, column in tuple(group):
        for level, before in ((False, (row, column - 1)), (True, (row - 1, column))):
            at = ys[row] if level else xs[column]
            start, stop = (xs[column], xs[column + 1]) if level else (ys[row], ys[row + 1])
            if _is_ruled(rules, level=level, at=at, along=(start, stop), near=near):
                continue
            if before not in group:
                return None
            _merge(group, before, (row, column))
    found = []
    for name in dict.fromkeys(group.values()):
        members = [place for place, owner in group.items() if owner == name]
        top, left = min(row for row, _ in members), min(column for _, column in members)
        bottom, right = max(row for row, _ in members) + 1, max(column for _, column in members) + 1
        if (bottom - top) * (right - left) != len(members):
            return None
        found.append(GridCell(top, bottom, left, right))
    return sorted(found, key=lambda cell: (cell.top, cell.left))


def _is_ruled(
    rules: Sequence[Rule], *, level: bool, at: float, along: tuple[float, float], near: float
) -> bool:
    """Whether rules cover most of one side of a cell."""
    start, stop = along
    covered = 0.0
    for rule in rules:
        if rule.is_level == level and abs((rule.y0 if level else rule.x0) - at) <= near:
            first, last = (rule.x0, rule.x1) if level else (rule.y0, rule.y1)
            covered += max(0.0, min(last, stop) - max(first, start))
    return covered >= _COVERED * (stop - start)


def _merge(
    group: dict[tuple[int, int], tuple[int, int]], one: tuple[int, int], other: tuple[int, int]
) -> None:
    old, new = group[other], group[one]
    for place, owner in group.items():
        if owner == old:
            group[place] = new


def _held(
    cell: GridCell, lines: Sequence[OcrLine], xs: Sequence[float], ys: Sequence[float]
) -> list[OcrLine]:
    """The lines whose middle lies in a cell, in reading order."""
    inside = [
        line
        for line in lines
        if xs[cell.left] <= (line.x0 + line.x1) / 2 < xs[cell.right]
        and ys[cell.top] <= (line.y0 + line.y1) / 2 < ys[cell.bottom]
    ]
    return reading_order.in_order(inside)


def _leaves(line: OcrLine, cell: GridCell, xs: Sequence[float], height: float) -> bool:
    """Whether a line runs on into the next cell."""
    return line.x0 < xs[cell.left] - height or line.x1 > xs[cell.right] + height


def _has_loose_rows(held: Sequence[Sequence[OcrLine]], cells: Sequence[GridCell]) -> bool:
    """Whether cells beside each other hold rows of text at the same heights: rows that no rule parts."""
    for cell, lines in zip(cells, held, strict=True):
        for other, others in zip(cells, held, strict=True):
            if cell.top != other.top or cell.left >= other.left:
                continue
            pairs = sum(any(abs(one.y0 - two.y0) < one.height / 3 for two in others) for one in lines)
            if pairs >= _ALIGNED:
                return True
    return False


def _html(cells: Sequence[GridCell], held: Sequence[Sequence[OcrLine]], rows: int) -> str:
    return (
        "<table>" + "".join(f"<tr>{''.join(_row(row, cells, held))}</tr>" for row in range(rows)) + "</table>"
    )


def _row(row: int, cells: Sequence[GridCell], held: Sequence[Sequence[OcrLine]]) -> Iterator[str]:
    for cell, lines in zip(cells, held, strict=True):
        if cell.top != row:
            continue
        spans = f' colspan="{cell.right - cell.left}"' if cell.right - cell.left > 1 else ""
        spans += f' rowspan="{cell.bottom - cell.top}"' if cell.bottom - cell.top > 1 else ""
        yield f"<td{spans}>{escape(' '.join(line.text for line in lines), quote=False)}</td>"
