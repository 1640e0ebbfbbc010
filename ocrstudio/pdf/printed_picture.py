"""Does a picture that fills the page hold print of its own, which the text layer says nothing about?"""

from ocrstudio.pdf import engine
from ocrstudio.pdf.engine import Untyped

_DPI = 60
_INK = 70  # levels of grey away from the paper
_PAPER = 0.55  # share of the pixels that a page's paper has at least; photographs have no such level
_PAPER_RANGE = 24
_MIN_INK = 0.006  # share of the page beside the layer's text


def has_print_of_its_own(page: Untyped, blocks: list[Untyped]) -> bool:
    """Whether there is paper with ink outside of the layer's text.

    Args:
        page: PyMuPDF's page, most of it covered by a picture.
        blocks: Its text blocks.
    """
    import numpy as np

    pymupdf = engine.load()
    pixmap = page.get_pixmap(dpi=_DPI, colorspace=pymupdf.csGRAY, alpha=False)
    grey = np.frombuffer(pixmap.samples, dtype=np.uint8).reshape(pixmap.height, pixmap.width).astype(np.int16)
    beside = np.ones(grey.shape, dtype=bool)
    for block in blocks:
        for line in block["lines"]:
            x0, y0, x1, y1 = (round(value * _DPI / 72) for value in line["bbox"])
            beside[max(0, y0 - 1) : y1 + 2, max(0, x0 - 1) : x1 + 2] = False
    rest = grey[beside]
    if rest.size == 0:
        return False
    paper = int(np.bincount(rest, minlength=256).argmax())
    away = np.abs(rest - paper)
    is_paper = float((away <= _PAPER_RANGE).mean()) >= _PAPER
    return is_paper and float((away >= _INK).sum()) / grey.size >= _MIN_INK
