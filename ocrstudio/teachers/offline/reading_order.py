"""Reading order of lines by recursive XY-cut: split a page at its white gaps, columns before paragraphs.

After G. Nagy and S. Seth, Hierarchical Representation of Optically Scanned Documents, ICPR 1984.
"""

import statistics
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import groupby

from ocrstudio.teachers.offline.lines import OcrLine

_COLUMN_GAP = 0.6  # of the median line height
_PARAGRAPH_GAP = 0.9
_INSET = 0.2  # of the line height, at either end of a box
_CROSSING = 0.25  # of the lines
_COLUMN_LINES = 3

Rows = list[list[OcrLine]]
"""A block: its rows from top to bottom, the pieces of each from left to right."""


def blocks(lines: Sequence[OcrLine]) -> list[Rows]:
    """The blocks of a page in reading order."""
    if not lines:
        return []
    height = statistics.median(line.height for line in lines)
    found: list[list[OcrLine]] = []
    _cut(list(lines), height, found)
    return [_rows(block) for block in found]


def in_order(lines: Sequence[OcrLine]) -> list[OcrLine]:
    """The same lines in reading order."""
    return [piece for block in blocks(lines) for row in block for piece in row]


def to_markdown(lines: Sequence[OcrLine]) -> str:
    """Paragraphs in reading order, separated by blank lines; the lines of a paragraph stay lines."""
    paragraphs_found = (
        "\n".join(" ".join(piece.text for piece in row) for row in block) for block in blocks(lines)
    )
    text = "\n\n".join(paragraphs_found)
    return text + "\n" if text else ""


def _cut(lines: list[OcrLine], height: float, found: list[list[OcrLine]]) -> None:
    """Append the blocks of these lines to `found` in reading order."""
    columns = _split(lines, _COLUMN_GAP * height, _core)
    rows = _split(lines, _PARAGRAPH_GAP * height, lambda line: (line.y0, line.y1))
    if len(columns) > 1 and len(columns) <= len(lines) // 2:
        parts = columns
    elif bands := _bands(lines, height):
        parts = bands
    elif len(rows) > 1:
        parts = rows
    else:
        found.append(lines)
        return
    for part in parts:
        _cut(part, height, found)


def _core(line: OcrLine) -> tuple[float, float]:
    """Left and right of the letters: the detector's boxes are wider, and those of two columns may touch."""
    inset = min(_INSET * line.height, line.width / 4)
    return line.x0 + inset, line.x1 - inset


def _split(
    lines: list[OcrLine], gap: float, extent: Callable[[OcrLine], tuple[float, float]]
) -> list[list[OcrLine]]:
    """Groups of lines with at least `gap` of white between them along one axis."""
    groups: list[list[OcrLine]] = []
    end = float("-inf")
    for line in sorted(lines, key=extent):
        start, stop = extent(line)
        if not groups or start - end >= gap:
            groups.append([])
        groups[-1].append(line)
        end = max(end, stop)
    return groups


def _bands(lines: list[OcrLine], height: float) -> list[list[OcrLine]]:
    """Parts of a page with a gutter that a few lines run across, in reading order; none without a gutter.

    A line across it with nothing beside it, such as a title, parts what is above from what is below. One
    that begins where the left column begins belongs to it: two columns were read as one line there. Any
    other hangs in the middle, like the caption of a picture that the text flows around, and comes last.
    """
    gutter = _gutter(lines, _COLUMN_GAP * height)
    if gutter is None:
        return []
    left = [line for line in lines if _core(line)[1] <= gutter]
    edge = statistics.median(line.x0 for line in left)
    parts: list[list[OcrLine]] = []
    run: tuple[list[OcrLine], ...] = ([], [], [])
    crossed: list[OcrLine] = []
    for line in sorted(lines, key=lambda line: (line.y0 + line.y1) / 2):
        crosses = _crosses(line, gutter)
        if crosses and not any(other is not line and _is_beside(line, other) for other in lines):
            parts += [part for part in run if part]
            run = ([], [], [])
            crossed.append(line)
            continue
        parts += [crossed] if crossed else []
        crossed = []
        if crosses:
            run[0 if line.x0 <= edge + height else 2].append(line)
        else:
            run[0 if _core(line)[1] <= gutter else 1].append(line)
    parts += [part for part in run if part]
    parts += [crossed] if crossed else []
    return parts if len(parts) > 1 else []


def _is_beside(line: OcrLine, other: OcrLine) -> bool:
    """Whether another line stands at the height of this one."""
    return min(line.y1, other.y1) - max(line.y0, other.y0) > min(line.height, other.height) / 2


def _crosses(line: OcrLine, x: float) -> bool:
    start, stop = _core(line)
    return start < x < stop


def _gutter(lines: list[OcrLine], gap: float) -> float | None:
    """The middle of the white stripe from top to bottom that the fewest lines cross; None if many do."""
    starts = sorted(_core(line)[0] for line in lines)
    most = _CROSSING * len(lines)
    best: tuple[int, float, float] | None = None
    for left in sorted({edge for line in lines for edge in _core(line)}):
        # The stripe ends where the next line begins, lines that cross all of it aside.
        following = bisect_right(starts, left)
        if following == len(starts) or (right := starts[following]) - left < gap:
            continue
        x = (left + right) / 2
        crossing = sum(_crosses(line, x) for line in lines)
        before = [line for line in lines if _core(line)[1] <= x]
        after = [line for line in lines if _core(line)[0] >= x]
        if (
            crossing > most
            or min(len(before), len(after)) < _COLUMN_LINES
            or not _side_by_side(before, after)
        ):
            continue
        candidate = (crossing, left - right, x)
        best = candidate if best is None else min(best, candidate)
    return None if best is None else best[2]


def _side_by_side(before: list[OcrLine], after: list[OcrLine]) -> bool:
    """Whether two groups share most of the height of the shorter one."""
    low = max(min(line.y0 for line in before), min(line.y0 for line in after))
    high = min(max(line.y1 for line in before), max(line.y1 for line in after))
    shorter = min(max(line.y1 for line in side) - min(line.y0 for line in side) for side in (before, after))
    return high - low > shorter / 2


def _rows(block: list[OcrLine]) -> Rows:
    """The lines of a block from top to bottom; pieces at the same height stand from left to right."""
    rows: Rows = []
    for line in sorted(block, key=lambda item: (item.y0 + item.y1) / 2):
        middle = (line.y0 + line.y1) / 2
        if rows and middle < _bottom_half(rows[-1]):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda item: item.x0) for row in rows]


def _bottom_half(row: list[OcrLine]) -> float:
    """A line whose middle is above this stands in the same row."""
    first = row[0]
    return first.y0 + 0.75 * first.height


def paragraphs(lines: Sequence[OcrLine]) -> str:
    """Paragraphs of an engine that orders its lines itself."""
    grouped = groupby(lines, key=lambda line: line.paragraph)
    text = "\n\n".join("\n".join(line.text for line in block) for _, block in grouped)
    return text + "\n" if text else ""
