"""The middle of the training panel: one run with its curve, its log and its samples."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QStackedWidget, QTabWidget, QWidget

from ocrstudio.domain.run import RunKind
from ocrstudio.ui.background import Background
from ocrstudio.ui.jobs.history import RunHistory
from ocrstudio.ui.jobs.run_log import EventLog, FileTail
from ocrstudio.ui.jobs.run_status import RunStatus
from ocrstudio.ui.training.curve import LossCurve
from ocrstudio.ui.training.learning_curve import LearningCurve
from ocrstudio.ui.training.look_line import LookLine
from ocrstudio.ui.training.samples import SamplesView
from ocrstudio.ui.widgets.empty_state import EmptyState
from ocrstudio.ui.widgets.layouts import fill, stacked


class RunView(QWidget):
    """Shows a training run.

    Attributes:
        status: State and buttons.
        loss: The curve of losses with what is under it.
        look: Under the curve: did the student look?
        tabs: Curve, events, output of the worker, samples; for a learning curve, its plot.
    """

    def __init__(self, background: Background) -> None:
        super().__init__()
        self.status = RunStatus("Stop and save")
        self.curve = LossCurve(background)
        self.learning = LearningCurve(background)
        self.look = LookLine()
        self.loss = stacked(self.curve, self.look, wide=self.curve)
        self.events = EventLog()
        self.output = FileTail()
        self.samples = SamplesView(background)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        for widget, words in (
            (self.loss, "Loss"),
            (self.learning, "Learning curve"),
            (self.samples, "Samples"),
            (self.events, "Events"),
            (self.output, "Output"),
        ):
            self.tabs.addTab(widget, words)
        self._show_kind(RunKind.TRAIN)
        self._empty = EmptyState(
            "training",
            "No training yet",
            "Accept some pages, then press Start training. The run goes on even when this window is closed.",
        )
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(stacked(self.status, self.tabs, wide=self.tabs))
        fill(self, self._stack)

    def show_run(self, title: str, history: RunHistory, log: Path, image: Mapping[str, Any]) -> None:
        """Shows a run, or its new state.

        Args:
            title: Its title.
            history: What is known of it.
            log: File with the output of its worker.
            image: The ``image`` section of its configuration.
        """
        self._stack.setCurrentIndex(1)
        self.status.show_run(title, history)
        self._show_kind(history.kind)
        self.curve.show_history(history)
        self.learning.show_history(history)
        self.look.show_history(history)
        self.events.show_history(history)
        self.output.show_file(log)
        self.samples.show_samples(history.samples, image)

    def show_nothing(self) -> None:
        """No run is chosen."""
        self._stack.setCurrentIndex(0)
        self.curve.show_history(None)
        self.learning.show_history(None)
        self.look.show_history(None)
        self.events.show_history(None)
        self.output.show_file(None)
        self.samples.show_samples((), {})

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        self._empty.restyle()
        for part in (self.status, self.curve, self.look, self.learning, self.events, self.samples):
            part.restyle()

    def _show_kind(self, kind: RunKind) -> None:
        """The tabs that a run of this kind has something for."""
        is_curve = kind is RunKind.CURVE
        for widget, wanted in (
            (self.learning, is_curve),
            (self.loss, not is_curve),
            (self.samples, not is_curve),
        ):
            self.tabs.setTabVisible(self.tabs.indexOf(widget), wanted)
