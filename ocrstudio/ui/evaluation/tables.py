"""The table of figures, and the table of pages."""

from collections.abc import Mapping

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QTableWidget, QTableWidgetItem

from ocrstudio.ui.evaluation.results import FIGURE_HELP, FIGURES, INTERVAL, PageLine, percent

_COLUMNS = ("Page", "CER", "Text", "Order", "TEDS", "Other CER", "Noticed")
_NUMBERS = range(1, 6)
_OF_BLOCKS = (2, 3, 4)
_OTHER = _COLUMNS.index("Other CER")
_SORT_ROLE = Qt.ItemDataRole.UserRole
_ROW_HEIGHT = 26

AnyIndex = QModelIndex | QPersistentModelIndex


_LEFT_OUT = ("Median", "NED", "Cut off", "TEDS-S", "Formulas", "Blocks", "Loops", "WER", INTERVAL)
"""Figures that make room for the others in a narrow window, the first ones first."""


_OWN_WIDTH = (0, 1 + FIGURES.index(INTERVAL))


class FiguresTable(QTableWidget):
    """One row of figures for each report; what does not fit is left out, and stands in the tool tip."""

    def __init__(self) -> None:
        super().__init__(0, 1 + len(FIGURES))
        self.setHorizontalHeaderItem(0, QTableWidgetItem(""))
        for column, name in enumerate(FIGURES, start=1):
            title = QTableWidgetItem(name)
            title.setToolTip(FIGURE_HELP[name])
            self.setHorizontalHeaderItem(column, title)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setShowGrid(False)
        self.setAccessibleName("Figures of the evaluation")
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        for column in _OWN_WIDTH:
            self.horizontalHeader().setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(_ROW_HEIGHT)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def show_rows(self, rows: list[tuple[str, tuple[str, ...]]]) -> None:
        """Shows (title, figures) of the reports; a title is shown only where there are two."""
        self.setRowCount(len(rows))
        self.setColumnHidden(0, len(rows) < 2)  # noqa: PLR2004 - two reports to tell apart
        for row, (title, figures) in enumerate(rows):
            for column, words in enumerate((title, *figures)):
                item = QTableWidgetItem(words)
                item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
                item.setToolTip(
                    ", ".join(f"{name} {figure}" for name, figure in zip(FIGURES, figures, strict=True))
                )
                self.setItem(row, column, item)
        self._leave_out()
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + _ROW_HEIGHT * len(rows) + 2)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leaves out what has no room."""
        super().resizeEvent(event)
        self._leave_out()

    def _leave_out(self) -> None:
        header = self.horizontalHeader()
        shown = [column for column in range(self.columnCount()) if column or not self.isColumnHidden(0)]
        widths = {
            column: max(self.sizeHintForColumn(column), header.sectionSizeHint(column)) for column in shown
        }
        waiting = [1 + FIGURES.index(name) for name in _LEFT_OUT]
        while waiting and _least_width(widths) > self.viewport().width():
            del widths[waiting.pop(0)]
        for name in _LEFT_OUT:
            column = 1 + FIGURES.index(name)
            self.setColumnHidden(column, column not in widths)


def _least_width(widths: Mapping[int, int]) -> int:
    """Width of columns of which all but the first one and the interval are as wide as the widest."""
    own = {column: width for column, width in widths.items() if column in _OWN_WIDTH}
    equal = [width for column, width in widths.items() if column not in own]
    return sum(own.values()) + len(equal) * max(equal)


class PagesModel(QAbstractTableModel):
    """The pages of a report."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[PageLine] = []

    def set_lines(self, lines: list[PageLine]) -> None:
        """Replaces the pages."""
        self.beginResetModel()
        self.lines = lines
        self.endResetModel()

    def rowCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        """Number of pages."""
        return 0 if parent.isValid() else len(self.lines)

    def columnCount(self, _parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        """Number of columns."""
        return len(_COLUMNS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Titles of the columns."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _COLUMNS[section]
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if section in _NUMBERS else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Words, sort keys and alignment."""
        line, column = self.lines[index.row()], index.column()
        value = _values(line)[column]
        if role == _SORT_ROLE:
            return -1.0 if value is None else value
        if role == Qt.ItemDataRole.DisplayRole:
            return percent(value) if isinstance(value, float | int) else value or ""
        if role == Qt.ItemDataRole.ToolTipRole:
            return line.name if column == 0 else FIGURE_HELP.get(_COLUMNS[column])
        if role == Qt.ItemDataRole.TextAlignmentRole and column in _NUMBERS:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None


def _values(line: PageLine) -> tuple[str | float | None, ...]:
    """The cells of a page, as `_COLUMNS`."""
    return (line.name, line.cer, line.text, line.order, line.teds, line.before, line.flags)


class PagesTable(QTableView):
    """The pages, worst first until another order is chosen.

    Signals:
        line_chosen: A `PageLine`.
    """

    line_chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.lines = PagesModel()
        self._sorted = QSortFilterProxyModel(self)
        self._sorted.setSourceModel(self.lines)
        self._sorted.setSortRole(_SORT_ROLE)
        self.setModel(self._sorted)
        self.setSortingEnabled(True)
        self.sortByColumn(1, Qt.SortOrder.DescendingOrder)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(_ROW_HEIGHT)
        self.setWordWrap(False)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # the number of the page is at the end
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.setAccessibleName("Pages of the evaluation")
        self.selectionModel().currentRowChanged.connect(self._tell)

    @property
    def current(self) -> PageLine | None:
        """The chosen page."""
        index = self._sorted.mapToSource(self.currentIndex())
        return self.lines.lines[index.row()] if index.isValid() else None

    def show_lines(self, lines: list[PageLine], *, compared: bool) -> None:
        """Shows pages; the choice stays where the page is still there."""
        before = self.current
        self.lines.set_lines(lines)
        self.setColumnHidden(_OTHER, not compared)
        for column in _OF_BLOCKS:
            self.setColumnHidden(column, all(_values(line)[column] is None for line in lines))
        if before is not None:
            for row, line in enumerate(lines):
                if line.key == before.key:
                    self.setCurrentIndex(self._sorted.mapFromSource(self.lines.index(row, 0)))

    def choose_first(self) -> None:
        """Chooses the page at the top."""
        if self._sorted.rowCount():
            self.selectRow(0)

    def _tell(self) -> None:
        line = self.current
        if line is not None:
            self.line_chosen.emit(line)
