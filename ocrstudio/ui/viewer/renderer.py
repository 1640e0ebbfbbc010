"""Pictures of pages: asks the render process for them, keeps the last ones, and draws neighbours ahead."""

import contextlib
import json
import subprocess
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from ocrstudio.domain.errors import DocumentError, OcrStudioError, SlowPageError
from ocrstudio.jobs.command_line import module_command
from ocrstudio.pdf import DEFAULT_PAGE_SECONDS

_MODULE = "ocrstudio.ui.viewer.render_process"
_STEPS = (12, 24, 48, 72, 96, 128, 170, 228, 304, 405, 540, 720)
_END_TIMEOUT = 3.0
_STUCK_SECONDS = 8.0


@dataclass(frozen=True)
class PageKey:
    """Which page: a document file and a zero-based page index."""

    document: Path
    index: int


@dataclass(frozen=True)
class RenderedPage:
    """A picture of a page.

    Attributes:
        key: The page.
        image: The pixels.
        asked_dpi: The step of resolution that was asked for.
        warnings: Sentences about this page.
    """

    key: PageKey
    image: QImage
    asked_dpi: int
    warnings: tuple[str, ...] = ()


def resolution_step(dpi: float) -> int:
    """The smallest step that is at least ``dpi``; small changes of zoom then reuse a picture."""
    return next((step for step in _STEPS if step >= dpi), _STEPS[-1])


