"""Writes the boxes of a page as Markdown, by PyMuPDF's writers, and keeps count of the letters of each.

Tables and contents are written here: PyMuPDF cuts words at the lines between cells and loses what is between.
"""

import re
from bisect import bisect
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace

from ocrstudio.pdf import engine
from ocrstudio.pdf.contents_list import contents_list, is_contents, without_leaders
from ocrstudio.pdf.engine import Untyped
from ocrstudio.pdf.layout_boxes import PICTURES, TABLE, LayoutBox, with_chars
from ocrstudio.pdf.page_text import count_letters, union
from ocrstudio.pdf.text_rows import Row, rows_of

_TITLES = ("title", "section-header")
_DEEPEST = 6
_TAGS = re.compile(r"</?(?:su[bp]|br|u|mark)\s*/?>")
_BULLET = re.compile(r"^\s*[•●○▪■◦‣·*–-]\s+")  # noqa: RUF001


@dataclass(frozen=True)
class Piece:
    """A part of the page.

    Attributes:
        kind: The layout model's class.
        markdown: Its text, not cleaned yet.
        text: The page's text that belongs to it, in the order of the file.
        letters: Letters and digits of that text.
    """

    kind: str
    markdown: str
    text: str
    letters: int


def write_boxes(boxes: list[LayoutBox], *, right_to_left: bool) -> list[Piece]:
    """Markdown of each box that has text."""
    library = engine.load_layout().helpers.document_layout
    filled = [box for box in boxes if box.letters or box.text.strip()]
    items = [
        SimpleNamespace(boxclass=box.kind, **dict(zip(("x0", "y0", "x1", "y1"), box.rect, strict=True)))
        for box in filled
    ]
    levels = library.create_list_item_levels(items)
    sizes = sorted({_size(box) for box in filled if box.kind in _TITLES}, reverse=True)
    pieces = []
    for number, box in enumerate(filled):
        letters = box.letters
        level = min(_DEEPEST, sizes.index(_size(box)) + 1) if box.kind in _TITLES else levels.get(number, 1)
        rows = rows_of(box.lines, right_to_left=right_to_left) if box.grid is None else []
        markdown = _write(box, rows, level, right_to_left=right_to_left)
        if letters_of(markdown) < letters_of(box.text):  # a writer left something out: plain text has it
            markdown = _plain(rows or rows_of(box.lines, right_to_left=right_to_left))
        pieces.append(Piece(box.kind, markdown, box.text, letters))
    return pieces


def letters_of(markdown: str) -> int:
    """Letters and digits of a label, without those of its tags."""
    return count_letters(_TAGS.sub("", markdown))


def _write(box: LayoutBox, rows: list[Row], level: int, *, right_to_left: bool) -> str:
    library = engine.load_layout().helpers.document_layout
    if box.grid is not None and box.kind == TABLE:
        return _table(box, right_to_left=right_to_left)
    texts = [_row_text(row) for row in rows]
    if is_contents(texts):
        return contents_list(texts)
    if box.kind in PICTURES or any(line["dir"][0] <= 0 for line in box.lines):
        return "\n".join(texts)
    writers: dict[str, Callable[[list[Row]], str]] = {
        "title": lambda rows: library.title_to_md(level, rows),
        "section-header": lambda rows: library.section_hdr_to_md(level, rows),
        "list-item": _right_to_left_item
        if right_to_left
        else lambda rows: library.list_item_to_md(rows, level),
        "footnote": library.footnote_to_md,
    }
    return str(writers.get(box.kind, library.text_to_md)(rows))


def _right_to_left_item(rows: list[Row]) -> str:
    return "- " + _BULLET.sub("", " ".join(_row_text(row) for row in rows))


def _plain(rows: list[Row]) -> str:
    return " ".join(_row_text(row) for row in rows)


def _row_text(row: Row) -> str:
    return " ".join(span["text"].strip() for span in row["spans"])


def _size(box: LayoutBox) -> int:
    """The largest font of a box in points."""
    return max(round(float(span["size"])) for line in box.lines for span in line["spans"])


def _table(box: LayoutBox, *, right_to_left: bool) -> str:
    """Words go to the cell in which their middle lies; a table of contents becomes a list."""
    heights, widths = box.grid or ([], [])
    cells: dict[tuple[int, int], list[Untyped]] = defaultdict(list)
    for line in box.lines:
        parts: dict[tuple[int, int], list[Untyped]] = {}
        for span in line["spans"]:
            for word in _runs(span["chars"]):
                x0, y0, x1, y1 = union(char["bbox"] for char in word)
                place = (bisect(heights, (y0 + y1) / 2), bisect(widths, (x0 + x1) / 2))
                spans = parts.setdefault(place, [])
                if spans and spans[-1]["source"] is span:
                    spans[-1] = {**with_chars(span, spans[-1]["chars"] + word), "source": span}
                else:
                    spans.append({**with_chars(span, word), "source": span})
        for place, spans in parts.items():
            cells[place].append({**line, "spans": spans, "bbox": union(part["bbox"] for part in spans)})
    columns = range(len(widths) + 1)
    table = [
        [_cell(cells[row, column], right_to_left=right_to_left) for column in columns]
        for row in range(len(heights) + 1)
    ]
    table = [row for row in table if any(row)] if not any(table[0]) else table
    if right_to_left:
        table = [row[::-1] for row in table]
    stacks = [[cell for cell in column if cell] for column in zip(*table, strict=True)]
    if stacks and all(is_contents(stack) for stack in stacks if stack):
        return contents_list([cell for stack in stacks for cell in stack])
    rows = [_row_text(row) for row in rows_of(box.lines, right_to_left=right_to_left)]
    if is_contents(rows):
        return contents_list(rows)
    written = ["|" + "|".join(" ".join(without_leaders(cell).split()) for cell in row) + "|" for row in table]
    return "\n".join([written[0], "|" + "---|" * len(columns), *written[1:]]) if written else ""


def _runs(chars: list[Untyped]) -> list[list[Untyped]]:
    """Words of a span, each with the spaces after it."""
    words: list[list[Untyped]] = []
    for place, char in enumerate(chars):
        if place == 0 or (chars[place - 1]["c"].isspace() and not char["c"].isspace()):
            words.append([])
        words[-1].append(char)
    return words


def _cell(lines: list[Untyped], *, right_to_left: bool) -> str:
    library = engine.load_layout().helpers.document_layout
    lines = [line for line in lines if any(span["text"].strip() for span in line["spans"])]
    if not lines:
        return ""
    rows = rows_of(lines, right_to_left=right_to_left)
    text: str
    text, _ = library.get_styled_text([span for row in rows for span in row["spans"]])
    return " ".join(text.replace("|", r"\|").split())
