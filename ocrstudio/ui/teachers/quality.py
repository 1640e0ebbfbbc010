"""Measures the drafts of the workspace while the teacher panel is visible."""

from pathlib import Path

from PySide6.QtCore import QObject, QTimer

from ocrstudio.services.draft_quality import DraftQuality, measure_drafts
from ocrstudio.store import Workspace
from ocrstudio.ui.background import Background, Task
from ocrstudio.ui.session import Session
from ocrstudio.ui.teachers.panel import TeacherPanel

_PAUSE_MS = 1500
_LATEST_PAGES = 300
"""Enough for a figure, and soon counted."""


class QualityController(QObject):
    """Keeps the table of figures up to date.

    Args:
        session: What is open.
        panel: The teacher panel.
        background: Where drafts are measured.
    """

    def __init__(self, session: Session, panel: TeacherPanel, background: Background) -> None:
        super().__init__(panel)
        self._session, self._panel, self._background = session, panel, background
        self._task: Task | None = None
        self._is_old = True
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self._measure)
        session.opened.connect(self._changed)
        session.documents_changed.connect(self._changed)
        session.pages_changed.connect(self._changed)
        session.closing.connect(self._close)
        panel.shown.connect(self._look)

    def _changed(self) -> None:
        self._is_old = True
        self._look()

    def _look(self) -> None:
        if self._is_old and self._panel.isVisible() and self._session.workspace is not None:
            self._timer.start()

    def _close(self) -> None:
        self._timer.stop()
        self._is_old = True
        if self._task is not None:
            self._task.drop()
            self._task = None
        self._panel.quality.show_rows(())

    def _measure(self) -> None:
        if self._session.workspace is None or self._task is not None:  # a running one looks again at its end
            return
        self._is_old = False
        root = self._session.root
        self._task = self._background.run(lambda task: _measured(root, task), self._panel.quality.show_rows)
        self._task.ended.connect(self._ended)

    def _ended(self) -> None:
        self._task = None
        self._look()


def _measured(root: Path, task: Task) -> tuple[DraftQuality, ...]:
    with Workspace.open(root) as workspace:
        return measure_drafts(workspace, _LATEST_PAGES, lambda: task.cancelled)
