"""Parts of a page (headings, paragraphs, lists, tables) from recognised lines, by PyMuPDF's layout model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ocrstudio.teachers.offline.lines import OcrLine, letters
from ocrstudio.teachers.offline.rules import Rule
from ocrstudio.teachers.offline.table_text import tidy_tables

_FONT = "ocr"
_BASELINE = 0.2  # share of the line height below the baseline
_LONGEST_SIDE = 2000.0  # points
_THINNEST = 0.5  # points

HEADINGS = frozenset({"title", "section-header"})
MARGINS = frozenset({"page-header", "page-footer"})
TABLE = "table"
FORMULA = "formula"


@dataclass(frozen=True)
class Block:
    """A part of the page.

    Attributes:
        kind: Class of the layout model (``text``, ``section-header``, ``table``, ``page-header``, …).
        markdown: Its text.
        box: x0, y0, x1, y1 in pixels of the upright page.
    """

    kind: str
    markdown: str
    box: tuple[float, float, float, float]


def lay_out(
    lines: Sequence[OcrLine], rules: Sequence[Rule], size: tuple[int, int], dpi: float
) -> list[Block]:
    """Write lines and rules on an empty page and let the layout model read that page.

    The picture itself is not shown to the model: that takes ten times as long and changes nothing for tables.

    Args:
        lines: Recognised lines, in pixels.
        rules: Ruled lines of tables, in pixels.
        size: Width and height of the page in pixels.
        dpi: Its resolution; font sizes, by which the model knows headings, follow from it.

    Returns:
        The parts in the model's reading order, heads and feet of the page included.
    """
    from ocrstudio.pdf import engine

    layout = engine.load_layout()
    pymupdf = engine.load()
    width, height = size
    # The model draws the page at 72 dpi: a poster has to shrink, its font sizes keep their proportions.
    scale = min(72.0 / dpi, _LONGEST_SIDE / max(width, height))
    with engine.lock, pymupdf.open() as document:
        page = document.new_page(width=width * scale, height=height * scale)
        font = pymupdf.Font("cjk")
        page.insert_font(fontname=_FONT, fontbuffer=font.buffer)
        for line in lines:
            _write(pymupdf, page, font, line, scale)
        for rule in rules:
            ends = (rule.x0 * scale, rule.y0 * scale), (rule.x1 * scale, rule.y1 * scale)
            page.draw_line(*ends, width=max(_THINNEST, rule.thickness * scale))
        chunk = layout.to_markdown(
            document,
            pages=[0],
            use_ocr=False,
            table_output="html",  # the only one that knows cells across columns
            page_chunks=True,
            show_progress=False,
        )[0]
    return _blocks(chunk, scale)


def _write(pymupdf: Any, page: Any, font: Any, line: OcrLine, scale: float) -> None:  # noqa: ANN401
    """Insert one line so that it fills its box."""
    size = line.height * scale
    natural = font.text_length(line.text, size)
    if natural <= 0 or size <= 0:
        return
    corner = pymupdf.Point(line.x0 * scale, line.y1 * scale)
    page.insert_text(
        corner - (0, _BASELINE * size),
        line.text,
        fontsize=size,
        fontname=_FONT,
        morph=(corner, pymupdf.Matrix(line.width * scale / natural, 1)),
    )


def _blocks(chunk: dict[str, Any], scale: float) -> list[Block]:
    """Clean the parts one by one, so that each knows where its text stands."""
    from ocrstudio.pdf.markdown_cleaning import clean_markdown

    blocks = []
    for part in chunk["page_boxes"]:
        start, stop = part["pos"]
        text = clean_markdown(tidy_tables(chunk["text"][start:stop])).replace("~~", "").strip()
        if letters(text) or (text and part["class"] != TABLE):  # rules in a picture are an empty table
            x0, y0, x1, y1 = (value / scale for value in part["bbox"])
            blocks.append(Block(str(part["class"]), text, (x0, y0, x1, y1)))
    return blocks
