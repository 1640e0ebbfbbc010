"""How many letters a PDF page draws: what can be counted although nobody may know which letters they are."""

from ocrstudio.domain.document import DocumentKind
from ocrstudio.pdf import engine
from ocrstudio.pdf.document import PdfDocument

_INVISIBLE_INK = 3  # PDF 32000-1:2008, table 106, text rendering mode
_BLANKS = frozenset(map(ord, " \t\u00a0\u2002\u2003\u2009\u3000"))


def visible_glyphs(document: PdfDocument, index: int) -> int:
    """The glyphs that a page draws, blanks and invisible ones (the text that OCR programs add) not counted.

    Args:
        document: The document; an image file draws none.
        index: Zero-based page.

    Raises:
        DocumentError: There is no such page, or its object is damaged.
    """
    if document.kind is DocumentKind.IMAGE:
        return 0
    with engine.collected_warnings():
        page = document.raw_page(index)
        try:
            spans = page.get_texttrace()
        except engine.failures():
            return 0
        return sum(
            character[0] not in _BLANKS
            for span in spans
            if span["type"] != _INVISIBLE_INK and span.get("opacity", 1) > 0
            for character in span["chars"]
        )
