"""Sends many pages through a teacher: bounded, isolated from each other, cancellable.

All drafts pass here, whoever asks and however many there are; so here each is held against its page.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.domain.wording import count_of
from ocrstudio.tasks import Task
from ocrstudio.teachers.base import Draft, PageSource, Teacher
from ocrstudio.teachers.checking import checked
from ocrstudio.teachers.errors import EmptyAnswerError, TeacherUnavailableError
from ocrstudio.teachers.page_ink import InkMeter, PageInk

_ROUNDS = 2  # a page with a retryable error gets a second chance after all the others


@dataclass(frozen=True)
class PageResult:
    """What became of one page: exactly one of `draft` and `error` is set.

    Attributes:
        page: The page.
        draft: With the check in its parameters; its text is empty only where the page is blank.
        error: Why there is none.
    """

    page: PageSource
    draft: Draft | None = None
    error: OcrStudioError | None = None


@dataclass(frozen=True)
class BatchSummary:
    """The end of a batch.

    Attributes:
        total: Pages asked for.
        done: Pages with a draft that has text.
        blank: Blank pages; their drafts have none.
        failed: Pages that failed.
        cancelled: Whether the user stopped it before all pages were through.
        stopped_by: Why the teacher could not go on, or None.
        seconds: Wall time.
    """

    total: int
    done: int
    failed: int
    cancelled: bool
    stopped_by: TeacherUnavailableError | None
    seconds: float
    blank: int = 0

    @property
    def untouched(self) -> int:
        """Pages that have neither a draft nor an error; a later batch may take them."""
        return self.total - self.done - self.blank - self.failed


def stopped_early(reason: OcrStudioError, through: int, left: int) -> OcrStudioError:
    """What to say of a batch that its teacher ended: how far it came, why, and that the rest was not touched.

    Args:
        reason: `BatchSummary.stopped_by`.
        through: Pages with a draft or a failure.
        left: `BatchSummary.untouched`.
    """
    when = f"after {count_of(through, 'page')}" if through else "before the first page was through"
    rest = f" {count_of(left, 'page')} {'was' if left == 1 else 'were'} not tried." if left else ""
    return OcrStudioError(f"Stopped {when}: {reason.message}{rest}", reason.hint)


async def run_batch(
    teacher: Teacher,
    pages: Sequence[PageSource],
    task: Task,
    *,
    on_result: Callable[[PageResult], None],
    cancel: asyncio.Event | None = None,
) -> BatchSummary:
    """Draft pages with as many in hand as the teacher can take, in order.

    The teacher must be open. The failure of a page never stops the others; a `TeacherUnavailableError` ends
    the batch and leaves the remaining pages untouched. A page fails when its draft has no text although there
    is something on it.

    Args:
        teacher: Who drafts.
        pages: What to draft.
        task: The prompt.
        on_result: Called in the event loop the moment a page is through, in order of completion. An
            exception it raises ends the batch and is passed on.
        cancel: Set it to stop: no page is started any more, pages in hand are given up, and every result
            that was complete has been handed over.
    """
    batch = _Batch(teacher, task, deque((page, 1) for page in pages), on_result, cancel or asyncio.Event())
    return await batch.run()


class _Batch:
    """The state of one `run_batch`."""

    def __init__(
        self,
        teacher: Teacher,
        task: Task,
        queue: deque[tuple[PageSource, int]],
        on_result: Callable[[PageResult], None],
        cancel: asyncio.Event,
    ) -> None:
        self._teacher = teacher
        self._task = task
        self._queue = queue
        self._on_result = on_result
        self._cancel = cancel
        self._stop = asyncio.Event()
        self._stopped_by: TeacherUnavailableError | None = None
        self._total = len(queue)
        self._meter = InkMeter(teacher.concurrency)
        self._done = 0
        self._blank = 0
        self._failed = 0

    async def run(self) -> BatchSummary:
        started = time.monotonic()
        watcher = asyncio.create_task(self._stop_when_cancelled())
        workers = [
            asyncio.create_task(self._work())
            for _ in range(min(max(1, self._teacher.concurrency), self._total))
        ]
        try:
            await asyncio.gather(*workers)
        finally:
            for unfinished in (watcher, *workers):
                unfinished.cancel()
            await asyncio.gather(watcher, *workers, return_exceptions=True)
            await self._meter.close()
        summary = BatchSummary(
            total=self._total,
            done=self._done,
            failed=self._failed,
            cancelled=False,
            stopped_by=self._stopped_by,
            seconds=time.monotonic() - started,
            blank=self._blank,
        )
        return replace(summary, cancelled=self._cancel.is_set() and summary.untouched > 0)

    async def _stop_when_cancelled(self) -> None:
        await self._cancel.wait()
        self._stop.set()

    async def _work(self) -> None:
        stop = asyncio.create_task(self._stop.wait())
        try:
            while self._queue and not self._stop.is_set() and not self._cancel.is_set():
                page, attempt = self._queue.popleft()
                await self._one(page, attempt, stop)
        finally:
            stop.cancel()

    async def _one(self, page: PageSource, attempt: int, stop: asyncio.Task[bool]) -> None:
        """Draft one page, unless the batch is stopped first; meanwhile its picture is measured.

        The draft runs in a task of its own: cancelling the task that waits for it could throw away a result
        that is already there.
        """
        draft = asyncio.create_task(self._teacher.draft(page, self._task))
        measuring = asyncio.create_task(self._meter.measure(page))
        try:
            await asyncio.wait({draft, stop}, return_when=asyncio.FIRST_COMPLETED)
            if draft.done() and _is_answer(draft):
                await asyncio.wait({measuring, stop}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not draft.done():
                draft.cancel()
                await asyncio.wait({draft})
            measuring.cancel()
            await asyncio.wait({measuring})
        if not draft.cancelled():
            stopped = f"{page.key} was not measured."
            self._take(page, attempt, draft, stopped if measuring.cancelled() else measuring.result())

    def _take(
        self, page: PageSource, attempt: int, draft: asyncio.Task[Draft], measured: PageInk | str
    ) -> None:
        error = draft.exception()
        if error is None or isinstance(error, EmptyAnswerError):
            self._take_answer(page, error or draft.result(), measured)
        elif isinstance(error, TeacherUnavailableError):
            self._stopped_by = self._stopped_by or error
            self._stop.set()
        elif not isinstance(error, OcrStudioError):
            raise error
        elif getattr(error, "retryable", False) and attempt < _ROUNDS:
            self._queue.append((page, attempt + 1))
        else:
            self._failed += 1
            self._on_result(PageResult(page, error=error))

    def _take_answer(
        self, page: PageSource, answer: Draft | EmptyAnswerError, measured: PageInk | str
    ) -> None:
        outcome = checked(page, answer, measured, whole_page=self._task.whole_page)
        if isinstance(outcome, EmptyAnswerError):
            self._failed += 1
            self._on_result(PageResult(page, error=outcome))
            return
        if outcome.text.strip():
            self._done += 1
        else:
            self._blank += 1
        self._on_result(PageResult(page, draft=outcome))


def _is_answer(draft: asyncio.Task[Draft]) -> bool:
    """Whether there is something to hold against the page."""
    return not draft.cancelled() and (
        draft.exception() is None or isinstance(draft.exception(), EmptyAnswerError)
    )
