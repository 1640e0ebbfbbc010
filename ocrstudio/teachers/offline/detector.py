"""What RapidOCR does to a picture before it looks for lines, in a tenth of the time."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]


def hasten(engine: Any) -> None:  # noqa: ANN401 - RapidOCR has no types
    """Let the detector of a RapidOCR prepare its pictures by `prepared_by_table`, and load it."""
    detector = engine._load_det_model()  # noqa: SLF001 - it has no other way to load it without a picture
    prepare = prepared_by_table(detector.get_preprocess())
    detector.get_preprocess = lambda: prepare


def prepared_by_table(preparation: Any) -> Callable[[Pixels], npt.NDArray[np.float32] | None]:  # noqa: ANN401
    """The same values as a preparation of RapidOCR gives, to the last bit.

    It normalises each pixel in arithmetic of double precision, 70 MB for a page. There are only 256 levels.

    Args:
        preparation: Its ``DetPreProcess``.

    Returns:
        What makes an array [1, 3, height, width] of a BGR picture; None where nothing is left of the picture.
    """
    import cv2

    levels = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    tables = np.asarray(preparation.normalize(levels)[0], np.float32).T.copy()

    def prepare(picture: Pixels) -> npt.NDArray[np.float32] | None:
        resized = preparation.resize(picture)
        if resized is None:
            return None
        channels = [cv2.LUT(np.ascontiguousarray(resized[:, :, n]), table) for n, table in enumerate(tables)]
        return np.stack(channels).astype(np.float32, copy=False)[None]

    return prepare
