"""A page as it is and as ``training.augment`` degrades it, to be shown. Imports numpy: load it lazily."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtGui import QImage

from ocrstudio.imaging import load_image
from ocrstudio.imaging.augmentation import Augmentation

_DETAIL = (360, 200)  # pixels of the page
_LARGEST_PAGE = 900  # pixels of the longer side, for the whole page


@dataclass(frozen=True)
class DegradedPage:
    """One look of a page: all of it, and a piece of it from close by."""

    page: QImage
    detail: QImage


def load_degraded(path: Path, levels: Sequence[str], seed: int, epoch: int) -> list[DegradedPage]:
    """Degrades a page (called in a pool thread).

    Args:
        path: The picture.
        levels: Values of ``training.augment``.
        seed: Of the training.
        epoch: The pass whose look is wanted.

    Returns:
        The page in the order of the levels.

    Raises:
        InputError: The picture cannot be read.
    """
    picture = load_image(path)
    box = _busiest_part(picture)
    shown = []
    for level in levels:
        one = picture if level == "off" else Augmentation(level, seed, epoch, 1).apply(picture)
        whole = one.copy()
        whole.thumbnail((_LARGEST_PAGE, _LARGEST_PAGE))
        shown.append(DegradedPage(_picture(whole), _picture(one.crop(box))))
    return shown


def _busiest_part(picture: Image.Image) -> tuple[int, int, int, int]:
    """The piece with the most edges, which is small print: there a degradation is seen."""
    width, height = min(_DETAIL[0], picture.width), min(_DETAIL[1], picture.height)
    grey = np.asarray(picture.convert("L")).astype(np.int16)
    edges = np.abs(np.diff(grey, axis=1, append=grey[:, -1:]))
    tops = range(0, picture.height - height + 1, max(1, height // 2))
    lefts = range(0, picture.width - width + 1, max(1, width // 2))
    left, top = max(
        ((left, top) for top in tops for left in lefts),
        key=lambda place: edges[place[1] : place[1] + height : 2, place[0] : place[0] + width].mean(),
    )
    return (left, top, left + width, top + height)


def _picture(image: Image.Image) -> QImage:
    pixels = image.tobytes()
    return QImage(pixels, image.width, image.height, 3 * image.width, QImage.Format.Format_RGB888).copy()
