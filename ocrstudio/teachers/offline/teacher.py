"""The parent's side: a small pool of child processes, each reading one page at a time."""

import asyncio
import json
import os
import time
from typing import Any

from ocrstudio.domain.errors import SlowPageError, TeacherError
from ocrstudio.domain.region import region_from_row
from ocrstudio.jobs.command_line import module_command
from ocrstudio.jobs.line_pool import LinePool
from ocrstudio.jobs.line_process import ChildError, ChildTimeoutError
from ocrstudio.settings.teacher import OfflineConfig
from ocrstudio.tasks import Task
from ocrstudio.teachers.base import DOUBTFUL, RUNAWAY, Draft, PageSource
from ocrstudio.teachers.errors import NO_TEXT, EmptyAnswerError
from ocrstudio.teachers.offline.tesseract import require_tesseract
from ocrstudio.teachers.postprocessing import finish

_MODULE = "ocrstudio.teachers.offline"
_NAME = "The offline reader"


class OfflineTeacher:
    """Text layer and classical OCR. It takes no prompt: every task gets the Markdown of the page.

    Args:
        config: The section ``offline``.
        model_type: Post-processing of the output, as for every teacher.
        timeout: Seconds for one page.
        concurrency: Child processes at most; each holds 1.0 to 1.6 GB while it reads scans.
    """

    network = False

    def __init__(self, config: OfflineConfig, model_type: str, *, timeout: float, concurrency: int) -> None:
        self._config = config
        self._model_type = model_type
        self._timeout = timeout
        self._count = max(1, min(concurrency, os.cpu_count() or 1))
        options = {
            "method": config.method,
            "ocr_engine": config.ocr_engine,
            "languages": list(config.languages),
            "reading_order": config.reading_order,
            "dpi": config.dpi,
            "threads": max(1, (os.cpu_count() or 1) // self._count),
        }
        self._pool = LinePool(module_command(_MODULE, json.dumps(options)), name=_NAME, count=self._count)

    @property
    def id(self) -> str:
        """``offline``, with the method when it is not the automatic choice."""
        return "offline" if self._config.method == "auto" else f"offline-{self._config.method}"

    @property
    def concurrency(self) -> int:
        """One page for each child."""
        return self._count

    async def open(self) -> None:
        """Make room for the children; each starts with its first page.

        Raises:
            TeacherUnavailableError: Tesseract is wanted and not installed.
        """
        if self._config.ocr_engine == "tesseract" and self._config.method != "text_layer":
            await asyncio.to_thread(require_tesseract, self._config.languages)
        self._pool.open()

    async def draft(self, page: PageSource, task: Task) -> Draft:  # noqa: ARG002 - the protocol
        """Read one page in a free child.

        Raises:
            SlowPageError: It was not read within its limit.
            TeacherError: The page has no readable text, or the child crashed on it.
        """
        started = time.monotonic()
        limit, setting = min(
            (page.max_seconds, "max_page_seconds in the settings"),
            (self._timeout, "request.timeout of the teacher"),
        )
        try:
            record = await self._pool.request("draft", _request(page), timeout=limit)
        except ChildTimeoutError as error:
            raise SlowPageError(page.key, "read", limit, setting) from error
        except ChildError as error:
            kind = EmptyAnswerError if error.message == NO_TEXT else TeacherError
            raise kind(f"{page.key}: {error.message}", error.hint) from error
        return self._draft(record, time.monotonic() - started)

    async def close(self) -> None:
        """End the children."""
        await self._pool.close()

    def _draft(self, record: dict[str, Any], seconds: float) -> Draft:
        text, regions, flags = finish(record["markdown"], self._model_type)
        if record["method"] == "text_layer":
            flags = tuple(flag for flag in flags if flag != RUNAWAY)  # a true table may repeat itself
        return Draft(
            text=text,
            raw=record["markdown"],
            regions=regions or tuple(map(region_from_row, record["regions"])),
            parameters={
                "method": record["method"],
                "reading_order": self._config.reading_order,
                "dpi": self._config.dpi,
                "unread": record["unread"],
                "letters_found": record["letters_found"],
                "letters_kept": record["letters_kept"],
                "seconds": round(seconds, 3),
            },
            flags=(*flags, DOUBTFUL) if record["doubtful"] else flags,
            remarks=tuple(record["remarks"]),
            seconds=seconds,
        )


def _request(page: PageSource) -> dict[str, Any]:
    return {
        "document": None if page.document is None else str(page.document),
        "page_index": page.page_index,
        "password": page.password,
        "image": None if page.image is None else str(page.image),
        "max_pixels": page.max_pixels,
    }
