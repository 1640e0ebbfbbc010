"""The views of a page picture as a training sees them, as pictures to show. Imports numpy: load it lazily."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage

from ocrstudio.imaging import load_image
from ocrstudio.imaging.augmentation import Augmentation
from ocrstudio.imaging.views import prepare_views
from ocrstudio.settings.image import ImageConfig

_GAP = 12
_WHITE = 255

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class SampleViews:
    """The views as pictures: the whole page, and its tiles side by side (None for a page without tiles)."""

    overview: QImage
    tiles: QImage | None


def load_views(
    path: Path, image: Mapping[str, Any], augmentation: Mapping[str, Any] | None = None
) -> SampleViews:
    """Prepares a picture as the worker does (called in a pool thread).

    Args:
        path: The picture.
        image: The ``image`` section of the run's configuration.
        augmentation: Fields of `Augmentation` where the page is degraded.

    Raises:
        InputError: The picture cannot be read.
    """
    picture = load_image(path)
    if augmentation:
        picture = Augmentation(**augmentation).apply(picture)
    views = prepare_views(picture, ImageConfig.model_validate(image))
    tiles = None
    if len(views.tiles):
        side = views.tiles.shape[-1]
        height = views.rows * (side + _GAP) - _GAP
        width = views.columns * (side + _GAP) - _GAP
        sheet = np.full((height, width, 3), _WHITE, dtype=np.uint8)
        for number, tile in enumerate(views.tiles):
            top, left = (place * (side + _GAP) for place in divmod(number, views.columns))
            sheet[top : top + side, left : left + side] = _pixels(tile)
        tiles = _picture(sheet)
    return SampleViews(_picture(_pixels(views.global_view)), tiles)


def _pixels(view: npt.NDArray[np.float32]) -> Pixels:
    """From [3, height, width] in [-1, 1] back to [height, width, 3] of bytes."""
    return np.ascontiguousarray(
        ((view * 0.5 + 0.5) * _WHITE).round().clip(0, _WHITE).astype(np.uint8).transpose(1, 2, 0)
    )


def _picture(pixels: Pixels) -> QImage:
    height, width, _ = pixels.shape
    return QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888).copy()
