"""The panels of the bottom area: built, joined to the window's parts, and put into effect together."""

from collections.abc import Iterator

from PySide6.QtCore import QObject

from ocrstudio.settings.app import AppSettings
from ocrstudio.ui.background import Background
from ocrstudio.ui.jobs.monitor import RunMonitor
from ocrstudio.ui.main_window import MainWindow
from ocrstudio.ui.messages import Messages
from ocrstudio.ui.pages.model import PageListModel
from ocrstudio.ui.session import Session
from ocrstudio.ui.teachers.controller import TeacherController
from ocrstudio.ui.teachers.panel import TeacherPanel
from ocrstudio.ui.training.controller import TrainingController
from ocrstudio.ui.training.panel import TrainingPanel


class Panels(QObject):
    """The panels and the controllers behind them.

    Args:
        session: What is open.
        window: Takes the panels.
        background: Work in threads.
        messages: What is said.
        settings: The user's settings.
    """

    def __init__(
        self,
        session: Session,
        window: MainWindow,
        background: Background,
        messages: Messages,
        settings: AppSettings,
    ) -> None:
        super().__init__(window)
        self.monitor = RunMonitor(session, background, messages)
        self.teachers = TeacherPanel()
        self.teacher_controller = TeacherController(
            session,
            self.teachers,
            lambda: _listed(window.pages.model),
            self.monitor,
            background,
            messages,
            settings,
        )
        self.training = TrainingPanel(background)
        self.training_controller = TrainingController(
            session, self.training, self.monitor, background, messages, settings
        )
        window.add_panel("teacher", "Teacher", "teacher", self.teachers)
        window.add_panel("training", "Training", "training", self.training)

    def apply_settings(self, settings: AppSettings) -> None:
        """Puts settings into effect at once."""
        self.teacher_controller.apply_settings(settings)
        self.training_controller.apply_settings(settings)

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        self.teachers.restyle()
        self.training.restyle()


def _listed(model: PageListModel) -> Iterator[int]:
    """Ids of the pages that the list shows, in order."""
    page_id = model.neighbour(None, 1)
    while page_id is not None:
        yield page_id
        page_id = model.neighbour(page_id, 1)
