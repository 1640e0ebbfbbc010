"""The panels of the bottom area: built, joined to the window's parts, and put into effect together."""

from PySide6.QtCore import QObject

from ocrstudio.settings.app import AppSettings
from ocrstudio.ui.background import Background
from ocrstudio.ui.jobs.monitor import RunMonitor
from ocrstudio.ui.main_window import MainWindow
from ocrstudio.ui.messages import Messages
from ocrstudio.ui.session import Session
from ocrstudio.ui.training.controller import TrainingController
from ocrstudio.ui.training.panel import TrainingPanel


class Panels(QObject):
    """Training for now joined with the monitor of runs.

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
        self.training = TrainingPanel(background)
        self.training_controller = TrainingController(
            session, self.training, self.monitor, background, messages, settings
        )
        window.add_panel("training", "Training", "training", self.training)

    def apply_settings(self, settings: AppSettings) -> None:
        """Puts settings into effect at once."""
        self.training_controller.apply_settings(settings)

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        self.training.restyle()
