"""The log panel."""

from PySide6.QtCore import QItemSelectionModel, QSize, Qt
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLineEdit,
    QStackedWidget,
    QTableView,
    QWidget,
)

from ocrstudio.ui.log.model import Line, LogFilter, LogModel
from ocrstudio.ui.messages import Level
from ocrstudio.ui.widgets.buttons import push_button
from ocrstudio.ui.widgets.empty_state import EmptyState
from ocrstudio.ui.widgets.fields import Choice
from ocrstudio.ui.widgets.layouts import Edge, bar, fill

_CHOICES: tuple[tuple[str, frozenset[Level]], ...] = (
    ("Everything", frozenset(Level)),
    ("Warnings and errors", frozenset({Level.WARNING, Level.ERROR})),
    ("Errors", frozenset({Level.ERROR})),
)
_ROW_HEIGHT = 24
_WIDTHS = (80, 110, 240)
_LEAST_HEIGHT = 160


class LogPanel(QWidget):
    """Shows lines with their time, level and origin; follows the end unless the user has scrolled up.

    Args:
        limit: Lines that are kept.
    """

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.lines = LogModel(limit)
        self.shown = LogFilter(self.lines)
        self.level = Choice("Levels")
        for words, levels in _CHOICES:
            self.level.addItem(words, levels)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search in the log")
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName("Search in the log")
        self.level.currentIndexChanged.connect(self._choose)
        self.search.textChanged.connect(self._choose)
        self.view = QTableView()
        self.view.setModel(self.shown)
        self._style_view()
        self.copy = push_button("Copy", self.copy_lines)
        self.copy.setToolTip("Copies the selected lines, or all that are shown (Ctrl+C)")
        self._clear = push_button("Clear", self.lines.clear)
        keys = QShortcut(QKeySequence(QKeySequence.StandardKey.Copy), self.view)
        keys.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        keys.activated.connect(self.copy_lines)
        self._empty = EmptyState(
            "log", "Nothing was said yet", "Messages and the words of workers are kept here."
        )
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self.view)
        self._lay_out()
        for signal in (self.lines.rowsInserted, self.lines.modelReset):
            signal.connect(self._show_state)
        self.setMinimumHeight(_LEAST_HEIGHT)

    def _style_view(self) -> None:
        view = self.view
        view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        view.setShowGrid(False)
        view.setWordWrap(False)
        view.setIconSize(QSize(14, 14))
        view.setTextElideMode(Qt.TextElideMode.ElideRight)
        view.verticalHeader().hide()
        view.verticalHeader().setDefaultSectionSize(_ROW_HEIGHT)
        view.horizontalHeader().setSectionResizeMode(len(_WIDTHS), QHeaderView.ResizeMode.Stretch)
        view.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        for column, width in enumerate(_WIDTHS):
            view.setColumnWidth(column, width)
        view.setAccessibleName("Log")

    def _lay_out(self) -> None:
        head = bar(Edge.BELOW, self.level, self.search, self.copy, self._clear, wide=self.search)
        fill(self, head, self._stack, wide=self._stack)

    def add(self, lines: list[Line]) -> None:
        """Adds lines at the end."""
        scroll = self.view.verticalScrollBar()
        follows = scroll.value() >= scroll.maximum() - 1
        self.lines.add(lines)
        if follows:
            self.view.scrollToBottom()

    def copy_lines(self) -> None:
        """Puts the selected lines, or all that are shown, onto the clipboard."""
        selection: QItemSelectionModel = self.view.selectionModel()
        rows = sorted(index.row() for index in selection.selectedRows()) or range(self.shown.rowCount())
        texts = [
            self.lines.lines[self.shown.mapToSource(self.shown.index(row, 0)).row()].as_text() for row in rows
        ]
        QGuiApplication.clipboard().setText("\n".join(texts))

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        self._empty.restyle()
        self.lines.restyle()

    def _choose(self) -> None:
        self.shown.choose(_CHOICES[self.level.currentIndex()][1], self.search.text().strip())

    def _show_state(self) -> None:
        self._stack.setCurrentIndex(1 if self.lines.lines else 0)
