"""Runs batches one after another, shows how far they are, and hands new drafts to the rest of the window."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from ocrstudio.domain.document import PageStatus
from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.domain.wording import count_of, duration
from ocrstudio.services.drafting import DraftingProgress
from ocrstudio.settings.teacher import TeacherConfig
from ocrstudio.tasks import Task
from ocrstudio.ui.background import Background
from ocrstudio.ui.messages import Level, Message, Messages
from ocrstudio.ui.session import Session
from ocrstudio.ui.teachers.batch import Batch, BatchState, Failure
from ocrstudio.ui.teachers.batch_view import BatchView

if TYPE_CHECKING:
    from ocrstudio.teachers.batch import BatchSummary

_FLUSH_MS = 100


class Drafts(QObject):
    """The batches of the open workspace; one runs at a time.

    Args:
        session: Told which pages have changed.
        view: Shows the batch.
        background: Where batches run.
        messages: Where outcomes are said.

    Signals:
        ended: A batch is through, for whatever reason.
    """

    ended = Signal()

    def __init__(self, session: Session, view: BatchView, background: Background, messages: Messages) -> None:
        super().__init__(view)
        self._session = session
        self._view = view
        self._background = background
        self._messages = messages
        self._batch: Batch | None = None
        self._state: BatchState | None = None
        self._changed: dict[int, None] = {}
        self._flush = QTimer(self)
        self._flush.setSingleShot(True)
        self._flush.setInterval(_FLUSH_MS)
        self._flush.timeout.connect(self._show_progress)
        view.cancel_requested.connect(self.cancel)
        view.page_chosen.connect(session.choose_page)

    @property
    def busy(self) -> bool:
        """Whether a batch is running."""
        return self._batch is not None

    @property
    def unfinished(self) -> str:
        """A sentence on the running batch, or nothing."""
        if self._batch is None or self._state is None:
            return ""
        done = self._state.done + self._state.failed
        return f"A batch is running: {done:,} of {count_of(self._state.total, 'page')} done."

    @property
    def failed_pages(self) -> list[int]:
        """Ids of the pages that failed in the last batch."""
        return [failure.page_id for failure in self._state.failures] if self._state is not None else []

    def begin(self, page_ids: list[int], config: TeacherConfig, task: Task, teacher: str) -> None:
        """Starts a batch.

        Args:
            page_ids: What to draft.
            config: The teacher's configuration.
            task: The prompt.
            teacher: Name of the teacher, for the heading.
        """
        if not page_ids or self.busy:
            return
        batch = Batch(self._session.root, page_ids, config, task)
        batch.progressed.connect(self._take)
        batch.noticed.connect(self._notice)
        batch.ended.connect(self._finish)
        batch.failed.connect(self._fail)
        self._batch, self._state = batch, BatchState(len(page_ids), teacher)
        batch.start(self._background)
        self._view.show_state(self._state)

    def cancel(self) -> None:
        """Stops the running batch; finished drafts stay."""
        if self._batch is not None and self._state is not None:
            self._state.cancelling = True
            self._batch.cancel()
            self._view.show_state(self._state)

    def close(self) -> None:
        """The workspace is being closed: what is running is cancelled and heard no more."""
        self._flush.stop()
        self._changed.clear()
        if self._batch is not None:
            self._batch.cancel()
        self._batch = self._state = None
        self._view.show_state(None)

    # From the batch. A batch of a workspace that was closed meanwhile is not listened to.

    def _take(self, progress: DraftingProgress) -> None:
        state = self._state
        if state is None or self.sender() is not self._batch:
            return
        state.done, state.failed, state.seconds_left = progress.done, progress.failed, progress.seconds_left
        for remark in progress.remarks:
            if remark not in state.remarks:  # the first is shown, the others are for the log
                self._messages.post(Message(Level.WARNING, remark, quiet=bool(state.remarks)))
                state.remarks.add(remark)
        page_id = progress.page_id
        if progress.error is not None:
            state.failures.append(Failure(page_id, self._name_of(page_id), str(progress.error)))
        elif self._is_flagged(page_id):
            state.flagged += 1
        self._changed[page_id] = None
        if not self._flush.isActive():
            self._flush.start()

    def _notice(self, words: str) -> None:
        if self._state is not None and self.sender() is self._batch:
            self._state.notice = words
            self._view.show_state(self._state)

    def _finish(self, summary: "BatchSummary | None") -> None:
        if self._state is None or self.sender() is not self._batch:
            return
        if summary is None:
            message = "Cancelled before the teacher was ready; no page was changed."
        elif summary.stopped_by is not None:
            from ocrstudio.teachers.batch import stopped_early

            stop = stopped_early(summary.stopped_by, summary.done + summary.failed, summary.untouched)
            message = str(stop)
            self._messages.failure(stop)
        elif summary.cancelled:
            message = f"Cancelled. {_left_out(summary.untouched)}"
        else:
            message = f"Done in {duration(summary.seconds)}."
            if summary.total > 1:
                blank = f"{summary.blank:,} blank, " if summary.blank else ""
                drafted = count_of(summary.done, "page")
                self._messages.info(f"{drafted} drafted, {blank}{summary.failed:,} failed.")
        self._end(message)

    def _fail(self, problem: OcrStudioError) -> None:
        if self._state is not None and self.sender() is self._batch:
            self._messages.failure(problem)
            self._end(str(problem))

    def _end(self, message: str) -> None:
        batch, state = self._batch, self._state
        if batch is None or state is None:
            return
        self._batch = None
        state.running = False
        state.message = message
        self._flush.stop()
        self._show_progress()
        if len(batch.page_ids) == 1 and state.done == 1:
            self._tell_single(batch.page_ids[0])
        batch.deleteLater()
        self.ended.emit()

    def _show_progress(self) -> None:
        """Shows what came in the last moment; the page list and the editor follow."""
        changed, self._changed = self._changed, {}
        if self._state is not None:
            self._view.show_state(self._state)
        if changed and self._session.workspace is not None:
            self._session.tell_pages_changed(changed)

    def _tell_single(self, page_id: int) -> None:
        """Says where the draft of one page is, when it did not become its label."""
        workspace = self._session.require()
        current, history = workspace.labels.current(page_id), workspace.labels.history(page_id)
        if current is not None and history and history[0].id != current.id:
            self._messages.info("The draft is kept beside your label.", "The Compare tab shows both.")

    def _is_flagged(self, page_id: int) -> bool:
        return self._session.require().pages.get(page_id).status is PageStatus.FLAGGED

    def _name_of(self, page_id: int) -> str:
        workspace = self._session.require()
        page = workspace.pages.get(page_id)
        return f"{workspace.documents.get(page.document_id).name}, page {page.index + 1}"


def _left_out(pages: int) -> str:
    return f"{count_of(pages, 'page')} {'was' if pages == 1 else 'were'} left as before."
