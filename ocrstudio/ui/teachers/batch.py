"""A batch of drafts in a thread of its own, and what is known of it in the window."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from ocrstudio.services.drafting import draft_pages
from ocrstudio.settings.teacher import TeacherConfig
from ocrstudio.store import Workspace
from ocrstudio.tasks import Task
from ocrstudio.ui.background import Background
from ocrstudio.ui.background import Task as Job

if TYPE_CHECKING:
    from ocrstudio.domain.errors import OcrStudioError
    from ocrstudio.teachers.batch import BatchSummary

_LOOK_SECONDS = 0.05
_PATIENCE_SECONDS = 3.0
"""How long a cancelled batch may take before its opening teacher is given up as well."""


@dataclass(frozen=True)
class Failure:
    """A page that failed: id, name and sentence."""

    page_id: int
    name: str
    reason: str

    @property
    def sentence(self) -> str:
        """The reason with the page's name in front; most reasons begin with it."""
        return self.reason if self.reason.startswith(self.name) else f"{self.name}: {self.reason}"


@dataclass
class BatchState:
    """How far a batch is, for the panel."""

    total: int
    teacher: str
    done: int = 0
    failed: int = 0
    flagged: int = 0
    seconds_left: float | None = None
    notice: str = "Preparing the teacher"
    failures: list[Failure] = field(default_factory=list)
    remarks: set[str] = field(default_factory=set)
    running: bool = True
    cancelling: bool = False
    message: str = ""
    started: float = field(default_factory=time.monotonic)


class Batch(QObject):
    """One batch. Lives in the window's thread; its signals arrive there.

    Signals:
        progressed: A `DraftingProgress` for each page.
        noticed: Words of a teacher that gets ready.
        ended: The `BatchSummary`, or None when it was cancelled before the teacher was ready.
        failed: The `OcrStudioError` that ended it.
    """

    progressed = Signal(object)
    noticed = Signal(str)
    ended = Signal(object)
    failed = Signal(object)

    def __init__(self, root: Path, page_ids: list[int], config: TeacherConfig, task: Task) -> None:
        super().__init__()
        self.root = root
        self.page_ids = page_ids
        self._config = config
        self._task = task
        self._job: Job | None = None

    def start(self, background: Background) -> None:
        """Starts it in the pool."""

        def done(summary: "BatchSummary | None") -> None:
            self.ended.emit(summary)

        def failed(problem: "OcrStudioError") -> None:
            self.failed.emit(problem)

        self._job = background.run(self._work, done, failed)

    def cancel(self) -> None:
        """Stops it; finished drafts stay."""
        if self._job is not None:
            self._job.cancel()

    def _work(self, job: Job) -> "BatchSummary | None":
        return asyncio.run(self._draft(lambda: job.cancelled))

    async def _draft(self, is_cancelled: Callable[[], bool]) -> "BatchSummary | None":
        from ocrstudio.teachers.registry import create_teacher

        cancel = asyncio.Event()
        teacher = create_teacher(self._config, progress=self._notice)
        with Workspace.open(self.root) as workspace:
            work = asyncio.create_task(
                draft_pages(
                    workspace,
                    self.page_ids,
                    teacher,
                    self._task,
                    on_progress=self.progressed.emit,
                    cancel=cancel,
                )
            )
            while not work.done() and not is_cancelled():
                await asyncio.wait({work}, timeout=_LOOK_SECONDS)
            cancel.set()
            await asyncio.wait({work}, timeout=_PATIENCE_SECONDS)
            if not work.done():
                work.cancel()
                await asyncio.wait({work})
            return None if work.cancelled() else work.result()

    def _notice(self, notice: Mapping[str, Any]) -> None:
        words = str(notice.get("message", ""))
        if words:
            self.noticed.emit(words)
