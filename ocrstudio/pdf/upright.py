"""A page as its picture shows it: cropped, turned upright, its form fields and notes part of the text.

The layout turns pages itself, but loses the beginning of lines where a page has a crop box and a rotation,
and makes one table row of a page whose text runs sideways. Such a page is copied, and the copy is plain.
"""

import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from ocrstudio.pdf import engine
from ocrstudio.pdf.document import PdfDocument
from ocrstudio.pdf.engine import Untyped

_MIN_ANGLE = 0.5  # degrees


@contextmanager
def plain_page(document: PdfDocument, index: int) -> Iterator[Untyped]:
    """The page without rotation, offset, form fields and notes; a copy where it has any of them.

    The caller holds `engine.lock`.
    """
    page = document.raw_page(index)
    has_notes = page.first_annot is not None or page.first_widget is not None
    is_plain = page.rotation == 0 and page.mediabox == page.cropbox == page.rect
    if is_plain and not has_notes:
        yield page
        return
    with ExitStack() as stack:
        try:
            copy = stack.enter_context(_copy_of(document.handle, index))
            if has_notes:
                copy.bake()
            copied = copy[0]
            if not is_plain:
                _make_plain(copy, copied, 0.0)
                copied = copy.reload_page(copied)
        except engine.failures():  # a damaged page, which can be read all the same
            page.remove_rotation()
            copied = page
        yield copied


@contextmanager
def turned(page: Untyped, degrees: float) -> Iterator[Untyped]:
    """A plain page, turned so that text at this angle (clockwise, as PyMuPDF counts) runs to the right."""
    if abs(degrees) < _MIN_ANGLE:
        yield page
        return
    with _copy_of(page.parent, page.number) as copy:
        _make_plain(copy, copy[0], degrees)
        yield copy.reload_page(copy[0])


@contextmanager
def _copy_of(handle: Untyped, index: int) -> Iterator[Untyped]:
    pymupdf = engine.load()
    with pymupdf.open() as copy:
        copy.insert_pdf(handle, from_page=index, to_page=index, links=False)
        yield copy


def _make_plain(copy: Untyped, page: Untyped, degrees: float) -> None:
    """Put the page's rotation, its crop box and a turn by `degrees` (counter-clockwise) into its contents."""
    pymupdf = engine.load()
    crop, rotation = page.cropbox, page.rotation
    page.wrap_contents()
    # PyMuPDF's boxes count from the top of the media box, the contents from the bottom.
    media = page.mediabox
    x0, x1 = crop.x0, crop.x1
    y0, y1 = media.y1 - crop.y1, media.y1 - crop.y0
    upright = pymupdf.Matrix(-rotation + degrees)
    corners = [pymupdf.Point(x, y) * upright for x in (x0, x1) for y in (y0, y1)]
    left, bottom = min(p.x for p in corners), min(p.y for p in corners)
    width, height = max(p.x for p in corners) - left, max(p.y for p in corners) - bottom
    matrix = upright * pymupdf.Matrix(1, 0, 0, 1, -left, -bottom)
    clip = f"{x0:f} {y0:f} {x1 - x0:f} {y1 - y0:f} re W n"
    numbers = " ".join(f"{value:f}" for value in matrix)
    prefix = copy.get_new_xref()
    copy.update_object(prefix, "<<>>")
    copy.update_stream(prefix, f"{numbers} cm\n{clip}\n".encode())
    contents = " ".join(f"{xref} 0 R" for xref in (prefix, *page.get_contents()))
    copy.xref_set_key(page.xref, "Contents", f"[{contents}]")
    copy.xref_set_key(page.xref, "MediaBox", f"[0 0 {width:f} {height:f}]")
    for key in ("CropBox", "Rotate"):
        copy.xref_set_key(page.xref, key, "null")


def angle_of(direction: tuple[float, float]) -> float:
    """The angle of a line of text in degrees, clockwise from the right, between -180 and 180."""
    return math.degrees(math.atan2(direction[1], direction[0]))
