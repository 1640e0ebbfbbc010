"""Entry of the child that draws pages for teachers: ``python -m ocrstudio.teachers.picture_process``.

MuPDF and Pillow hold the interpreter lock while they draw and encode, and MuPDF may crash on a hostile file.
In the window's process, each page of a batch would stop the typing of whoever works meanwhile.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from ocrstudio.jobs.line_server import Handler, Notify, serve_lines
from ocrstudio.pdf import engine
from ocrstudio.pdf.render import write_page_image
from ocrstudio.teachers.base import PageSource
from ocrstudio.teachers.page_image import draw_page, encode_page


def _setup(notify: Notify) -> tuple[Mapping[str, Handler], dict[str, Any]]:  # noqa: ARG001
    engine.load()  # now, not within the limit of the first page
    return {"picture": _picture, "save": _save}, {}


def _picture(
    page: Mapping[str, Any], image_format: Literal["png", "jpg"], max_side: int | None, target: str
) -> dict[str, Any]:
    """Write the picture of a page to a file; the answer says what it is."""
    encoded = encode_page(_source(page), image_format, max_side)
    Path(target).write_bytes(encoded.data)
    return {
        "mime": encoded.mime,
        "width": encoded.width,
        "height": encoded.height,
        "remarks": list(encoded.remarks),
    }


def _save(page: Mapping[str, Any], target: str) -> dict[str, Any]:
    """Write the picture of a page as a PNG file; the answer has the remarks. A picture keeps its pixels."""
    drawn = draw_page(_source(page))
    write_page_image(drawn, Path(target))
    return {"remarks": list(drawn.warnings)}


def _source(page: Mapping[str, Any]) -> PageSource:
    paths = {name: None if page[name] is None else Path(page[name]) for name in ("image", "document")}
    return PageSource(**{**page, **paths})


if __name__ == "__main__":
    sys.exit(serve_lines(_setup))