class PageCache:
    """The last pictures, one for each page, up to a number of bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pages: OrderedDict[PageKey, RenderedPage] = OrderedDict()
        self._bytes = 0

    @property
    def bytes(self) -> int:
        """Memory of the pictures held."""
        return self._bytes

    def get(self, key: PageKey) -> RenderedPage | None:
        """The picture of a page, which becomes the most recent one."""
        page = self._pages.get(key)
        if page is not None:
            self._pages.move_to_end(key)
        return page

    def put(self, page: RenderedPage) -> None:
        """Keeps a picture in place of an earlier one of the page; the oldest are dropped."""
        self._drop(page.key)
        self._pages[page.key] = page
        self._bytes += page.image.sizeInBytes()
        while self._bytes > self._limit and len(self._pages) > 1:
            self._drop(next(iter(self._pages)))

    def set_limit(self, limit: int) -> None:
        """Sets the number of bytes; it is kept from the next picture on."""
        self._limit = limit

    def clear(self) -> None:
        """Forgets everything."""
        self._pages.clear()
        self._bytes = 0

    def _drop(self, key: PageKey) -> None:
        old = self._pages.pop(key, None)
        if old is not None:
            self._bytes -= old.image.sizeInBytes()


@dataclass(frozen=True)
class _Job:
    """A page to draw; a small one is a thumbnail, which has no place among the pictures of pages."""

    key: PageKey
    step: int
    small: bool = False


class PageRenderer(QObject):
    """Draws pages in the background.

    One thread talks to one render process. The page that the user wants comes first; of several wanted
    pages only the last is drawn, the others were only passed by. Then come its neighbours, then thumbnails.

    Attributes:
        cache: The last pictures.
        page_seconds: Longest time for a page; the process that takes longer is killed and replaced.

    Signals:
        rendered: A `RenderedPage`.
        failed: A `PageKey` and an `OcrStudioError`.
        small_drawn: A `PageKey` and the `QImage` of its thumbnail, which is null when it cannot be drawn.
    """

    rendered = Signal(object)
    failed = Signal(object, object)
    small_drawn = Signal(object, object)
    _finished = Signal(object, object)

    def __init__(
        self, cache_bytes: int, page_seconds: float = DEFAULT_PAGE_SECONDS, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.page_seconds = page_seconds
        self.cache = PageCache(cache_bytes)
        self._condition = threading.Condition()
        self._wanted: _Job | None = None
        self._ahead: list[_Job] = []
        self._small: list[_Job] = []
        self._stopping = False
        self._busy_since: float | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._is_ready = False
        self._thread: threading.Thread | None = None
        self._finished.connect(self._deliver)

    def cached(self, key: PageKey) -> RenderedPage | None:
        """The picture if it is there already, at whatever resolution."""
        return self.cache.get(key)

    def warm_up(self) -> None:
        """Starts the render process, which takes a moment, before the first page is wanted."""
        self._ensure_thread()

    def request(self, key: PageKey, dpi: float) -> None:
        """Asks for a picture of at least ``dpi`` (up to the highest step); it comes with `rendered`."""
        step = resolution_step(dpi)
        known = self.cache.get(key)
        if known is not None and known.asked_dpi >= step:
            self.rendered.emit(known)
            return
        with self._condition:
            self._wanted = _Job(key, step)
            self._condition.notify()
            busy, process = self._busy_since, self._process
        if process is not None and busy is not None and time.monotonic() - busy > _STUCK_SECONDS:
            process.kill()  # a page that takes so long must not keep the others away
        self._ensure_thread()

    def draw_ahead(self, keys: list[PageKey], dpi: float) -> None:
        """Draws these pages when nothing else is wanted, in this order, in place of earlier wishes."""
        step = resolution_step(dpi)
        missing = [key for key in keys if self._is_poorer(key, step)]
        with self._condition:
            self._ahead = [_Job(key, step) for key in missing]
            self._condition.notify()
        if missing:
            self._ensure_thread()

    def draw_small(self, keys: list[PageKey]) -> None:
        """Draws thumbnails when there is nothing else to draw, in this order, in place of earlier wishes."""
        with self._condition:
            self._small = [_Job(key, _STEPS[0], small=True) for key in keys]
            self._condition.notify()
        if keys:
            self._ensure_thread()

    def forget(self) -> None:
        """Drops all pictures and wishes (another workspace was opened)."""
        with self._condition:
            self._wanted = None
            self._ahead, self._small = [], []
        self.cache.clear()

    def shutdown(self) -> None:
        """Ends the thread and the process; may be called at any time."""
        with self._condition:
            self._stopping = True
            self._condition.notify()
            process = self._process
        if process is not None:
            process.kill()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _is_poorer(self, key: PageKey, step: int) -> bool:
        known = self.cache.get(key)
        return known is None or known.asked_dpi < step

    def _deliver(self, job: _Job, outcome: RenderedPage | OcrStudioError) -> None:
        if job.small:
            self.small_drawn.emit(job.key, outcome.image if isinstance(outcome, RenderedPage) else QImage())
        elif isinstance(outcome, RenderedPage):
            self.cache.put(outcome)
            self.rendered.emit(outcome)
        else:
            self.failed.emit(job.key, outcome)

    def _ensure_thread(self) -> None:
        if self._thread is None and not self._stopping:
            self._thread = threading.Thread(target=self._work, name="page renderer", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        with contextlib.suppress(DocumentError):  # the first page tries again and says why
            self._running_process()
        while (job := self._next_job()) is not None:
            self._busy_since = time.monotonic()
            try:
                page = self._draw(job.key, job.step)
            except OcrStudioError as problem:
                self._report(job, problem)
            else:
                self._report(job, page)
            finally:
                self._busy_since = None
        self._end_process()

    def _report(self, job: _Job, outcome: RenderedPage | OcrStudioError) -> None:
        if not self._stopping:
            self._finished.emit(job, outcome)

    def _next_job(self) -> _Job | None:
        with self._condition:
            while not self._stopping:
                if self._wanted is not None:
                    job, self._wanted = self._wanted, None
                    return job
                for waiting in (self._ahead, self._small):
                    if waiting:
                        return waiting.pop(0)
                self._condition.wait()
        return None

    def _draw(self, key: PageKey, step: int) -> RenderedPage:
        process = self._running_process()
        if process.stdin is None or process.stdout is None:
            raise DocumentError("The process that draws pages has no pipes.")
        limit = self.page_seconds
        request = {"document": str(key.document), "page": key.index, "dpi": float(step), "limit": limit}
        if not self._is_ready:
            self._is_ready = process.stdout.readline() != b""  # its start is not the page's fault
        too_late = threading.Timer(limit, process.kill)
        too_late.start()
        started = time.monotonic()
        try:
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            answer, pixels = _read_answer(process.stdout)
        except OSError:
            answer, pixels = None, b""
        finally:
            too_late.cancel()
        if answer is None:
            self._end_process()
            if time.monotonic() - started >= limit:
                raise SlowPageError(f"Page {key.index + 1} of {key.document.name}", "drawn", limit)
            raise DocumentError(
                f"The process that draws pages ended at page {key.index + 1} of {key.document.name}.",
                "Select the page again; if it happens each time, the file is damaged.",
            )
        if "error" in answer:
            raise DocumentError(answer["error"], answer["hint"])
        width, height = answer["width"], answer["height"]
        image = QImage(pixels, width, height, width * 3, QImage.Format.Format_RGB888)
        # The conversion copies, so the picture no longer leans on the bytes; 32 bits a pixel are painted
        # faster.
        picture = image.convertToFormat(QImage.Format.Format_RGB32)
        return RenderedPage(key, picture, step, tuple(answer["warnings"]))

    def _running_process(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is not None:
            self._end_process()  # it died while nobody waited for it
        with self._condition:
            if self._stopping:
                raise DocumentError("The window is closing.")
            if self._process is None:
                try:
                    self._process = subprocess.Popen(
                        module_command(_MODULE), stdin=subprocess.PIPE, stdout=subprocess.PIPE
                    )
                except OSError as error:
                    raise DocumentError(
                        f"The process that draws pages cannot be started: {error.strerror}.",
                        "Close other programs; the machine may be out of memory.",
                    ) from error
            return self._process

    def _end_process(self) -> None:
        with self._condition:
            process, self._process = self._process, None
            self._is_ready = False
        if process is None:
            return
        process.kill()
        process.wait(_END_TIMEOUT)
        for pipe in (process.stdin, process.stdout):
            _close_quietly(pipe)


def _read_answer(stream: IO[bytes]) -> tuple[dict[str, Any] | None, bytes]:
    """The header and the pixels of an answer; no header when the process ended before the last byte.

    A picture that is shorter than its header says would be read beyond its end.
    """
    header = stream.readline()
    if not header.endswith(b"\n"):
        return None, b""
    answer: dict[str, Any] = json.loads(header)
    if "error" in answer:
        return answer, b""
    size = answer["width"] * answer["height"] * 3
    pixels = stream.read(size)
    return (answer, pixels) if len(pixels) == size else (None, b"")


def _close_quietly(pipe: IO[bytes] | None) -> None:
    """Closes a pipe to a process that is gone; what could not be written no longer matters."""
    if pipe is None:
        return
    try:
        pipe.close()
    except BrokenPipeError:
        return
