"""The right part of the teacher panel: the batch as it goes on, and the pages that failed."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ocrstudio.domain.wording import time_left
from ocrstudio.ui.icons import icon
from ocrstudio.ui.teachers.batch import BatchState
from ocrstudio.ui.theme import theme
from ocrstudio.ui.widgets.buttons import push_button
from ocrstudio.ui.widgets.elided_label import ElidedLabel
from ocrstudio.ui.widgets.empty_state import EmptyState
from ocrstudio.ui.widgets.layouts import Edge, fill, stacked, style_bar
from ocrstudio.ui.widgets.notes import note

_SEPARATOR = "   \N{MIDDLE DOT}   "


class BatchView(QWidget):
    """Shows a batch and emits what the user wants of it.

    Signals:
        cancel_requested: Stop the batch.
        retry_requested: Draft the failed pages again.
        page_chosen: Id of a page to show.
    """

    cancel_requested = Signal()
    retry_requested = Signal()
    page_chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._state: BatchState | None = None
        self._title = ElidedLabel("")
        font = self._title.font()
        font.setBold(True)
        self._title.setFont(font)
        self._position = QLabel()
        self._position.setAccessibleName("Progress of the batch")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self.cancel = push_button("Cancel", self.cancel_requested.emit)
        self.retry = push_button("Retry failed", self.retry_requested.emit)
        self._message = note()
        self.failures = QListWidget()
        self.failures.setAccessibleName("Failed pages")
        self.failures.setWordWrap(True)
        self.failures.itemActivated.connect(self._choose)
        self.failures.itemClicked.connect(self._choose)
        self._all_well = EmptyState(
            "accepted", "No failures", "Pages that cannot be drafted are listed here."
        )
        self._empty = EmptyState(
            "teacher",
            "No batch yet",
            "Choose a teacher, a task and pages, then press Start drafting; Ctrl+R drafts the page in view. "
            "A label that you accepted or wrote is never replaced: the new draft is kept beside it.",
        )
        self._lay_out()

    def _lay_out(self) -> None:
        head = QWidget()
        style_bar(head, Edge.BELOW)
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self._title, 1)
        line.addWidget(self.retry)
        line.addWidget(self.cancel)
        top = QVBoxLayout(head)
        top.setContentsMargins(12, 8, 12, 8)
        top.setSpacing(5)
        top.addLayout(line)
        top.addWidget(self._position)
        top.addWidget(self._bar)
        top.addWidget(self._message)
        self._below = QStackedWidget()
        self._below.addWidget(self._all_well)
        self._below.addWidget(self.failures)
        self._below.addWidget(QWidget())  # nothing is known yet, or the teacher never began
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(stacked(head, self._below, wide=self._below))
        fill(self, self._stack)

    def show_state(self, state: BatchState | None) -> None:
        """Shows a batch, or its new state."""
        new = state is not self._state
        self._state = state
        self._stack.setCurrentIndex(0 if state is None else 1)
        if state is None:
            return
        if new:
            self.failures.clear()
        finished = state.done + state.failed
        self._title.setText(f"{state.teacher}: {finished:,} of {state.total:,} pages")
        self._position.setText(_SEPARATOR.join(_parts(state)))
        self._bar.setVisible(state.running)
        self._bar.setRange(0, state.total if finished else 0)
        self._bar.setValue(finished)
        self.cancel.setVisible(state.running)
        self.cancel.setEnabled(not state.cancelling)
        self.retry.setVisible(not state.running and state.failed > 0)
        self._message.setText(state.message)
        self._message.setVisible(bool(state.message))
        for failure in state.failures[self.failures.count() :]:
            item = QListWidgetItem(icon("failed", theme().red), failure.sentence)
            item.setData(Qt.ItemDataRole.UserRole, failure.page_id)
            self.failures.addItem(item)
        self._below.setCurrentIndex(1 if state.failures else 0 if state.done else 2)

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        self._empty.restyle()
        self._all_well.restyle()
        for row in range(self.failures.count()):
            self.failures.item(row).setIcon(icon("failed", theme().red))

    def _choose(self, item: QListWidgetItem) -> None:
        self.page_chosen.emit(int(item.data(Qt.ItemDataRole.UserRole)))


def _parts(state: BatchState) -> list[str]:
    parts = [f"{state.done:,} drafted"]
    if state.flagged:
        parts.append(f"{state.flagged:,} flagged")
    parts.append(f"{state.failed:,} failed")
    if state.cancelling and state.running:
        parts.append("cancelling")
    elif state.running:
        parts.append(state.notice if state.seconds_left is None else time_left(state.seconds_left))
    return [part for part in parts if part]
