"""Which reading order a page gets: the layout model's, or that of its columns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median

from ocrstudio.teachers.offline import reading_order
from ocrstudio.teachers.offline.agreement import kendall_tau
from ocrstudio.teachers.offline.layout import TABLE, Block
from ocrstudio.teachers.offline.lines import OcrLine, letters
from ocrstudio.teachers.offline.placing import Place

_AGREE = 0.9  # Kendall's tau; measured on 36 pages: below it stand all whose order is wrong
_DISAGREE = "{} readings of this page disagree about its order; the text follows its columns."
_DOUBLED = 1.2  # letters of a block, over those of its lines
_SLACK = 6
_STRANGERS = 0.2  # share of other lines among those of a block that is still one block

Order = dict[int, float]
"""Rank in the reading order by number of line."""


def choose(
    blocks: list[Block],
    lines: Sequence[OcrLine],
    places: Sequence[Place | None],
    third: Callable[[str], Sequence[OcrLine]],
) -> tuple[list[Block], list[str]]:
    """The blocks in the order that most readers of the page agree on, and remarks where none agree.

    Two orders of the same lines cost nothing: the layout model's and that of the white gaps. Where they
    agree, the page keeps the layout's. Where they do not, the columns are right far more often, and an
    engine that finds its own order, if there is one, confirms the one or the other.

    Args:
        blocks: The parts in the layout model's order.
        lines: The lines of the page.
        places: Where each line stands in the blocks.
        third: Lines in the order of another engine, or none; given the text of the page.
    """
    layout = {n: place.block + place.offset * 1e-6 for n, place in enumerate(places) if place is not None}
    columns = _ranks(reading_order.in_order(lines), lines)
    # A table has rows for the one and columns for the other: it counts as one line.
    compared = _without_tables(layout, blocks, places)
    if kendall_tau(compared, columns) >= _AGREE:
        return blocks, []
    other = _third_order(third(" ".join(line.text for line in lines)), lines, columns)
    in_columns = reordered(blocks, lines, places, columns)
    if not other:
        return in_columns, [_DISAGREE.format("Two")]
    with_layout, with_columns = kendall_tau(compared, other), kendall_tau(columns, other)
    if max(with_layout, with_columns) < _AGREE:
        return in_columns, [_DISAGREE.format("Three")]
    return (blocks if with_layout > with_columns else in_columns), []


def reordered(
    blocks: Sequence[Block], lines: Sequence[OcrLine], places: Sequence[Place | None], order: Order
) -> list[Block]:
    """The blocks in another order of their lines; a block that this order tears apart becomes plain lines."""
    members: list[list[int]] = [[] for _ in blocks]
    for number, place in enumerate(places):
        if place is not None and number in order:
            members[place.block].append(number)
    everything = sorted(order[number] for group in members for number in group)
    parts: list[tuple[float, Block | OcrLine]] = []
    for block, group in zip(blocks, members, strict=True):
        if not group:
            parts.append((parts[-1][0] if parts else float("-inf"), block))
        elif block.kind == TABLE or _is_one(group, places, order, everything):
            parts.append((median(order[number] for number in group), block))
        else:
            parts += [(order[number], lines[number]) for number in group]
    result: list[Block] = []
    loose: list[OcrLine] = []
    for _, part in sorted(parts, key=lambda item: item[0]):
        if isinstance(part, OcrLine):
            loose.append(part)
            continue
        result += [plain_block(loose)] if loose else []
        loose = []
        result.append(part)
    return result + ([plain_block(loose)] if loose else [])


def undoubled(
    blocks: Sequence[Block], lines: Sequence[OcrLine], places: Sequence[Place | None]
) -> list[Block]:
    """Blocks that hold lines of another one, too, get their own lines only: boxes of the layout overlap."""
    result = []
    for number, block in enumerate(blocks):
        own = sorted(
            (
                (place.offset, line)
                for line, place in zip(lines, places, strict=True)
                if place is not None and place.block == number
            ),
            key=lambda item: item[0],
        )
        size = sum(len(letters(line.text)) for _, line in own)
        doubled = block.kind != TABLE and own and len(letters(block.markdown)) > _DOUBLED * size + _SLACK
        result.append(replace(plain_block([line for _, line in own]), kind=block.kind) if doubled else block)
    return result


def plain_block(lines: Sequence[OcrLine]) -> Block:
    """Lines as a paragraph."""
    return Block("text", "\n".join(line.text for line in lines), extent(lines))


def extent(lines: Sequence[OcrLine]) -> tuple[float, float, float, float]:
    """The box around lines."""
    return (
        min(line.x0 for line in lines),
        min(line.y0 for line in lines),
        max(line.x1 for line in lines),
        max(line.y1 for line in lines),
    )


def _is_one(
    group: Sequence[int], places: Sequence[Place | None], order: Order, everything: Sequence[float]
) -> bool:
    """Whether the lines of a block stand together in an order, and in the same one."""
    ranks = [order[number] for number in group]
    between = sum(min(ranks) <= rank <= max(ranks) for rank in everything)
    inside = {number: float(place.offset) for number in group if (place := places[number]) is not None}
    return between - len(group) <= max(1, _STRANGERS * len(group)) and kendall_tau(inside, order) >= _AGREE


def _without_tables(order: Order, blocks: Sequence[Block], places: Sequence[Place | None]) -> Order:
    seen: set[int] = set()
    kept: Order = {}
    for number, rank in sorted(order.items(), key=lambda item: item[1]):
        place = places[number]
        if place is None or place.block in seen:
            continue
        if blocks[place.block].kind == TABLE:
            seen.add(place.block)
        kept[number] = rank
    return kept


def _ranks(ordered: Sequence[OcrLine], lines: Sequence[OcrLine]) -> Order:
    number_of = {id(line): number for number, line in enumerate(lines)}
    return {number_of[id(line)]: float(rank) for rank, line in enumerate(ordered)}


@dataclass(frozen=True)
class _Match:
    overlap: float
    rank: float


def _third_order(found: Sequence[OcrLine], lines: Sequence[OcrLine], columns: Order) -> Order:
    """Lines in the order of another engine's lines that lie where they lie; others follow their neighbour."""
    order: Order = {}
    previous = -1.0
    for number in sorted(columns, key=lambda n: columns[n]):
        line = lines[number]
        matches = [_Match(_overlap(line, other), rank) for rank, other in enumerate(found)]
        best = max(matches, key=lambda match: match.overlap, default=_Match(0.0, 0.0))
        # Pieces of one line stand from left to right, whatever their order in the columns.
        previous = best.rank + line.x0 * 1e-5 if best.overlap > 0 else previous + 1e-7
        order[number] = previous
    return order if found else {}


def _overlap(line: OcrLine, other: OcrLine) -> float:
    """Area that two boxes share, as a share of the line's own."""
    across = min(line.x1, other.x1) - max(line.x0, other.x0)
    down = min(line.y1, other.y1) - max(line.y0, other.y0)
    return max(across, 0.0) * max(down, 0.0) / max(line.width * line.height, 1.0)
