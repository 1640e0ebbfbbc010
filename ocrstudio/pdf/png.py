"""A PNG writer for page images that is about ten times as fast as MuPDF's or Pillow's.

Every row but the first is filtered with "Up" (a vectorised subtraction), then compressed at level 1 by ISA-L.
On text pages that costs some file size and no quality: PNG is lossless whatever the filter and the level.
Format: W3C, Portable Network Graphics (Third Edition), sections 5 and 9.
"""

import struct
import zlib

import numpy as np
import numpy.typing as npt
from isal import isal_zlib

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_FILTER_NONE = 0
_FILTER_UP = 2
_INCHES_PER_METRE = 1 / 0.0254
_TRUECOLOUR = 2
_METRE = 1


def encode_png(pixels: npt.NDArray[np.uint8], dpi: float) -> bytes:
    """Encode RGB pixels of shape [height, width, 3] as a PNG file that states its resolution."""
    height, width, _ = pixels.shape
    pixels_per_metre = round(dpi * _INCHES_PER_METRE)
    header = struct.pack(">IIBBBBB", width, height, 8, _TRUECOLOUR, 0, 0, 0)
    resolution = struct.pack(">IIB", pixels_per_metre, pixels_per_metre, _METRE)
    return b"".join(
        (
            _SIGNATURE,
            _chunk(b"IHDR", header),
            _chunk(b"pHYs", resolution),
            _chunk(b"IDAT", isal_zlib.compress(_filtered(pixels), 1)),
            _chunk(b"IEND", b""),
        )
    )


def _filtered(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Rows with their filter byte in front; arithmetic is modulo 256, as the format asks."""
    height, width, channels = pixels.shape
    rows = pixels.reshape(height, width * channels)
    filtered = np.empty((height, 1 + width * channels), dtype=np.uint8)
    filtered[0, 0] = _FILTER_NONE
    filtered[1:, 0] = _FILTER_UP
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    return filtered


def _chunk(name: bytes, data: bytes) -> bytes:
    return b"".join(
        (struct.pack(">I", len(data)), name, data, struct.pack(">I", zlib.crc32(data, zlib.crc32(name))))
    )
