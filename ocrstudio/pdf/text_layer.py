"""The text layer of a page as Markdown, and whether it can be trusted.

PyMuPDF's layout prints to stdout when it likes: call this in a process whose stdout is nobody's protocol.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ocrstudio.domain.document import DocumentKind
from ocrstudio.domain.errors import DocumentError
from ocrstudio.domain.wording import count_of
from ocrstudio.pdf import engine
from ocrstudio.pdf.document import PdfDocument, open_document
from ocrstudio.pdf.engine import Untyped
from ocrstudio.pdf.layer_trust import LayerFacts, reason_for_distrust
from ocrstudio.pdf.layout_boxes import FOOTER, HEADER, find_boxes, mark_furniture, order_agreement
from ocrstudio.pdf.markdown_cleaning import clean_markdown, compose_accents, normalise_characters
from ocrstudio.pdf.page_markdown import Piece, write_boxes
from ocrstudio.pdf.page_text import PageText, read_page_text
from ocrstudio.pdf.printed_picture import has_print_of_its_own
from ocrstudio.pdf.upright import plain_page, turned

_MAX_LAYOUT_POINTS = 25_000_000
"""The layout draws the page at 72 dpi; beyond this area it runs out of memory."""
_MAX_FURNITURE = 0.2
"""Running heads and page numbers are no more of a page's letters; a short title page is not all head."""
_LONGEST_FURNITURE = 250
"""Letters of a running head; what is longer is none."""
_LONG_FURNITURE = 90
_MIN_AGREEMENT = 0.7
_DISORDER = "The order is uncertain: the layout and the file disagree about what comes first."
_MIN_COVERAGE = 0.5
_WORTH_A_REMARK = 10


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
        with turned(plain, text.direction if text.runs_sideways else 0.0) as page:
            if page is not plain:
                text = read_page_text(page, flags)
            return _label(page, text)


def _label(page: Untyped, text: PageText) -> TextLayer:
    facts = _facts(page, text)
    characters = sum(not character.isspace() for character in facts.text)
    distrust = reason_for_distrust(facts)
    if distrust is not None:
        return TextLayer("", characters, False, distrust, text.letters + text.unreadable)
    boxes = find_boxes(page, text)
    for box in boxes:
        if mark_furniture(tuple(page.rect), box):
            box.kind = HEADER
    body, heads = _without_heads(write_boxes(boxes, right_to_left=text.right_to_left))
    markdown = clean_markdown("\n\n".join(piece.markdown for piece in body))
    wanted, written = _letters("\n".join(piece.text for piece in body)), _letters(markdown)
    found = wanted.total() + text.unreadable
    kept = (wanted & written).total()
    disordered = order_agreement(boxes) < _MIN_AGREEMENT
    return TextLayer(
        markdown,
        characters,
        usable=True,
        reason="The page has its own text layer.",
        letters_found=found,
        letters_kept=kept,
        doubtful=kept < found or text.signs > 0 or disordered,
        remarks=(*_remarks(text, wanted.total() - kept, heads), *[_DISORDER] * disordered),
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


def _without_heads(pieces: list[Piece]) -> tuple[list[Piece], int]:
    """The pieces without running heads and page numbers, and the letters of the longest head."""
    body = [piece for piece in pieces if not _is_furniture(piece)]
    heads = [piece.letters for piece in pieces if _is_furniture(piece)]
    if sum(heads) > _MAX_FURNITURE * sum(piece.letters for piece in pieces):
        return pieces, 0
    return body, max(heads, default=0)


def _is_furniture(piece: Piece) -> bool:
    return piece.kind in (HEADER, FOOTER) and piece.letters <= _LONGEST_FURNITURE


def _letters(text: str) -> Counter[str]:
    """Letters and digits, whatever their order; with their accents, which a label has joined to them."""
    return Counter(
        character for character in compose_accents(normalise_characters(text)) if character.isalnum()
    )


def _remarks(text: PageText, lost: int, longest_head: int) -> tuple[str, ...]:
    remarks = []
    if text.unreadable:
        remarks.append(
            f"Not readable, the fonts do not say what they mean: {count_of(text.unreadable, 'letter')}."
        )
    if text.signs:
        remarks.append(f"Not readable, the fonts do not say what they mean: {count_of(text.signs, 'sign')}.")
    if lost:
        remarks.append(f"{count_of(lost, 'letter')} of the text layer did not reach the label.")
    if text.hidden >= _WORTH_A_REMARK:
        remarks.append(f"{count_of(text.hidden, 'letter')} left out that cannot be seen on the page.")
    if longest_head > _LONG_FURNITURE:
        remarks.append(f"A running head of {count_of(longest_head, 'letter')} was left out.")
    return tuple(remarks)
