"""The evaluation panel: choices and runs, figures and pages, the chosen page."""

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QLabel, QStackedWidget, QWidget

from ocrstudio.ui.background import Background
from ocrstudio.ui.evaluation.page_compare import PageCompare
from ocrstudio.ui.evaluation.setup import EvaluationSetup
from ocrstudio.ui.evaluation.tables import FiguresTable, PagesTable
from ocrstudio.ui.jobs.run_status import RunStatus
from ocrstudio.ui.widgets.buttons import push_button
from ocrstudio.ui.widgets.elided_label import ElidedLabel
from ocrstudio.ui.widgets.empty_state import EmptyState
from ocrstudio.ui.widgets.fields import Choice, Count
from ocrstudio.ui.widgets.layouts import Edge, bar, fill, side_by_side, stacked

_WIDTHS = [310, 530, 640]
_LEAST_HEIGHT = 260
_NUMBER_WIDTH = 66
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
        self._stated = ElidedLabel("")
        self._stated.setProperty("role", "muted")
        self._stated.setContentsMargins(12, 3, 12, 3)
        self.pages = PagesTable()
        self.page = PageCompare(background)
        self.compare = Choice("Compare with")
        self.compare.activated.connect(lambda _: self.compare_chosen.emit(self.compare.currentData()))
        self.worst = Count("Number of worst pages")
        self.worst.setRange(1, _MOST_FLAGGED)
        self.worst.setValue(5)
        self.worst.setFixedWidth(_NUMBER_WIDTH)
        self.flag = push_button("Flag worst", lambda: self.flag_requested.emit(self.worst.value()))
        self.flag.setToolTip("Flags so many of the worst pages; an accepted page is opened again")
        self._empty = EmptyState(
            "evaluation",
            "Nothing measured yet",
            "Choose data and a student, then press Start evaluation. Measure a student before and after its "
            "training on the same data: the figures stand below each other.",
        )
        fill(self, side_by_side(self.setup, self._results(), self.page, sizes=_WIDTHS, wide=self.page))
        self.setMinimumHeight(_LEAST_HEIGHT)

    def _results(self) -> QWidget:
        self.compare.setSizeAdjustPolicy(Choice.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.compare.setMinimumContentsLength(8)
        parts = (QLabel("Compare"), self.compare, self.worst, self.flag)
        tools = bar(Edge.BELOW, *parts, wide=self.compare)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(
            stacked(self.status, self.figures, self._stated, tools, self.pages, wide=self.pages)
        )
        return self._stack

    def show_run(self, shown: bool) -> None:
        """Shows the parts of a run, or what to do first."""
        self._stack.setCurrentIndex(1 if shown else 0)
        if not shown:
            self.page.show_line(None, in_workspace=False)

    def state(self, words: str) -> None:
        """Says how the figures were measured."""
        self._stated.setText(words)
        self._stated.setToolTip(words)
        self._stated.setVisible(bool(words))

    @property
    def stated(self) -> str:
        """How the figures were measured."""
        return self._stated.text()

    def show_compared(self, options: list[tuple[str, str]], chosen: str) -> None:
        """Offers other evaluations; two of other data compare on the pages that both have.

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
