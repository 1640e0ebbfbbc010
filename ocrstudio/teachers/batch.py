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
    on_answer: Callable[[PageSource, Draft], None] | None = None,
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
        on_answer: Called with a draft that has text the moment it came, marked as not checked: the teacher
            goes on with other pages while its page is still measured, so that a caller who keeps the draft
            loses no answer when the process is killed. `on_result` follows with the checked one.
        cancel: Set it to stop: no page is started any more, pages in hand are given up, and every result
            that was complete has been handed over.
    """
    queue = deque((page, 1) for page in pages)
    batch = _Batch(teacher, task, queue, on_result, on_answer, cancel or asyncio.Event())
    return await batch.run()


class _Batch:
    """The state of one `run_batch`."""

    def __init__(
        self,
        teacher: Teacher,
        task: Task,
        queue: deque[tuple[PageSource, int]],
        on_result: Callable[[PageResult], None],
        on_answer: Callable[[PageSource, Draft], None] | None,
        cancel: asyncio.Event,
    ) -> None:
        self._teacher = teacher
        self._task = task
        self._queue = queue
        self._on_result = on_result
        self._on_answer = on_answer
        self._cancel = cancel
        self._stop = asyncio.Event()
        self._stopped_by: TeacherUnavailableError | None = None
        self._total = len(queue)
        self._meter = InkMeter(teacher.concurrency)
        self._checks: set[asyncio.Task[None]] = set()
        # A kill loses the answers that wait for their check, unless the caller keeps them: so they are few.
        self._most_checks = max(1, teacher.concurrency)
        self._failure: BaseException | None = None
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
            while self._checks:
                await asyncio.wait(self._checks)
        finally:
            unfinished = (watcher, *workers, *self._checks)
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)
            await self._meter.close()
        if self._failure is not None:
            raise self._failure
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
                while len(self._checks) > self._most_checks:
                    await asyncio.wait(self._checks, return_when=asyncio.FIRST_COMPLETED)
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
        finally:
            if not draft.done():
                draft.cancel()
                await asyncio.wait({draft})
            answer = _answer_of(draft)
            if answer is None:
                measuring.cancel()
                await asyncio.wait({measuring})
        if answer is not None:
            if not measuring.done():
                self._hand_over(page, answer)
            self._check_aside(page, answer, measuring)
        elif not draft.cancelled():
            self._take_failure(page, attempt, draft.exception())

    def _hand_over(self, page: PageSource, answer: Draft | EmptyAnswerError) -> None:
        if self._on_answer is None:
            return
        unchecked = checked(page, answer, _not_measured(page), whole_page=self._task.whole_page)
        if isinstance(unchecked, Draft):
            self._on_answer(page, unchecked)

    def _check_aside(
        self, page: PageSource, answer: Draft | EmptyAnswerError, measuring: asyncio.Task[PageInk | str]
    ) -> None:
        """Check an answer in a task of its own: the teacher goes on with the next page meanwhile."""
        check = asyncio.create_task(self._check(page, answer, measuring))
        self._checks.add(check)
        check.add_done_callback(self._checked)

    def _checked(self, check: asyncio.Task[None]) -> None:
        self._checks.discard(check)
        if not check.cancelled() and check.exception() is not None:
            self._failure = self._failure or check.exception()
            self._stop.set()

    async def _check(
        self, page: PageSource, answer: Draft | EmptyAnswerError, measuring: asyncio.Task[PageInk | str]
    ) -> None:
        """Take an answer when its page has been measured, or the batch is stopped."""
        stop = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({measuring, stop}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.cancel()
            measuring.cancel()
            await asyncio.wait({measuring})
        self._take_answer(page, answer, _not_measured(page) if measuring.cancelled() else measuring.result())

    def _take_failure(self, page: PageSource, attempt: int, error: BaseException | None) -> None:
        if isinstance(error, TeacherUnavailableError):
            self._stopped_by = self._stopped_by or error
            self._stop.set()
        elif not isinstance(error, OcrStudioError):
            raise error or AssertionError("a draft without an error has an answer")
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


def _not_measured(page: PageSource) -> str:
    return f"{page.key} was not measured."


def _answer_of(draft: asyncio.Task[Draft]) -> Draft | EmptyAnswerError | None:
    """What there is to hold against the page, or None."""
    if draft.cancelled():
        return None
    error = draft.exception()
    if error is None:
        return draft.result()
    return error if isinstance(error, EmptyAnswerError) else None
