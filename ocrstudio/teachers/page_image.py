"""The picture of a page as a model gets it: PNG or JPEG bytes of bounded size."""

import base64
import io
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

from ocrstudio.domain.errors import TeacherError
from ocrstudio.teachers.base import PageSource

_JPEG_QUALITY = 90
_MIME = {"png": "image/png", "jpg": "image/jpeg"}
_PIL_FORMAT = {"png": "PNG", "jpg": "JPEG"}
_PLAIN_MODES = frozenset({"L", "RGB"})
_ORIENTATION_TAG = 0x0112


@dataclass(frozen=True)
class EncodedImage:
    """An encoded picture and its size in pixels."""

    data: bytes
    mime: str
    width: int
    height: int

    def data_url(self) -> str:
        """The picture as a ``data:`` address."""
        return f"data:{self.mime};base64,{base64.b64encode(self.data).decode('ascii')}"


def encode_page(page: PageSource, image_format: Literal["png", "jpg"], max_side: int | None) -> EncodedImage:
    """The picture of a page, rendered when there is none yet. Call it in a thread: it takes up to a second.

    Args:
        page: The page.
        image_format: ``png`` or ``jpg``.
        max_side: Longer side in pixels to which it is reduced; None keeps its size.

    Raises:
        InputError: The picture or the document cannot be read.
        TeacherError: The page has neither.
    """
    ready = ready_picture(page, image_format, max_side)
    if ready is not None:
        return ready
    picture = _picture(page)
    if max_side is not None and max(picture.size) > max_side:
        picture.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    data = _png(picture, page.dpi) if image_format == "png" else _jpeg(picture)
    return EncodedImage(data, _MIME[image_format], picture.width, picture.height)


def ready_picture(
    page: PageSource, image_format: Literal["png", "jpg"], max_side: int | None
) -> EncodedImage | None:
    """The picture as it stands, when only its header had to be read to know that nothing must be changed."""
    if page.image is None:
        return None
    path = page.image
    try:
        with Image.open(path) as picture:
            fits = max_side is None or max(picture.size) <= max_side
            plain = picture.mode in _PLAIN_MODES and picture.getexif().get(_ORIENTATION_TAG, 1) == 1
            if picture.format != _PIL_FORMAT[image_format] or not fits or not plain:
                return None
            width, height = picture.size
        return EncodedImage(path.read_bytes(), _MIME[image_format], width, height)
    except (OSError, ValueError, Image.DecompressionBombError):
        return None  # loading it fully gives the sentence


def _png(picture: Image.Image, dpi: float) -> bytes:
    from ocrstudio.pdf.png import encode_png

    return encode_png(np.asarray(picture), dpi)


def _jpeg(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return buffer.getvalue()


def _picture(page: PageSource) -> Image.Image:
    if page.image is not None:
        from ocrstudio.imaging import load_image

        return load_image(page.image)
    if page.document is None:
        raise TeacherError(f"{page.key}: there is neither a picture nor a document.")
    from ocrstudio.pdf import open_document

    with open_document(page.document, page.password) as document:
        return Image.fromarray(document.render(page.page_index, page.dpi).pixels)
