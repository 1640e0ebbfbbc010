"""Draws page images: in this process, or in a child of its own for a long list of pages.

MuPDF holds the interpreter lock while it draws. An export runs in a thread of the window, and would stop its
typing at each page; it draws in a child.
"""

import asyncio
import hashlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ocrstudio.domain.errors import DocumentError, SlowPageError
from ocrstudio.jobs.command_line import module_command
from ocrstudio.jobs.line_process import ChildError, ChildTimeoutError, LineProcess
from ocrstudio.jobs.line_server import Handler, Notify, serve_lines
from ocrstudio.pdf import DEFAULT_PAGE_SECONDS, PdfDocument, engine, open_document
from ocrstudio.pdf.render import write_page_image

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

DrawPage = Callable[[Path, int, float, int, Path], str]
"""Draws (document, zero-based page, dpi, most pixels, target); returns the hash of the page's content."""

_MODULE = "ocrstudio.services.page_drawing"
_NAME = "The process that draws pages"


def pixels_sha256(pixels: "npt.NDArray[np.uint8]") -> str:
    """Hash of a picture's content, whatever file format it was in.

    Args:
        pixels: RGB, shape [height, width, 3].
    """
    digest = hashlib.sha256(repr(pixels.shape).encode())
    digest.update(pixels.tobytes())  # in C order, whatever the layout in memory
    return digest.hexdigest()


def draw_here(document: Path, index: int, dpi: float, max_pixels: int, target: Path) -> str:
    """Draw a page as a PNG file in this process; see `DrawPage`.

    Raises:
        DocumentError: The document is missing or damaged.
        InputError: The picture cannot be written.
    """
    with open_document(document) as opened:
        return _draw(opened, index, dpi, max_pixels, target)


def _draw(document: PdfDocument, index: int, dpi: float, max_pixels: int, target: Path) -> str:
    image = document.render(index, dpi=dpi, max_pixels=max_pixels)
    write_page_image(image, target, "png")
    return pixels_sha256(image.pixels)


class PageDrawer:
    """Draws pages in a child, which starts with the first page. A context manager for one thread.

    Args:
        page_seconds: Longest time for a page. A child that takes longer is killed, and the next page gets
            another.
    """

    def __init__(self, page_seconds: float = DEFAULT_PAGE_SECONDS) -> None:
        self._page_seconds = page_seconds
        self._runner = asyncio.Runner()
        self._child: LineProcess | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._end_child()
        finally:
            self._runner.close()

    def draw(self, document: Path, index: int, dpi: float, max_pixels: int, target: Path) -> str:
        """Draw a page; see `draw_here`.

        Raises:
            SlowPageError: The page was not drawn in time.
            DocumentError: The page cannot be drawn or written; the message of the child says why.
        """
        wish = {
            "document": str(document),
            "index": index,
            "dpi": dpi,
            "max_pixels": max_pixels,
            "target": str(target),
        }
        try:
            return str(self._runner.run(self._ask(wish)))
        except ChildTimeoutError as error:
            self._end_child()
            place = f"Page {index + 1} of {document.name}"
            raise SlowPageError(place, "drawn", self._page_seconds) from error
        except ChildError as error:
            raise DocumentError(error.message, error.hint) from error

    def _end_child(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            self._runner.run(child.close())

    async def _ask(self, wish: Mapping[str, Any]) -> object:
        if self._child is None or not self._child.is_running:
            if self._child is not None:
                await self._child.close()
            self._child = LineProcess(module_command(_MODULE), name=_NAME)
            await self._child.start()
        return await self._child.request("draw", wish, timeout=self._page_seconds, limited=True)


def _setup(notify: Notify) -> tuple[Mapping[str, Handler], dict[str, Any]]:  # noqa: ARG001
    engine.load()  # now, not within the limit of the first page
    opened: dict[str, PdfDocument] = {}  # the last one: neighbouring pages come one after the other

    def draw(document: str, index: int, dpi: float, max_pixels: int, target: str) -> str:
        if document not in opened:
            while opened:
                opened.popitem()[1].close()
            opened[document] = open_document(Path(document))
        return _draw(opened[document], index, dpi, max_pixels, Path(target))

    return {"draw": draw}, {}


if __name__ == "__main__":
    sys.exit(serve_lines(_setup))
