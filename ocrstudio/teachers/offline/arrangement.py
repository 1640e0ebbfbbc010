"""The text of a page from its recognised lines: parts and order, what was left out, and what to doubt."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median

from ocrstudio.domain.region import Region
from ocrstudio.teachers.offline import ordering, reading_order
from ocrstudio.teachers.offline.doubts import doubts
from ocrstudio.teachers.offline.grid import table_from_rules
from ocrstudio.teachers.offline.headings import relevel
from ocrstudio.teachers.offline.layout import MARGINS, TABLE, Block, lay_out
from ocrstudio.teachers.offline.lines import OcrLine, letters
from ocrstudio.teachers.offline.placing import count_kept, lost_lines, place_lines
from ocrstudio.teachers.offline.rules import Rule
from ocrstudio.teachers.offline.table_text import tidy_tables
from ocrstudio.teachers.offline.turn import Turn

_LIST_ITEM = "list-item"
_LABELS = {"section-header": "sub_title", "list-item": "text", "picture": "image", "caption": "image_caption"}
_LOST_SHARE = 0.3  # of the letters; more, and the layout did not understand the page
_MARGIN_SHARE = 0.3  # of the letters; heads and feet with more are the text of the page

ThirdReader = Callable[[str], Sequence[OcrLine]]
"""Lines in reading order from an engine that orders them itself, given the text of the page; may be empty."""


@dataclass(frozen=True)
class Arranged:
    """What came of the lines.

    Attributes:
        markdown: The text of the page.
        regions: Its parts, on the picture.
        letters_found: Letters and digits of the lines, without heads and feet that a label leaves out.
        letters_kept: How many of them are in the text.
        remarks: Sentences about what to look at; there are some exactly where the page is doubtful.
    """

    markdown: str
    regions: tuple[Region, ...]
    letters_found: int
    letters_kept: int
    remarks: tuple[str, ...] = ()


def arrange(
    lines: Sequence[OcrLine], rules: Sequence[Rule], turn: Turn, dpi: float, order: str, third: ThirdReader
) -> Arranged:
    """Put the lines of a page in order.

    Args:
        lines: Recognised lines on the upright page; at least one has a letter or a sign.
        rules: Its ruled lines.
        turn: How the picture becomes that page.
        dpi: Its resolution.
        order: ``auto``, ``layout`` or ``columns``, as in the setting ``offline.reading_order``.
        third: Asked where the two orders of ``auto`` disagree.
    """
    if order == "columns":
        return in_columns(lines, turn)
    blocks = lay_out(lines, rules, turn.size, dpi)
    places = place_lines(lines, blocks)
    lost = [lines[number] for number in lost_lines(lines, places, blocks)]
    total = _count(lines)
    if total and _count(lost) > _LOST_SHARE * total:
        columns = in_columns(lines, turn)
        remark = f"The layout lost {_count(lost):,} of {total:,} letters, so the text is in plain columns."
        return Arranged(
            columns.markdown, columns.regions, columns.letters_found, columns.letters_kept, (remark,)
        )
    blocks = _completed(_ruled_tables(blocks, lines, rules), lines)
    body = _without_margins(blocks, total)
    left_out = {number for number, block in enumerate(blocks) if block not in body}
    counted = [
        line
        for line, place in zip(lines, place_lines(lines, blocks), strict=True)
        if place is None or place.block not in left_out
    ]
    body = ordering.undoubled(body, counted, place_lines(counted, body))
    places = place_lines(counted, body)
    blocks, remarks = (body, []) if order == "layout" else ordering.choose(body, counted, places, third)
    text, regions = _joined(relevel(blocks, counted), turn)
    found, kept = _count(counted), count_kept("".join(line.text for line in counted), text)
    return Arranged(text, regions, found, kept, (*remarks, *doubts(blocks, counted, rules, found, text)))


def in_columns(lines: Sequence[OcrLine], turn: Turn) -> Arranged:
    """Paragraphs by the white space between them; nothing is ever left out."""
    text = ""
    regions: list[Region] = []
    for block in reading_order.blocks(lines):
        piece = "\n".join(" ".join(line.text for line in row) for row in block)
        text += "\n\n" if text else ""
        pieces = [line for row in block for line in row]
        regions.append(
            Region("text", (turn.back(ordering.extent(pieces)),), len(text), len(text) + len(piece))
        )
        text += piece
    total = _count(lines)
    return Arranged(text + "\n" if text else "", tuple(regions), total, total)


def as_ordered(lines: Sequence[OcrLine]) -> Arranged:
    """Lines of an engine that orders them itself."""
    total = _count(lines)
    return Arranged(reading_order.paragraphs(lines), (), total, total)


def _count(lines: Sequence[OcrLine]) -> int:
    return sum(len(letters(line.text)) for line in lines)


def _completed(blocks: list[Block], lines: Sequence[OcrLine]) -> list[Block]:
    """The blocks with the lines that the layout left out, each after what stands before it in columns."""
    places = place_lines(lines, blocks)
    lost = set(lost_lines(lines, places, blocks))
    number_of = {id(line): number for number, line in enumerate(lines)}
    after: dict[int, list[OcrLine]] = {}
    previous = -1
    for line in reading_order.in_order(lines):
        number = number_of[id(line)]
        place = places[number]
        if place is not None:
            previous = place.block
        elif number in lost:
            after.setdefault(previous, []).append(line)
    completed: list[Block] = []
    for number in range(-1, len(blocks)):
        completed += blocks[number : number + 1] if number >= 0 else []
        if number in after:
            completed.append(ordering.plain_block(after[number]))
    return completed


def _ruled_tables(blocks: Sequence[Block], lines: Sequence[OcrLine], rules: Sequence[Rule]) -> list[Block]:
    """The blocks with the cells of ruled tables taken from their rules: the model merges cells that span."""
    height = median(line.height for line in lines)
    tables = {
        number: tidy_tables(table)
        for number, block in enumerate(blocks)
        if block.kind == TABLE and (table := table_from_rules(block.box, lines, rules, height)) is not None
    }
    return [
        replace(block, markdown=tables[number]) if number in tables else block
        for number, block in enumerate(blocks)
    ]


def _without_margins(blocks: list[Block], total: int) -> list[Block]:
    """Running heads and page numbers are no part of a label, unless they are the text of the page."""
    margins = sum(len(letters(block.markdown)) for block in blocks if block.kind in MARGINS)
    if margins > _MARGIN_SHARE * total:
        return blocks
    return [block for block in blocks if block.kind not in MARGINS]


def _joined(blocks: Sequence[Block], turn: Turn) -> tuple[str, tuple[Region, ...]]:
    """The blocks as one text, and where on the picture each part of it stands."""
    text = ""
    previous = ""
    regions: list[Region] = []
    for block in blocks:
        if text:
            text += "\n" if block.kind == previous == _LIST_ITEM else "\n\n"
        label = _LABELS.get(block.kind, block.kind)
        regions.append(Region(label, (turn.back(block.box),), len(text), len(text) + len(block.markdown)))
        text += block.markdown
        previous = block.kind
    return (text + "\n" if text else ""), tuple(regions)
