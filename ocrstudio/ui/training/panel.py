"""The training panel: choices on the left, the run in the middle, all runs on the right."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from ocrstudio.ui.background import Background
from ocrstudio.ui.jobs.run_list import RunList
from ocrstudio.ui.training.run_view import RunView
from ocrstudio.ui.training.setup import TrainingSetup
from ocrstudio.ui.widgets.empty_state import EmptyState

_WIDTHS = [600, 640, 240]
_LEAST_HEIGHT = 260


class TrainingPanel(QWidget):
    """Holds the three parts; the controller fills them."""

    def __init__(self, background: Background) -> None:
        super().__init__()
        self.setup = TrainingSetup()
        self.run = RunView(background)
        self.runs = RunList("Trainings", EmptyState("training", "No runs", "Every training is kept here."))
        splitter = QSplitter(Qt.Orientation.Horizontal)
        for part in (self.setup, self.run, self.runs):
            splitter.addWidget(part)
        splitter.setChildrenCollapsible(False)
        splitter.setStretchFactor(1, 1)
        splitter.setSizes(_WIDTHS)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(splitter)
        self.setup.setMinimumWidth(520)
        self.run.setMinimumWidth(400)
        self.runs.setMinimumWidth(190)
        self.setMinimumHeight(_LEAST_HEIGHT)

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        self.run.restyle()
        self.runs.restyle()
