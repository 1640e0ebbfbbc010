"""Small real documents, made with MuPDF and Pillow."""

import io
from collections.abc import Sequence
from pathlib import Path

import pymupdf
from PIL import Image, ImageDraw

A4 = (595, 842)
PROSE = "The harbour office keeps a ledger of every vessel, its master and the cargo that it declared. "


def short_pdf(
    path: Path, texts: Sequence[str], password: str = "", size: tuple[int, int] = (200, 100)
) -> Path:
    """A page for each text, which is one line; a password if given."""
    with pymupdf.open() as document:
        for text in texts:
            document.new_page(width=size[0], height=size[1]).insert_text((10, 50), text)
        kept = pymupdf.PDF_ENCRYPT_AES_256 if password else pymupdf.PDF_ENCRYPT_NONE
        document.save(path, encryption=kept, user_pw=password, owner_pw=password and f"{password}!")
    return path


def text_pdf(path: Path, pages: int = 1, text: str = PROSE * 6, heading: str = "Chapter") -> Path:
    """Pages with a heading and a paragraph; the same bytes every time, as a dataset is divided by them."""
    with pymupdf.open() as document:
        for number in range(1, pages + 1):
            page = document.new_page(width=A4[0], height=A4[1])
            page.insert_text((60, 90), f"{heading} {number}", fontsize=22, fontname="hebo")
            page.insert_textbox((60, 120, 535, 700), text, fontsize=11)
        document.save(path, no_new_id=True)
    return path


def column_pdf(path: Path) -> Path:
    """Two columns: the left one must be read first."""
    with pymupdf.open() as document:
        page = document.new_page(width=A4[0], height=A4[1])
        page.insert_textbox((50, 80, 280, 780), "Leftish words come first here. " * 30, fontsize=11)
        page.insert_textbox((315, 80, 545, 780), "Rightish words come second here. " * 30, fontsize=11)
        document.save(path)
    return path


def table_pdf(path: Path, rows: int = 5) -> Path:
    """A ruled table with three columns."""
    with pymupdf.open() as document:
        page = document.new_page(width=A4[0], height=A4[1])
        page.insert_textbox((60, 60, 535, 110), PROSE * 2, fontsize=11)
        for row in range(rows + 1):
            page.draw_line((60, 140 + 24 * row), (510, 140 + 24 * row))
        for column in range(4):
            page.draw_line((60 + 150 * column, 140), (60 + 150 * column, 140 + 24 * rows))
        for row in range(rows):
            for column, word in enumerate(("Ship", "Tons", "Port")):
                text = word if row == 0 else f"{word}{row}"
                page.insert_text((70 + 150 * column, 156 + 24 * row), text, fontsize=11)
        document.save(path)
    return path


def encrypted_pdf(path: Path, password: str = "sesame") -> Path:
    """One page that needs a password."""
    return short_pdf(path, ["Secret ledger"], password, A4)


def zero_page_pdf(path: Path) -> Path:
    """A valid PDF whose page tree is empty."""
    path.write_bytes(
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n"
        b"xref\n0 3\n0000000000 65535 f \n0000000009 00000 n \n0000000052 00000 n \n"
        b"trailer<</Size 3/Root 1 0 R>>\nstartxref\n101\n%%EOF\n"
    )
    return path


def scanned_pdf(path: Path, hidden_text: str = "") -> Path:
    """A page that is one picture, with the invisible text of another OCR program if given."""
    picture = Image.new("L", (600, 800), 240)
    ImageDraw.Draw(picture).text((60, 60), "Printed words", fill=20)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    with pymupdf.open() as document:
        page = document.new_page(width=A4[0], height=A4[1])
        page.insert_image(page.rect, stream=buffer.getvalue())
        if hidden_text:
            page.insert_textbox((40, 40, 560, 800), hidden_text, fontsize=11, render_mode=3)
        document.save(path)
    return path


def huge_pdf(path: Path, width: float = 14_400, height: float = 14_400) -> Path:
    """A page of 200 x 200 inches: 1.6 gigapixels at 200 dpi."""
    with pymupdf.open() as document:
        document.new_page(width=width, height=height).insert_text((720, 2880), "Poster", fontsize=1440)
        document.save(path)
    return path


def damaged_pdf(path: Path) -> Path:
    """The head of a PDF with nothing behind it."""
    path.write_bytes(b"%PDF-1.7\nthis is not a valid document\n%%EOF\n")
    return path


def pages_missing_pdf(path: Path, claimed: int = 3) -> Path:
    """A PDF that claims more pages than the one it has, and has objects enough to be believed."""
    fillers = "".join(f"{number} 0 obj null endobj\n" for number in range(4, 4 + claimed))
    path.write_bytes(
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        + f"2 0 obj<</Type/Pages/Kids[3 0 R]/Count {claimed}>>endobj\n".encode()
        + b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]>>endobj\n"
        + fillers.encode()
        + f"trailer<</Size {4 + claimed}/Root 1 0 R>>\n%%EOF\n".encode()
    )
    return path


def endless_pdf(path: Path, pages: int = 3, endless: Sequence[int] = (2,)) -> Path:
    """Pages with a line of text; drawing those in `endless` (from 1) would take years.

    Each form draws the next one ten times, thirty deep: a tiny, valid file and 10**30 strokes.
    """
    with pymupdf.open() as document:
        for number in range(1, pages + 1):
            document.new_page(width=200, height=100).insert_text((10, 50), f"Page {number} of the ledger")
        inner = _form(document, b"0 0 m 1 1 l S", None)
        for _ in range(30):
            inner = _form(document, b"/F Do " * 10, inner)
        for number in endless:
            page = document[number - 1]
            resources = int(document.xref_get_key(page.xref, "Resources")[1].split()[0])
            document.xref_set_key(resources, "XObject", f"<</F {inner} 0 R>>")
            (contents,) = page.get_contents()
            document.update_stream(contents, document.xref_stream(contents) + b" /F Do")
        document.save(path)
    return path


def _form(document: pymupdf.Document, content: bytes, inner: int | None) -> int:
    """A form that draws something; returns its number."""
    xref = document.get_new_xref()
    resources = f"<</XObject<</F {inner} 0 R>>>>" if inner else "<<>>"
    document.update_object(xref, f"<</Type/XObject/Subtype/Form/BBox[0 0 200 100]/Resources {resources}>>")
    document.update_stream(xref, content)
    return xref
