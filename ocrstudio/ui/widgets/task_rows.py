"""Rows for work in the background: title, progress, time left, Cancel."""

import time

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from ocrstudio.domain.wording import time_left
from ocrstudio.ui.background import Progress, Task
from ocrstudio.ui.widgets.buttons import push_button
from ocrstudio.ui.widgets.elided_label import ElidedLabel
from ocrstudio.ui.widgets.layouts import Edge, style_bar

_MIN_SECONDS = 2.0
_SHOW_AFTER_MS = 400
"""What is over sooner needs no row; the window would only flicker."""


class TaskRow(QWidget):
    """One task."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self._task = task
        self._started = time.monotonic()
        self._text = ElidedLabel(task.title)
        self._left = QLabel()
        self._left.setProperty("role", "muted")
        self._bar = QProgressBar()
        self._bar.setRange(0, 0)
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(220)
        self._cancel = push_button("Cancel", self._stop)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 5, 12, 5)
        row.setSpacing(12)
        row.addWidget(self._text, 1)
        row.addWidget(self._left)
        row.addWidget(self._bar)
        row.addWidget(self._cancel)
        style_bar(self, Edge.ABOVE)
        task.progressed.connect(self._show)

    def _show(self, progress: Progress) -> None:
        self._bar.setRange(0, progress.total)
        self._bar.setValue(progress.done)
        count = f" ({progress.done + 1} of {progress.total})" if progress.total > 1 else ""
        self._text.setText(f"{self._task.title}{count}: {progress.text}")
        seconds = time.monotonic() - self._started
        self._left.setText(rest_in_words(seconds, progress.done, progress.total))

    def _stop(self) -> None:
        self._task.cancel()
        self._cancel.setEnabled(False)
        self._left.setText("stopping…")


class TaskRows(QWidget):
    """All tasks that have a title and take more than a moment; hidden while there is none."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[TaskRow] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self.hide()

    def show_task(self, task: Task) -> None:
        """Adds a row until the task ends."""
        row = TaskRow(task)
        row.hide()
        self._rows.append(row)
        self._column.addWidget(row)
        wait = QTimer(row)
        wait.setSingleShot(True)
        wait.timeout.connect(row.show)
        wait.timeout.connect(self.show)
        wait.start(_SHOW_AFTER_MS)

        def remove() -> None:
            wait.stop()
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
            self._rows.remove(row)
            self.setVisible(any(not one.isHidden() for one in self._rows))

        task.ended.connect(remove)


def rest_in_words(seconds: float, done: int, total: int) -> str:
    """Words for the time left, as soon as there is something to judge by."""
    if done <= 0 or seconds < _MIN_SECONDS or total <= done:
        return ""
    return time_left(seconds / done * (total - done))
