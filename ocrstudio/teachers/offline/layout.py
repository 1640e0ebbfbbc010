"""Reading order, headings, lists and tables of recognised lines, by PyMuPDF's layout model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ocrstudio.domain.region import Box, Region
from ocrstudio.teachers.offline.lines import OcrLine

_FONT = "ocr"
_BASELINE = 0.2  # share of the line height below the baseline
_LONGEST_SIDE = 2000.0  # points
_LIST_ITEM = "list-item"
_LABELS = {"section-header": "sub_title", "list-item": "text", "picture": "image", "caption": "image_caption"}


@dataclass(frozen=True)
class LaidOut:
    """Markdown and the regions that its parts came from."""

    markdown: str
    regions: tuple[Region, ...]


def lay_out(lines: Sequence[OcrLine], width: int, height: int, dpi: float) -> LaidOut:
    """Write the lines as text on an empty page of the picture's size and let the layout model read that page.

    Args:
        lines: Recognised lines, in pixels.
        width: Width of the picture in pixels.
        height: Height of the picture in pixels.
        dpi: Its resolution; font sizes, by which the model knows headings, follow from it.
    """
    from ocrstudio.pdf import engine

    layout = engine.load_layout()
    pymupdf = engine.load()
    # The model draws the page at 72 dpi: a poster has to shrink, its font sizes keep their proportions.
    scale = min(72.0 / dpi, _LONGEST_SIDE / max(width, height))
    with engine.lock, pymupdf.open() as document:
        page = document.new_page(width=width * scale, height=height * scale)
        font = pymupdf.Font("cjk")
        page.insert_font(fontname=_FONT, fontbuffer=font.buffer)
        for line in lines:
            _write(pymupdf, page, font, line, scale)
        chunk = layout.to_markdown(
            document,
            pages=[0],
            use_ocr=False,
            header=False,
            footer=False,
            page_chunks=True,
            show_progress=False,
        )[0]
    return _assemble(chunk, width * scale, height * scale)


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


def _assemble(chunk: dict[str, Any], width: float, height: float) -> LaidOut:
    """Clean the parts one by one, so that each region knows where its text stands."""
    from ocrstudio.pdf.markdown_cleaning import clean_markdown

    text = ""
    previous = ""
    regions: list[Region] = []
    for part in chunk["page_boxes"]:
        start, stop = part["pos"]
        piece = clean_markdown(chunk["text"][start:stop]).strip()
        if not piece:
            continue
        kind = str(part["class"])
        if text:
            text += "\n" if kind == previous == _LIST_ITEM else "\n\n"
        x0, y0, x1, y1 = part["bbox"]
        box = Box(_unit(x0 / width), _unit(y0 / height), _unit(x1 / width), _unit(y1 / height))
        regions.append(Region(_LABELS.get(kind, kind), (box,), len(text), len(text) + len(piece)))
        text += piece
        previous = kind
    return LaidOut(text + "\n" if text else "", tuple(regions))


def _unit(value: float) -> float:
    return min(1.0, max(0.0, value))
