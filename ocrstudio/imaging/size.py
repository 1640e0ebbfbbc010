"""Size and resolution of a picture file, from its header."""

from pathlib import Path

from PIL import Image

from ocrstudio.domain.errors import InputError

_TRANSPOSED = frozenset({5, 6, 7, 8})  # EXIF orientations that swap width and height
_ORIENTATION = 0x0112


def picture_size(path: Path) -> tuple[int, int]:
    """Width and height in pixels of a picture file, upright; only its header is read.

    Raises:
        InputError: The file is no picture.
    """
    try:
        with Image.open(path) as picture:
            width, height = picture.size
            turned = picture.getexif().get(_ORIENTATION) in _TRANSPOSED
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"The picture {path} cannot be opened: {error}.") from error
    return (height, width) if turned else (width, height)


def picture_dpi(path: Path) -> int | None:
    """The resolution that a picture file states, in whole dots per inch; None where it states none.

    Raises:
        InputError: The file is no picture.
    """
    try:
        with Image.open(path) as picture:
            stated = picture.info.get("dpi", (0, 0))[0]
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"The picture {path} cannot be opened: {error}.") from error
    return round(stated) or None
