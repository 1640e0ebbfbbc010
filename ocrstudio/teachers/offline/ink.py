"""Where on a page there is anything printed."""

import numpy as np
import numpy.typing as npt

_DARKER = 60  # grey levels below the paper
_MARGIN = 60  # pixels of white around
_LARGE = 0.5  # of the page: a window as large as this gains nothing


def inked_window(pixels: npt.NDArray[np.uint8]) -> tuple[int, int, int, int] | None:
    """x0, y0, x1, y1 in pixels of what is printed on an RGB page, with a margin; None for none, or much."""
    grey = pixels.mean(axis=2)
    ink = grey < np.median(grey) - _DARKER
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not len(rows):
        return None
    height, width = grey.shape
    y0, y1 = max(0, int(rows[0]) - _MARGIN), min(height, int(rows[-1]) + _MARGIN)
    x0, x1 = max(0, int(columns[0]) - _MARGIN), min(width, int(columns[-1]) + _MARGIN)
    return None if (y1 - y0) * (x1 - x0) > _LARGE * height * width else (x0, y0, x1, y1)
