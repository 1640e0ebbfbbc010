"""Entry of the child that draws pages for teachers: ``python -m ocrstudio.teachers.picture_process``.

MuPDF and Pillow hold the interpreter lock while they draw and encode, and MuPDF may crash on a hostile file.
In the window's process, each page of a batch would stop the typing of whoever works meanwhile.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from ocrstudio.jobs.line_server import Handler, Notify, serve_lines
from ocrstudio.teachers.base import PageSource
from ocrstudio.teachers.page_image import encode_page


def _setup(notify: Notify) -> tuple[Mapping[str, Handler], dict[str, Any]]:  # noqa: ARG001
    return {"picture": _picture}, {}


def _picture(
    page: Mapping[str, Any], image_format: Literal["png", "jpg"], max_side: int | None, target: str
) -> dict[str, Any]:
    """Write the picture of a page to a file; the answer says what it is."""
    paths = {name: None if page[name] is None else Path(page[name]) for name in ("image", "document")}
    encoded = encode_page(PageSource(**{**page, **paths}), image_format, max_side)
    Path(target).write_bytes(encoded.data)
    return {
        "mime": encoded.mime,
        "width": encoded.width,
        "height": encoded.height,
        "remarks": list(encoded.remarks),
    }


if __name__ == "__main__":
    sys.exit(serve_lines(_setup))
