"""The evaluation panel: choices and runs, figures and pages, the chosen page."""

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSpinBox,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ocrstudio.ui.background import Background
from ocrstudio.ui.evaluation.page_compare import PageCompare
from ocrstudio.ui.evaluation.setup import EvaluationSetup
from ocrstudio.ui.evaluation.tables import FiguresTable, PagesTable
from ocrstudio.ui.jobs.run_status import RunStatus
from ocrstudio.ui.widgets.buttons import push_button
from ocrstudio.ui.widgets.empty_state import EmptyState
from ocrstudio.ui.widgets.form_rows import SPIN_MARGINS

_WIDTHS = [310, 530, 640]
_LEAST_HEIGHT = 260
_NOTHING = "nothing"
_MOST_FLAGGED = 1_000


class EvaluationPanel(QWidget):
    """Holds the parts; the controller fills them.

    Signals:
        compare_chosen: Id of another evaluation, or an empty text.
        flag_requested: Number of worst pages to flag.
    """

    compare_chosen = Signal(str)
    flag_requested = Signal(int)

    def __init__(self, background: Background) -> None:
        super().__init__()
        self.setup = EvaluationSetup()
        self.status = RunStatus("Stop and keep")
        self.figures = FiguresTable()
        self.pages = PagesTable()
        self.page = PageCompare(background)
        self.compare = QComboBox()
        self.compare.setAccessibleName("Compare with")
        self.compare.activated.connect(lambda _: self.compare_chosen.emit(self.compare.currentData()))
        self.worst = QSpinBox()
        self.worst.setRange(1, _MOST_FLAGGED)
        self.worst.setValue(5)
        self.worst.setAccessibleName("Number of worst pages")
        self.worst.lineEdit().setTextMargins(*SPIN_MARGINS)
        self.flag = push_button("Flag worst pages", lambda: self.flag_requested.emit(self.worst.value()))
        self.flag.setToolTip("Puts them first in the queue of review; an accepted page is opened again")
        self._empty = EmptyState(
            "evaluation",
            "Nothing measured yet",
            "Choose data and a student, then press Start evaluation. Measure a student before and after its "
            "training on the same data: the figures stand below each other.",
        )
        splitter = QSplitter(Qt.Orientation.Horizontal)
        for part in (self.setup, self._results(), self.page):
            splitter.addWidget(part)
        splitter.setChildrenCollapsible(False)
        splitter.setStretchFactor(2, 1)
        splitter.setSizes(_WIDTHS)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(splitter)
        self.setup.setMinimumWidth(270)
        self.page.setMinimumWidth(480)
        self.setMinimumHeight(_LEAST_HEIGHT)

    def _results(self) -> QWidget:
        bar = QWidget()
        row = QHBoxLayout(bar)
        row.setContentsMargins(12, 6, 12, 6)
        row.setSpacing(8)
        row.addWidget(QLabel("Compare with"))
        row.addWidget(self.compare, 1)
        row.addWidget(self.worst)
        row.addWidget(self.flag)
        self.compare.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.compare.setMinimumContentsLength(10)
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for widget in (self.status, self.figures, bar):
            column.addWidget(widget)
        column.addWidget(self.pages, 1)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(page)
        self._stack.setMinimumWidth(420)
        return self._stack

    def show_run(self, shown: bool) -> None:
        """Shows the parts of a run, or what to do first."""
        self._stack.setCurrentIndex(1 if shown else 0)
        if not shown:
            self.page.show_line(None, in_workspace=False)

    def show_compared(self, options: list[tuple[str, str]], chosen: str) -> None:
        """Offers other evaluations of the same data.

        Args:
            options: (id, title) of each.
            chosen: Id of the one that is compared with, or empty.
        """
        with QSignalBlocker(self.compare):
            self.compare.clear()
            self.compare.addItem(_NOTHING, "")
            for run_id, title in options:
                self.compare.addItem(title, run_id)
            self.compare.setCurrentIndex(max(0, self.compare.findData(chosen)))

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        self._empty.restyle()
        self.status.restyle()
        self.setup.runs.restyle()
        self.page.restyle()
