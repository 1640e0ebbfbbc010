"""Seconds-long work off the window's thread.

`Background.run` calls a function in a thread pool and brings its result, its progress or its failure back
to the window's thread. Work that takes longer than a moment reads ``task.cancelled`` and reports through
``task.report``. Anything that loads torch belongs into a worker process instead.
"""

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from PySide6.QtCore import QObject, QRunnable, QThreadPool, Signal

from ocrstudio.domain.errors import OcrStudioError

T = TypeVar("T")


@dataclass(frozen=True)
class Progress:
    """How far a task is; ``total`` 0 means unknown."""

    done: int
    total: int
    text: str = ""


class Task(QObject):
    """A piece of background work, as seen from both sides. Lives in the window's thread.

    Signals:
        progressed: A `Progress`.
        ended: The outcome has been handed over.
    """

    progressed = Signal(object)
    ended = Signal()
    _outcome = Signal(object, object)

    def __init__(
        self, title: str, on_success: Callable[[Any], None], on_failure: Callable[[OcrStudioError], None]
    ) -> None:
        super().__init__()
        self.title = title
        self._on_success = on_success
        self._on_failure = on_failure
        self._cancel = threading.Event()
        self._is_dropped = False
        # The receiver is this object: emitted in a pool thread, the signal is queued to the window's thread.
        self._outcome.connect(self._hand_over)

    @property
    def cancelled(self) -> bool:
        """Whether the work should stop at the next good place."""
        return self._cancel.is_set()

    def cancel(self) -> None:
        """Asks the work to stop."""
        self._cancel.set()

    def report(self, done: int, total: int, text: str = "") -> None:
        """Tells the window how far the work is (called by the work)."""
        self.progressed.emit(Progress(done, total, text))

    def finish(self, result: object, problem: BaseException | None) -> None:
        """Sends the outcome to the window's thread (called in the pool thread)."""
        self._outcome.emit(result, problem)

    def drop(self) -> None:
        """Nobody wants the outcome any more: one that is on its way is not delivered."""
        self.cancel()
        self._is_dropped = True

    def _hand_over(self, result: object, problem: BaseException | None) -> None:
        if self._is_dropped:
            return
        try:
            if problem is None:
                self._on_success(result)
            elif isinstance(problem, OcrStudioError):
                self._on_failure(problem)
            else:
                sys.excepthook(type(problem), problem, problem.__traceback__)
        finally:
            self.ended.emit()


class _Runnable(QRunnable):
    """Carries the function into the pool."""

    def __init__(self, task: Task, work: Callable[[Task], Any]) -> None:
        super().__init__()
        self._task = task
        self._work = work

    def run(self) -> None:
        """Runs in a pool thread."""
        try:
            result = self._work(self._task)
        except BaseException as problem:  # noqa: BLE001 - handed to the window's thread, which shows or raises it
            self._task.finish(None, problem)
        else:
            self._task.finish(result, None)


class Background(QObject):
    """Runs tasks in a pool of its own and waits for them when the window closes."""

    def __init__(self, show_failure: Callable[[OcrStudioError], None], threads: int = 3) -> None:
        super().__init__()
        self._show_failure = show_failure
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(threads)
        self._tasks: set[Task] = set()

    @property
    def busy(self) -> bool:
        """Whether any task is running or its outcome is still to be delivered."""
        return bool(self._tasks)

    @property
    def titles(self) -> list[str]:
        """Titles of the running tasks that have one: those that the user has started and sees."""
        return [task.title for task in self._tasks if task.title]

    def run(
        self,
        work: Callable[[Task], T],
        on_success: Callable[[T], None],
        on_failure: Callable[[OcrStudioError], None] | None = None,
        *,
        title: str = "",
    ) -> Task:
        """Starts ``work`` in the pool.

        Args:
            work: Called in a pool thread with its `Task`; must not touch widgets.
            on_success: Called in the window's thread with the result.
            on_failure: Called in the window's thread with an `OcrStudioError`; by default it is shown.
                Every other exception is a fault of the program and goes to ``sys.excepthook``.
            title: Words for a progress row.
        """
        task = Task(title, on_success, on_failure or self._show_failure)
        self._tasks.add(task)
        task.ended.connect(lambda: self._tasks.discard(task))
        self._pool.start(_Runnable(task, work))
        return task

    def shutdown(self) -> None:
        """Cancels what runs and waits for it; outcomes that were not delivered are dropped."""
        for task in self._tasks:
            task.drop()
        self._pool.waitForDone()
        self._tasks.clear()
