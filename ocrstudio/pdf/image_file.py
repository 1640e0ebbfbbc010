"""What MuPDF does not know about image files: WebP, animations, and the orientation tag of PNG and TIFF."""

import io
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from ocrstudio.domain.errors import DocumentError
from ocrstudio.pdf.engine import Untyped
from ocrstudio.pdf.render import POINTS_PER_INCH

_ORIENTATION_TAG = 0x0112
_WITHOUT_ORIENTATION = frozenset({"jpeg", "webp", "gif"})  # turned by MuPDF, or by `first_frame_as_png`
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_CHUNK_HEAD = 8  # length and name
_PNG_CHECKSUM = 4
_MAX_DECODED_PIXELS = 180_000_000  # three bytes each while MuPDF decodes them: 540 MB


@dataclass(frozen=True)
class Orientation:
    """How stored rows must be turned to stand upright: transpose first, then mirror (EXIF 2.32, tag 274)."""

    transposed: bool = False
    flipped_rows: bool = False
    flipped_columns: bool = False


_UPRIGHT = Orientation()
_ORIENTATIONS = {
    2: Orientation(flipped_columns=True),
    3: Orientation(flipped_rows=True, flipped_columns=True),
    4: Orientation(flipped_rows=True),
    5: Orientation(transposed=True),
    6: Orientation(transposed=True, flipped_columns=True),
    7: Orientation(transposed=True, flipped_rows=True, flipped_columns=True),
    8: Orientation(transposed=True, flipped_rows=True),
}


def first_frame_as_png(path: Path) -> bytes:
    """The first frame of an image file in a format that MuPDF reads.

    Raises:
        DocumentError: The image is damaged or too large.
    """
    with _opened(path) as image:
        buffer = io.BytesIO()
        ImageOps.exif_transpose(image).save(buffer, "PNG", compress_level=1)
        return buffer.getvalue()


def orientation(path: Path, format_name: str, frame: int) -> Orientation:
    """How a frame must be turned.

    Raises:
        DocumentError: The image is damaged.
    """
    if format_name in _WITHOUT_ORIENTATION:
        return _UPRIGHT
    with _opened(path) as image:
        if frame:
            image.seek(frame)
        if format_name == "png" and not _png_says_how_it_stands(path, image):
            return _UPRIGHT
        return _ORIENTATIONS.get(int(image.getexif().get(_ORIENTATION_TAG, 1)), _UPRIGHT)


def require_sane_size(path: Path, format_name: str, frame: int) -> None:
    """Refuse a frame that would need too much memory, before it is decoded. JPEG is reduced while decoding.

    Raises:
        DocumentError: It has more than 180 million pixels, or is damaged.
    """
    if format_name == "jpeg":
        return
    with _opened(path) as image:
        if frame:
            image.seek(frame)
        if image.width * image.height > _MAX_DECODED_PIXELS:
            raise DocumentError(
                f"Page {frame + 1} of {path} has {image.width:,} x {image.height:,} pixels: too large.",
                "Reduce it, or cut it into pieces.",
            )


def upright(pixels: npt.NDArray[np.uint8], turn: Orientation) -> npt.NDArray[np.uint8]:
    """Pixels [height, width, 3] turned upright."""
    turned = pixels.swapaxes(0, 1) if turn.transposed else pixels
    if turn.flipped_rows:
        turned = turned[::-1]
    if turn.flipped_columns:
        turned = turned[:, ::-1]
    return np.ascontiguousarray(turned)


def native_dpi(page: Untyped) -> float:
    """The resolution at which a frame keeps its pixels; of a fax page, which has two, the finer one.

    It follows from the size that MuPDF gives the page: the resolution that the file states may be nonsense
    (1 dpi for a full-size scan), which MuPDF ignores.
    """
    frame = page.get_image_info()[0]
    a, b, c, d, *_ = frame["transform"]
    across, down = frame["width"] / math.hypot(a, b), frame["height"] / math.hypot(c, d)
    return POINTS_PER_INCH * float(max(across, down))


def _png_says_how_it_stands(path: Path, image: Image.Image) -> bool:
    """Whether a PNG has EXIF data, found without decoding it: Pillow decodes any PNG that it asks.

    Chunks as in W3C, Portable Network Graphics (Third Edition), section 5.3.

    Raises:
        OSError: The file ends too early.
    """
    if "exif" in image.info or "Raw profile type exif" in image.info:
        return True
    with path.open("rb") as stream:
        size = stream.seek(0, io.SEEK_END)
        place = len(_PNG_SIGNATURE)
        while place < size:
            stream.seek(place)
            head = stream.read(_PNG_CHUNK_HEAD)
            place += len(head) + int.from_bytes(head[:4], "big") + _PNG_CHECKSUM
            if place > size:
                break
            if head[4:] == b"eXIf":
                return True
            if head[4:] == b"IEND":
                return False
    raise OSError("the file ends too early")


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """The image with its header read and its pixels not."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(path)
        with image:
            yield image
    except Image.DecompressionBombError as error:
        raise DocumentError(
            f"{path} has too many pixels to be read safely.", "Reduce it, or cut it up."
        ) from error
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise DocumentError(f"{path} is damaged or not an image: {error}.", "Get a new copy.") from error
