"""The training panel: choices on the left, the run in the middle, all runs on the right."""

from PySide6.QtWidgets import QWidget

from ocrstudio.ui.background import Background
from ocrstudio.ui.jobs.run_list import RunList
from ocrstudio.ui.training.run_view import RunView
from ocrstudio.ui.training.setup import TrainingSetup
from ocrstudio.ui.widgets.empty_state import EmptyState
from ocrstudio.ui.widgets.layouts import fill, side_by_side

_WIDTHS = [680, 590, 230]
_LEAST_HEIGHT = 260


class TrainingPanel(QWidget):
    """Holds the three parts; the controller fills them."""

    def __init__(self, background: Background) -> None:
        super().__init__()
        self.setup = TrainingSetup()
        self.run = RunView(background)
        self.runs = RunList("Trainings", EmptyState("training", "No runs", "Every training is kept here."))
        fill(self, side_by_side(self.setup, self.run, self.runs, sizes=_WIDTHS, wide=self.run))
        self.setMinimumHeight(_LEAST_HEIGHT)

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        self.run.restyle()
        self.runs.restyle()
