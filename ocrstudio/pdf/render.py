"""Page images: the pixels of a page, how many of them, and how they are written to a file."""

from __future__ import annotations  # numpy is only named: who does not render need not load it

import io
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ocrstudio.domain.errors import InputError
from ocrstudio.settings.files import write_bytes

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

POINTS_PER_INCH = 72.0
DEFAULT_DPI = 200.0
DEFAULT_MAX_PIXELS = 25_000_000
DEFAULT_PAGE_SECONDS = 60.0
MAX_SIDE = 65_000  # JPEG ends at 65,535 pixels a side
_JPEG_QUALITY = 90


@dataclass(frozen=True)
class PageImage:
    """A rendered page.

    Attributes:
        pixels: RGB, uint8, shape [height, width, 3].
        dpi: Resolution truly used; lower than asked for when the page had to be capped.
        warnings: Sentences about this page: a cap, or what MuPDF complained about.
    """

    pixels: npt.NDArray[np.uint8]
    dpi: float
    warnings: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """Pixels a row."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.pixels.shape[0])


def capped_dpi(width: float, height: float, dpi: float, max_pixels: int) -> float:
    """The highest resolution up to `dpi` at which a page of that size in points stays within `max_pixels`."""
    inches_wide, inches_high = width / POINTS_PER_INCH, height / POINTS_PER_INCH
    by_area = math.sqrt(max_pixels / (inches_wide * inches_high))
    by_side = MAX_SIDE / max(inches_wide, inches_high)
    return min(dpi, by_area, by_side)


def write_page_image(image: PageImage, target: Path, format: str = "png") -> None:  # noqa: A002
    """Write a page image, atomically, with its resolution in the file.

    Args:
        image: The page.
        target: File to create or replace.
        format: ``png`` (lossless) or ``jpg`` (quality 90).

    Raises:
        InputError: The format is unknown, or the file cannot be written (no right, no space, no folder).
    """
    encode = _ENCODERS.get(format)
    if encode is None:
        raise InputError(f"Unknown image format {format!r}.", f"Use one of: {', '.join(sorted(_ENCODERS))}.")
    try:
        write_bytes(target, encode(image), durable=False)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            f"{target} cannot be written: {reason}.", "Choose another folder, or free space."
        ) from error


def _encode_png(image: PageImage) -> bytes:
    from ocrstudio.pdf.png import encode_png

    return encode_png(image.pixels, image.dpi)


def _encode_jpeg(image: PageImage) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    resolution = max(1, round(image.dpi))
    Image.fromarray(image.pixels).save(buffer, "JPEG", quality=_JPEG_QUALITY, dpi=(resolution, resolution))
    return buffer.getvalue()


_ENCODERS: Mapping[str, Callable[[PageImage], bytes]] = {"png": _encode_png, "jpg": _encode_jpeg}
IMAGE_FORMATS = tuple(_ENCODERS)
