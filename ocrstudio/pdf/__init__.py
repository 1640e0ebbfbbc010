"""Documents as pages: open a PDF or an image file, render a page, read its text layer, write a page image.

MuPDF (through PyMuPDF) does the reading; it is loaded at the first use, never when this package is imported.
Nothing here knows of workspaces, tasks or windows, and nothing here changes a source file.
"""

from ocrstudio.pdf.document import PdfDocument, open_document
from ocrstudio.pdf.render import DEFAULT_DPI, DEFAULT_MAX_PIXELS, DEFAULT_PAGE_SECONDS, PageImage
from ocrstudio.pdf.sources import find_sources

__all__ = [
    "DEFAULT_DPI",
    "DEFAULT_MAX_PIXELS",
    "DEFAULT_PAGE_SECONDS",
    "PageImage",
    "PdfDocument",
    "find_sources",
    "open_document",
]
