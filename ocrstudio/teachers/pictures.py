"""Pictures of pages for teachers, drawn in child processes; see `picture_process` for why."""

import asyncio
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from ocrstudio.domain.errors import InputError, SlowPageError, TeacherError
from ocrstudio.jobs.command_line import module_command
from ocrstudio.jobs.line_pool import LinePool
from ocrstudio.jobs.line_process import ChildError, ChildTimeoutError
from ocrstudio.teachers.base import PageSource
from ocrstudio.teachers.page_image import EncodedImage, ready_picture

_MODULE = "ocrstudio.teachers.picture_process"
_NAME = "The process that draws pages"
_MOST_CHILDREN = 4
"""Each takes about 150 MB; four prepare pages faster than any server answers."""


class Pictures:
    """Draws pages for one teacher. Open and close it with the teacher.

    Args:
        at_once: Pages that are wanted at once.
    """

    def __init__(self, at_once: int) -> None:
        count = max(1, min(at_once, os.cpu_count() or 1, _MOST_CHILDREN))
        self._pool = LinePool(module_command(_MODULE), name=_NAME, count=count)
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def open(self) -> None:
        """Make room; a child starts with the first page that has to be drawn."""
        self._folder = tempfile.TemporaryDirectory(prefix="ocrstudio-pages-")
        self._pool.open()

    async def close(self) -> None:
        """End the children and remove what they have drawn."""
        await self._pool.close()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    async def encoded(
        self, page: PageSource, image_format: Literal["png", "jpg"], max_side: int | None
    ) -> EncodedImage:
        """The picture of a page in memory; see `encode_page`.

        Raises:
            InputError: The picture or the document cannot be read.
            SlowPageError: It was not drawn within its limit.
            TeacherError: The page has neither, or the child crashed on it.
        """
        ready = await asyncio.to_thread(ready_picture, page, image_format, max_side)
        if ready is not None:
            return ready
        path, facts = await self._draw(page, image_format, max_side)
        try:
            data = await asyncio.to_thread(path.read_bytes)
        finally:
            path.unlink(missing_ok=True)
        return EncodedImage(
            data, str(facts["mime"]), int(facts["width"]), int(facts["height"]), tuple(facts["remarks"])
        )

    async def file(self, page: PageSource) -> tuple[Path, tuple[str, ...]]:
        """The picture of a page as a PNG file, which belongs to the caller, and sentences about its drawing.

        Raises as `encoded` does.
        """
        path, facts = await self._draw(page, "png", None)
        return path, tuple(facts["remarks"])

    async def save(self, page: PageSource, target: Path) -> tuple[str, ...]:
        """Write the picture of a page as a PNG file of the caller's; returns sentences about its drawing.

        Raises as `encoded` does, and InputError when the file cannot be written.
        """
        facts = await self._ask("save", page, {"target": str(target.absolute())})
        return tuple(facts["remarks"])

    async def _draw(
        self, page: PageSource, image_format: str, max_side: int | None
    ) -> tuple[Path, dict[str, Any]]:
        if self._folder is None:
            raise TeacherError("The teacher is not open.")
        handle, name = tempfile.mkstemp(suffix=f".{image_format}", dir=self._folder.name)
        os.close(handle)
        wish = {"image_format": image_format, "max_side": max_side, "target": name}
        try:
            return Path(name), await self._ask("picture", page, wish)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    async def _ask(self, method: str, page: PageSource, wish: Mapping[str, Any]) -> dict[str, Any]:
        source = asdict(page)
        for key in ("image", "document"):
            source[key] = None if source[key] is None else str(source[key])
        try:
            facts = await self._pool.request(method, {"page": source, **wish}, timeout=page.max_seconds)
        except ChildTimeoutError as error:
            raise SlowPageError(page.key, "drawn", page.max_seconds) from error
        except ChildError as error:
            if error.retryable:  # it crashed
                raise TeacherError(f"{page.key}: {error.message}", error.hint) from error
            raise InputError(error.message, error.hint) from error
        return dict(facts)
