"""The text layer of a page as Markdown, and whether it can be trusted.

PyMuPDF's layout prints to stdout when it likes: call this in a process whose stdout is nobody's protocol.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ocrstudio.domain.document import DocumentKind
from ocrstudio.domain.errors import DocumentError
from ocrstudio.pdf import engine
from ocrstudio.pdf.document import PdfDocument, open_document
from ocrstudio.pdf.engine import Untyped
from ocrstudio.pdf.markdown_cleaning import clean_markdown

# Measured on real documents: born-digital pages have hardly any unreadable and no hidden characters, and none
# of their words is broken by a symbol; a paper with wrong ligatures ("di!culties") breaks 13 words in 1,000.
_MAX_UNREADABLE = 0.05
_MAX_BROKEN_WORDS = 0.004
_MIN_BROKEN_WORDS = 3
_MAX_HIDDEN = 0.5
_SCAN_COVERAGE = 0.5
_MIN_CHARACTERS_ON_SCAN = 50
_MIN_KEPT = 0.6
_MAX_LAYOUT_POINTS = 25_000_000
"""The layout draws the page at 72 dpi; beyond this area it runs out of memory."""

_WORD = re.compile(r"\S*\w\S*")
_BROKEN_WORD = re.compile(r'[^\W\d_]{2}[!"#$][^\W\d_]{2}')
_INVISIBLE_INK = 3  # PDF 32000-1:2008, table 106, text rendering mode


@dataclass(frozen=True)
class TextLayer:
    """What a page's text layer holds.

    Attributes:
        markdown: The text as Markdown, cleaned; also given when the layer should not be trusted.
        characters: Number of characters in the layer, white space not counted.
        usable: Whether it is the true text of the page.
        reason: One sentence that says why, or why not.
    """

    markdown: str
    characters: int
    usable: bool
    reason: str


@dataclass(frozen=True)
class LayerFacts:
    """What is counted on a page before its text is trusted.

    Attributes:
        text: The plain text of the layer.
        hidden: Share of its characters that cannot be seen: invisible ink, or a picture painted over them.
        picture_coverage: Share of the page that the largest picture covers.
    """

    text: str
    hidden: float
    picture_coverage: float

    @property
    def characters(self) -> int:
        """Characters other than white space."""
        return sum(not character.isspace() for character in self.text)


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
                facts = _facts(document.raw_page(page_index))
                distrust = reason_for_distrust(facts)
                markdown = _markdown(document, page_index, facts) if facts.characters else ""
            except engine.failures() as error:
                raise DocumentError(
                    f"The text layer of page {page_index + 1} of {document_path} cannot be read: {error}.",
                    "Draft this page with OCR.",
                ) from error
    if distrust is not None:
        return TextLayer(markdown, facts.characters, usable=False, reason=distrust)
    return TextLayer(markdown, facts.characters, usable=True, reason="The page has its own text layer.")


def reason_for_distrust(facts: LayerFacts) -> str | None:
    """Why a text layer is not the true text of its page, or None when nothing speaks against it.

    Hidden text over a picture was written by some OCR program: a guess of unknown quality, with its own
    reading order. Taking it for the truth would spoil a dataset silently, so the page is read afresh.
    """
    checks: tuple[Callable[[LayerFacts], str | None], ...] = (_emptiness, _hidden_text, _garbage)
    return next((reason for check in checks if (reason := check(facts))), None)


def _emptiness(facts: LayerFacts) -> str | None:
    if facts.characters == 0:
        return "The page has no text layer."
    if facts.picture_coverage > _SCAN_COVERAGE and facts.characters < _MIN_CHARACTERS_ON_SCAN:
        return f"The page is a picture with only {facts.characters} characters of text."
    return None


def _hidden_text(facts: LayerFacts) -> str | None:
    if facts.picture_coverage > _SCAN_COVERAGE and facts.hidden > _MAX_HIDDEN:
        return "The page is a scan; its hidden text is the guess of another OCR program."
    return None


def _garbage(facts: LayerFacts) -> str | None:
    unreadable = sum(map(_is_unreadable, facts.text))
    if unreadable > _MAX_UNREADABLE * facts.characters:
        return f"The fonts do not say what their letters mean ({unreadable} unreadable characters)."
    broken = _BROKEN_WORD.findall(facts.text)
    allowed = max(_MIN_BROKEN_WORDS, _MAX_BROKEN_WORDS * len(_WORD.findall(facts.text)))
    if len(broken) > allowed:
        return f"Some letters are encoded wrongly (for instance {broken[0]!r})."
    return None


def _is_unreadable(character: str) -> bool:
    """A replacement, private-use or control character: a glyph that the font does not map to a letter."""
    category = unicodedata.category(character)
    return character == "\ufffd" or category == "Co" or (category == "Cc" and not character.isspace())


def _facts(page: Untyped) -> LayerFacts:
    spans = page.get_texttrace()
    pictures = [
        (number, _overlap(box, page.rect))
        for number, (kind, box, *_) in enumerate(page.get_bboxlog())
        if kind == "fill-image"
    ]
    coverage = max((share for _, share in pictures), default=0.0)
    covering = max((number for number, share in pictures if share > _SCAN_COVERAGE), default=-1)
    total = sum(len(span["chars"]) for span in spans)
    hidden = sum(
        len(span["chars"]) for span in spans if span["type"] == _INVISIBLE_INK or span["seqno"] < covering
    )
    return LayerFacts(page.get_text(), hidden / total if total else 0.0, coverage)


def _overlap(box: tuple[float, float, float, float], page: Untyped) -> float:
    """The share of the page that a box covers."""
    width = min(box[2], page.x1) - max(box[0], page.x0)
    height = min(box[3], page.y1) - max(box[1], page.y0)
    return float(max(0.0, width) * max(0.0, height) / (page.width * page.height))


def _markdown(document: PdfDocument, index: int, facts: LayerFacts) -> str:
    """Markdown without running heads; with them, or as plain paragraphs, where that would lose the text.

    The layout takes a short title page for a header and would return nothing for it.
    """
    layout = engine.load_layout()
    for furniture in (False, True):
        raw = layout.to_markdown(
            document.handle, pages=[index], use_ocr=False, header=furniture, footer=furniture
        )
        cleaned = clean_markdown(raw)
        if _letters(cleaned) >= _MIN_KEPT * _letters(facts.text):
            return cleaned
    blocks = document.raw_page(index).get_text("blocks", sort=True)
    return clean_markdown("\n\n".join(" ".join(block[4].split()) for block in blocks if block[6] == 0))


def _letters(text: str) -> int:
    return sum(character.isalnum() for character in text)
