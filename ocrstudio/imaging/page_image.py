"""Load any image file as an upright RGB picture on white, within bounded memory."""

import contextlib
import io
import math
import struct
import threading
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from ocrstudio.domain.errors import InputError
from ocrstudio.imaging.pillow_limit import without_pillow_limit

DAMAGE = (OSError, ValueError, SyntaxError, EOFError, RuntimeError, TypeError, IndexError, struct.error)
"""What Pillow raises for files that are damaged or no pictures, by format (AVIF: RuntimeError)."""

DEFAULT_MAX_PIXELS = 25_000_000
MAX_DECODED_BYTES = 1_800_000_000
"""Most memory that the decoded file may take before it is reduced; 20,000 x 20,000 RGB pixels take 1.6 GB."""

_BYTES_PER_PIXEL = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16L": 2, "I;16B": 2, "I;16N": 2}  # all others: 4
_WEBP_BYTES_PER_PIXEL = 16  # two canvases, a copy and the picture
_WITH_ALPHA = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})
_WHITE_LEVELS = (1.0, 255.0, 65535.0)
_ROWS_AT_A_TIME = 256
_ORIENTATION_TAG = 0x0112
_TURNS = {  # EXIF 2.32, tag 274
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_LARGE_BYTES = 300_000_000
_large = threading.Lock()  # several threads prepare pages; one large picture in memory is enough


def load_image(source: Path | bytes, max_pixels: int = DEFAULT_MAX_PIXELS) -> Image.Image:
    """Load a picture as RGB.

    The EXIF orientation is applied, transparency becomes white, deep greys are scaled to 8 bits, an animation
    gives its first frame, and a picture of more than `max_pixels` is reduced by a whole factor.

    Args:
        source: A file, or the bytes of one.
        max_pixels: Most pixels that the result may have.

    Raises:
        InputError: It is missing, damaged, not an image, or too large to be decoded.
    """
    name = str(source) if isinstance(source, Path) else f"The image of {len(source):,} bytes"
    try:
        opened = source if isinstance(source, Path) else io.BytesIO(source)
        # `_require_affordable` is the limit here: by bytes, and after the reduction that JPEG offers.
        with without_pillow_limit(), Image.open(opened) as image:
            # JPEG can decode a half, quarter or eighth directly; the others ignore this.
            factor = _reduction(image, max_pixels)
            image.draft(None, (image.width // factor, image.height // factor))
            needed = _require_affordable(image, name)
            with _large if needed > _LARGE_BYTES else contextlib.nullcontext():
                image.load()
                turn = _TURNS.get(image.getexif().get(_ORIENTATION_TAG, 1))
                picture = _reduced_rgb(image, _reduction(image, max_pixels))
                image.close()
            return picture if turn is None else picture.transpose(turn)
    except FileNotFoundError:
        raise InputError(f"{name} does not exist.") from None
    except UnidentifiedImageError:
        raise InputError(
            f"{name} is not an image that can be read.", "Use PNG, JPEG, TIFF or WebP."
        ) from None
    except (*DAMAGE, MemoryError) as error:
        raise InputError(f"{name} cannot be read: {error}.", "It may be damaged or incomplete.") from error


def _reduction(image: Image.Image, max_pixels: int) -> int:
    """The whole factor by which both sides must shrink to stay within `max_pixels`."""
    return max(1, math.ceil(math.sqrt(image.width * image.height / max_pixels)))


def _require_affordable(image: Image.Image, name: str) -> int:
    """The bytes that an image takes when it is decoded."""
    pixel = _WEBP_BYTES_PER_PIXEL if image.format == "WEBP" else _BYTES_PER_PIXEL.get(image.mode, 4)
    needed = image.width * image.height * pixel
    if needed > MAX_DECODED_BYTES:
        raise InputError(
            f"{name} has {image.width:,} x {image.height:,} pixels, which would take {needed / 1e9:.1f} GB.",
            "Reduce it, or cut it into pieces.",
        )
    return needed


def _reduced_rgb(image: Image.Image, factor: int) -> Image.Image:
    """Convert and reduce in bands of rows, so that no second picture of the full size is ever made."""
    white_level = _white_level(image)
    if factor == 1:
        return _to_rgb(image, white_level)
    size = (math.ceil(image.width / factor), math.ceil(image.height / factor))
    result = Image.new("RGB", size)
    band = factor * _ROWS_AT_A_TIME
    for top in range(0, image.height, band):
        rows = image.crop((0, top, image.width, min(top + band, image.height)))
        result.paste(_to_rgb(rows, white_level).reduce(factor), (0, top // factor))
    return result


def _white_level(image: Image.Image) -> float | None:
    """The value of white in a deep grey image (16 or 32 bits, or floating point); None for 8-bit images."""
    if image.mode.startswith("I;16"):
        return 65535.0
    if image.mode not in {"I", "F"}:
        return None
    brightest = image.getextrema()[1]
    if not (isinstance(brightest, int | float) and math.isfinite(brightest)):
        raise ValueError("its pixels are not numbers")
    return next((level for level in _WHITE_LEVELS if brightest <= level), float(brightest))


def _to_rgb(image: Image.Image, white_level: float | None) -> Image.Image:
    if white_level is not None:
        grey = np.asarray(image, dtype=np.float32) * (255.0 / white_level)
        return Image.fromarray(np.clip(np.rint(grey), 0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in _WITH_ALPHA or "transparency" in image.info:
        layer = image.convert("RGBA")
        paper = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(paper, layer).convert("RGB")
    return image.convert("RGB")
