"""Size and resolution of a picture file."""

import os
from pathlib import Path

from PIL import Image

from ocrstudio.domain.errors import InputError
from ocrstudio.imaging.page_image import DAMAGE, load_image
from ocrstudio.imaging.pillow_limit import without_pillow_limit

_MOST_READERS = 8


def picture_size(path: Path) -> tuple[int, int]:
    """Width and height in pixels of a picture as `load_image` gives it.

    All of it is read: a header says nothing of a file that was cut off, and says which side is up in a way
    of its own in every format.

    Raises:
        InputError: It is missing, damaged, not an image, or too large to be decoded.
    """
    return load_image(path).size


def reader_threads() -> int:
    """Threads in which pictures are worth being read: decoding leaves Python to others."""
    return min(_MOST_READERS, os.cpu_count() or 1)


def picture_dpi(path: Path) -> int | None:
    """The resolution that a picture file states, in whole dots per inch; None where it states none.

    Raises:
        InputError: The file is no picture.
    """
    try:
        with without_pillow_limit(), Image.open(path) as picture:
            stated = picture.info.get("dpi", (0, 0))[0]
    except DAMAGE as error:
        raise InputError(f"The picture {path} cannot be opened: {error}.") from error
    return round(stated) or None
