"""The panels of the bottom area: built, joined to the window's parts, and put into effect together."""

from PySide6.QtCore import QObject

from ocrstudio.settings.app import AppSettings
from ocrstudio.ui.background import Background
from ocrstudio.ui.environment.controller import EnvironmentController
from ocrstudio.ui.environment.installation import TrainingInstallation
from ocrstudio.ui.environment.panel import EnvironmentPanel
from ocrstudio.ui.evaluation.controller import EvaluationController
from ocrstudio.ui.evaluation.panel import EvaluationPanel
from ocrstudio.ui.jobs.monitor import RunMonitor
from ocrstudio.ui.log.controller import LogController
from ocrstudio.ui.log.panel import LogPanel
from ocrstudio.ui.main_window import MainWindow
from ocrstudio.ui.messages import Messages
from ocrstudio.ui.session import Session
from ocrstudio.ui.teachers.controller import TeacherController
from ocrstudio.ui.teachers.panel import TeacherPanel
from ocrstudio.ui.teachers.quality import QualityController
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

    Attributes:
        monitor: The runs.
        installation: Of what trains, for the installed program.
        teachers, training, evaluation, environment, log: The panels.
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
        monitor = RunMonitor(session, background, messages)
        self.monitor = monitor
        self.teachers = TeacherPanel()
        self.training = TrainingPanel(background)
        self.evaluation = EvaluationPanel(background)
        self.environment = EnvironmentPanel()
        self.log = LogPanel(settings.log_lines_limit)
        self.installation = TrainingInstallation(window, background, messages)
        self._quality = QualityController(session, self.teachers, background)
        self._drafting = TeacherController(
            session,
            self.teachers,
            window.pages.model,
            monitor,
            background,
            messages,
            settings,
        )
        self._controllers = (
            self._drafting,
            TrainingController(
                session, self.training, monitor, background, messages, settings, self.installation
            ),
            EvaluationController(
                session,
                self.evaluation,
                monitor,
                background,
                messages,
                settings,
                lambda: window.labels.show_tab(0),
                self.installation,
            ),
            EnvironmentController(session, self.environment, background, settings, self.installation),
            LogController(self.log, messages, monitor),
        )
        for panel_id, panel in (
            ("teacher", self.teachers),
            ("training", self.training),
            ("evaluation", self.evaluation),
            ("environment", self.environment),
            ("log", self.log),
        ):
            window.put_panel(panel_id, panel)

    @property
    def unfinished(self) -> str:
        """A sentence on the batch that closing the workspace would end, or nothing."""
        return self._drafting.unfinished

    def apply_settings(self, settings: AppSettings) -> None:
        """Puts settings into effect at once."""
        for controller in self._controllers:
            controller.apply_settings(settings)

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        for panel in (self.teachers, self.training, self.evaluation, self.environment, self.log):
            panel.restyle()
