"""What a child does for `page_ink`: draw a page as small as the measuring needs, and measure it."""

import cv2
import numpy as np
import numpy.typing as npt

from ocrstudio.imaging import load_image
from ocrstudio.imaging.ink import MOST_PIXELS, measure_ink
from ocrstudio.pdf import open_document
from ocrstudio.pdf.glyphs import visible_glyphs
from ocrstudio.teachers.base import PageSource
from ocrstudio.teachers.page_ink import PageInk

_DPI = 120.0
_DECODED = 4 * MOST_PIXELS

cv2.setNumThreads(1)  # several children work beside each other, and beside the teacher


def measure_page(page: PageSource) -> PageInk:
    """Measure the picture of a page, or the page of a document.

    Raises:
        InputError: It cannot be read.
    """
    if page.image is not None or page.document is None:
        picture = load_image(page.image, _DECODED) if page.image is not None else None
        if picture is None:
            raise ValueError("neither a picture nor a document")
        return PageInk(measure_ink(_reduced(np.asarray(picture))))
    with open_document(page.document, page.password) as document:
        drawn = document.render(page.page_index, _DPI, MOST_PIXELS)
        return PageInk(measure_ink(_reduced(drawn.pixels)), visible_glyphs(document, page.page_index))


def _reduced(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Luminance, of at most the size that the limits of the measuring hold for."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    scale = (MOST_PIXELS / grey.size) ** 0.5
    if scale < 1:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(grey, np.uint8)
