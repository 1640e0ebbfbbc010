"""The text layer of a page as Markdown, and whether it can be trusted.

PyMuPDF's layout prints to stdout when it likes: call this in a process whose stdout is nobody's protocol.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ocrstudio.domain.document import DocumentKind
from ocrstudio.domain.errors import DocumentError
from ocrstudio.pdf import engine
from ocrstudio.pdf.document import PdfDocument, open_document
from ocrstudio.pdf.engine import Untyped
from ocrstudio.pdf.layer_trust import LayerFacts, reason_for_distrust
from ocrstudio.pdf.layout_boxes import FOOTER, HEADER, find_boxes, mark_furniture
from ocrstudio.pdf.markdown_cleaning import clean_markdown, normalise_characters
from ocrstudio.pdf.page_markdown import Piece, write_boxes
from ocrstudio.pdf.page_text import PageText, read_page_text
from ocrstudio.pdf.printed_picture import has_print_of_its_own
from ocrstudio.pdf.upright import plain_page, turned

_MAX_LAYOUT_POINTS = 25_000_000
"""The layout draws the page at 72 dpi; beyond this area it runs out of memory."""
_MAX_FURNITURE = 0.2
"""Running heads and page numbers are no more of a page's letters; a short title page is not all head."""
_LONGEST_FURNITURE = 90
"""Letters of a running head; what is longer says something."""
_MIN_COVERAGE = 0.5
_WORTH_A_REMARK = 10
_WORTH_TURNING = 150
"""Fewer letters are those of a figure's axes."""


@dataclass(frozen=True)
class TextLayer:
    """What a page's text layer holds.

    Attributes:
        markdown: The text as Markdown, cleaned; empty when the layer should not be trusted.
        characters: Number of characters that can be seen, white space not counted.
        usable: Whether it is the true text of the page.
        reason: One sentence that says why, or why not.
        letters_found: Letters and digits that can be seen on the page, readable or not; running heads and
            page numbers, which a label leaves out on purpose, are not counted.
        letters_kept: How many of them are in the Markdown.
        doubtful: Whether somebody should look at the label although the layer is usable.
        remarks: Sentences about what is missing.
    """

    markdown: str
    characters: int
    usable: bool
    reason: str
    letters_found: int = 0
    letters_kept: int = 0
    doubtful: bool = False
    remarks: tuple[str, ...] = ()


def read_text_layer(document_path: Path, page_index: int, password: str | None = None) -> TextLayer:
    """Read the text layer of one page.

    Args:
        document_path: A PDF; an image file has no text layer.
        page_index: Zero-based page.
        password: For an encrypted PDF.

    Raises:
        DocumentError: The document or the page cannot be read.
    """
    with open_document(document_path, password) as document:
        if document.kind is DocumentKind.IMAGE:
            return TextLayer("", 0, usable=False, reason="It is an image: it has no text layer.")
        width, height = document.page_size(page_index)
        if width * height > _MAX_LAYOUT_POINTS:
            return TextLayer("", 0, usable=False, reason="The page is too large for layout analysis.")
        with engine.collected_warnings():
            try:
                return _read(document, page_index)
            except engine.failures() as error:
                raise DocumentError(
                    f"The text layer of page {page_index + 1} of {document_path} cannot be read: {error}.",
                    "Draft this page with OCR.",
                ) from error


def _read(document: PdfDocument, index: int) -> TextLayer:
    flags = engine.load_layout().helpers.document_layout.FLAGS
    with plain_page(document, index) as plain:
        text = read_page_text(plain, flags)
        sideways = text.direction if text.letters >= _WORTH_TURNING else 0.0
        with turned(plain, sideways) as page:
            if page is not plain:
                text = read_page_text(page, flags)
            return _label(page, text)


def _label(page: Untyped, text: PageText) -> TextLayer:
    facts = _facts(page, text)
    characters = sum(not character.isspace() for character in facts.text)
    distrust = reason_for_distrust(facts)
    if distrust is not None:
        return TextLayer("", characters, False, distrust, text.letters + text.unreadable)
    pieces = _pieces(page, text)
    markdown = clean_markdown("\n\n".join(piece.markdown for piece in pieces))
    wanted, written = _letters("\n".join(piece.text for piece in pieces)), _letters(markdown)
    found = wanted.total() + text.unreadable
    kept = (wanted & written).total()
    remarks = _remarks(text, found - text.unreadable - kept)
    return TextLayer(
        markdown,
        characters,
        usable=True,
        reason="The page has its own text layer.",
        letters_found=found,
        letters_kept=kept,
        doubtful=kept < found or text.signs > 0,
        remarks=remarks,
    )


def _facts(page: Untyped, text: PageText) -> LayerFacts:
    coverage = text.covers.picture_coverage
    return LayerFacts(
        text=text.text,
        letters=text.letters,
        unreadable=text.unreadable,
        hidden=text.hidden,
        picture_coverage=coverage,
        printed_picture=coverage > _MIN_COVERAGE and has_print_of_its_own(page, text.blocks),
    )


def _pieces(page: Untyped, text: PageText) -> list[Piece]:
    """The parts of the page in order, without running heads and page numbers."""
    boxes = find_boxes(page, text)
    for box in boxes:
        if mark_furniture(tuple(page.rect), box):
            box.kind = HEADER
    pieces = write_boxes(boxes, right_to_left=text.right_to_left)
    body = [piece for piece in pieces if not _is_furniture(piece)]
    left_out = sum(piece.letters for piece in pieces) - sum(piece.letters for piece in body)
    return body if left_out <= _MAX_FURNITURE * text.letters else pieces


def _is_furniture(piece: Piece) -> bool:
    return piece.kind in (HEADER, FOOTER) and piece.letters <= _LONGEST_FURNITURE


def _letters(text: str) -> Counter[str]:
    """Letters and digits, whatever their order."""
    return Counter(character for character in normalise_characters(text) if character.isalnum())


def _remarks(text: PageText, lost: int) -> tuple[str, ...]:
    remarks = []
    if text.unreadable:
        remarks.append(f"{text.unreadable} letters are missing: their fonts do not say what they mean.")
    if text.signs:
        remarks.append(f"{text.signs} signs are missing: their fonts do not say what they mean.")
    if lost:
        remarks.append(f"{lost} letters of the text layer did not reach the label.")
    if text.hidden >= _WORTH_A_REMARK:
        remarks.append(f"{text.hidden} letters were left out: they cannot be seen on the page.")
    return tuple(remarks)
