"""The picture of a page as a model gets it: PNG or JPEG bytes of bounded size."""

import base64
import io
from dataclasses import dataclass
from typing import Literal

from PIL import Image

from ocrstudio.domain.errors import TeacherError
from ocrstudio.teachers.base import PageSource

_JPEG_QUALITY = 90
_MIME = {"png": "image/png", "jpg": "image/jpeg"}
_PIL_FORMAT = {"png": "PNG", "jpg": "JPEG"}


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
    picture = _picture(page)
    if max_side is not None and max(picture.size) > max_side:
        picture.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    options = {"quality": _JPEG_QUALITY} if image_format == "jpg" else {"compress_level": 1}
    picture.save(buffer, _PIL_FORMAT[image_format], **options)
    return EncodedImage(buffer.getvalue(), _MIME[image_format], picture.width, picture.height)


def _picture(page: PageSource) -> Image.Image:
    if page.image is not None:
        from ocrstudio.imaging import load_image

        return load_image(page.image)
    if page.document is None:
        raise TeacherError(f"{page.key}: there is neither a picture nor a document.")
    from ocrstudio.pdf import open_document

    with open_document(page.document, page.password) as document:
        return Image.fromarray(document.render(page.page_index, page.dpi).pixels)
