"""The list of runs: state as icon and word, title, time and position; the newest first."""

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QStackedWidget, QWidget

from ocrstudio.domain.wording import moment_in_words
from ocrstudio.services.runs import RunOverview
from ocrstudio.ui.icons import icon
from ocrstudio.ui.jobs.history import RunHistory
from ocrstudio.ui.jobs.looks import RUN_LOOKS
from ocrstudio.ui.widgets.empty_state import EmptyState
from ocrstudio.ui.widgets.layouts import fill
from ocrstudio.ui.widgets.notes import heading

_LEAST_WIDTH = 160
_ID = Qt.ItemDataRole.UserRole


class RunList(QWidget):
    """Shows runs and emits which one is wanted.

    Args:
        title: Heading.
        empty: What stands there while there is no run.

    Signals:
        chosen: Id of a run.
    """

    chosen = Signal(str)

    def __init__(self, title: str, empty: EmptyState) -> None:
        super().__init__()
        self._runs: dict[str, RunOverview] = {}
        self._histories: dict[str, RunHistory] = {}
        self._empty = empty
        self._list = QListWidget()
        self._list.setAccessibleName(title)
        self._list.setIconSize(QSize(16, 16))
        self._list.setSpacing(1)
        self._list.setWordWrap(False)
        self._list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.currentItemChanged.connect(self._tell)
        self._stack = QStackedWidget()
        self._stack.addWidget(empty)
        self._stack.addWidget(self._list)
        words = heading(title)
        words.setContentsMargins(12, 9, 12, 5)
        fill(self, words, self._stack, wide=self._stack)
        self.setMinimumWidth(_LEAST_WIDTH)

    @property
    def current(self) -> str | None:
        """Id of the chosen run."""
        item = self._list.currentItem()
        return str(item.data(_ID)) if item is not None else None

    def title_of(self, run_id: str) -> str:
        """Title of a run, or its id when it is not listed yet."""
        run = self._runs.get(run_id)
        return run.title if run is not None else run_id

    def show_runs(self, runs: tuple[RunOverview, ...]) -> None:
        """Replaces the list; the choice stays."""
        chosen = self.current
        self._runs = {run.id: run for run in runs}
        with QSignalBlocker(self._list):
            self._list.clear()
            for run in runs:
                item = QListWidgetItem()
                item.setData(_ID, run.id)
                item.setToolTip(f"{run.title}\n{run.path}")
                self._list.addItem(item)
                self._paint(item)
                if run.id == chosen:
                    self._list.setCurrentItem(item)
        self._stack.setCurrentIndex(1 if runs else 0)

    def show_history(self, run_id: str, history: RunHistory) -> None:
        """Shows the newest state of a run."""
        self._histories[run_id] = history
        for row in range(self._list.count()):
            item = self._list.item(row)
            if item.data(_ID) == run_id:
                self._paint(item)

    def choose(self, run_id: str) -> None:
        """Chooses a run that is listed."""
        for row in range(self._list.count()):
            if self._list.item(row).data(_ID) == run_id:
                self._list.setCurrentRow(row)

    def clear(self) -> None:
        """No runs."""
        self._histories.clear()
        self.show_runs(())

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        self._empty.restyle()
        for row in range(self._list.count()):
            self._paint(self._list.item(row))

    def _paint(self, item: QListWidgetItem) -> None:
        run = self._runs[str(item.data(_ID))]
        history = self._histories.get(run.id)
        state = history.state if history is not None else run.state
        done, total = (history.done, history.total) if history is not None else (run.done, run.total)
        look = RUN_LOOKS[state]
        parts = [look.word]
        if total and not (state.is_over and done == total):
            parts.append(f"{done or 0:,} of {total:,}")
        parts.append(moment_in_words(run.created))
        item.setText(f"{run.title}\n{', '.join(parts)}")
        item.setIcon(icon(look.icon, look.colour))

    def _tell(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.chosen.emit(str(item.data(_ID)))
