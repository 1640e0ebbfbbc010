"""The picture of a page as a model gets it: PNG or JPEG bytes of bounded size."""

import base64
import io
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

from ocrstudio.domain.errors import TeacherError
from ocrstudio.pdf import PageImage, open_document
from ocrstudio.teachers.base import PageSource

_JPEG_QUALITY = 90
_JPEG_END = b"\xff\xd9"
_MIME = {"png": "image/png", "jpg": "image/jpeg"}
_PIL_FORMAT = {"png": "PNG", "jpg": "JPEG"}
_PLAIN_MODES = frozenset({"L", "RGB"})
_ORIENTATION_TAG = 0x0112


@dataclass(frozen=True)
class EncodedImage:
    """An encoded picture, its size in pixels, and sentences about how the page was drawn."""

    data: bytes
    mime: str
    width: int
    height: int
    remarks: tuple[str, ...] = ()

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
    drawn = draw_page(page)
    picture = Image.fromarray(drawn.pixels)
    if max_side is not None and max(picture.size) > max_side:
        picture.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    data = _png(picture, page.dpi) if image_format == "png" else _jpeg(picture)
    return EncodedImage(data, _MIME[image_format], picture.width, picture.height, drawn.warnings)


def draw_page(page: PageSource) -> PageImage:
    """The pixels of a page: of its picture where there is one, otherwise drawn from its document.

    Raises:
        InputError: The picture or the document cannot be read.
        TeacherError: The page has neither.
    """
    if page.image is not None:
        from ocrstudio.imaging import load_image

        return PageImage(np.asarray(load_image(page.image, page.max_pixels)), page.dpi)
    if page.document is None:
        raise TeacherError(f"{page.key}: there is neither a picture nor a document.")
    with open_document(page.document, page.password) as document:
        return document.render(page.page_index, page.dpi, page.max_pixels)


def ready_picture(
    page: PageSource, image_format: Literal["png", "jpg"], max_side: int | None
) -> EncodedImage | None:
    """The picture as it stands, when it is whole and nothing in it must be changed."""
    if page.image is None:
        return None
    try:
        data = page.image.read_bytes()
        with Image.open(io.BytesIO(data)) as picture:
            size = picture.size
            fits = max_side is None or max(size) <= max_side
            # Asking a PNG for its orientation decodes it, so a damaged one is noticed here.
            plain = picture.mode in _PLAIN_MODES and picture.getexif().get(_ORIENTATION_TAG, 1) == 1
            if picture.format != _PIL_FORMAT[image_format] or not fits or not plain:
                return None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None  # loading it fully gives the sentence
    if image_format == "jpg" and not data.endswith(_JPEG_END):
        return None  # perhaps cut off
    return EncodedImage(data, _MIME[image_format], *size)


def _png(picture: Image.Image, dpi: float) -> bytes:
    from ocrstudio.pdf.png import encode_png

    return encode_png(np.asarray(picture), dpi)


def _jpeg(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return buffer.getvalue()
