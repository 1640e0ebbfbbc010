"""The lines of the log as a Qt model: bounded, and quick to add to."""

import time
from dataclasses import dataclass

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QSortFilterProxyModel, Qt

from ocrstudio.ui.icons import icon
from ocrstudio.ui.messages import Level
from ocrstudio.ui.theme import theme

COLUMNS = ("Time", "Level", "From", "Text")
LEVEL_WORDS = {Level.INFO: "Information", Level.WARNING: "Warning", Level.ERROR: "Error"}
_COLOURS = {Level.INFO: "blue", Level.WARNING: "orange", Level.ERROR: "red"}
_SLACK = 10
"""The oldest tenth goes at once when the log is full, so that not every line moves all others."""

AnyIndex = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True)
class Line:
    """A line of the log.

    Attributes:
        time: Unix time in seconds.
        level: How much it matters.
        origin: Who said it.
        text: What was said.
    """

    time: float
    level: Level
    origin: str
    text: str

    def as_text(self) -> str:
        """The line for the clipboard."""
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.time))
        return f"{stamp}\t{LEVEL_WORDS[self.level]}\t{self.origin}\t{self.text}"


class LogModel(QAbstractTableModel):
    """All lines, the oldest first."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.lines: list[Line] = []
        self._limit = limit

    def set_limit(self, limit: int) -> None:
        """Changes how many lines are kept."""
        self._limit = limit
        self._shorten()

    def add(self, lines: list[Line]) -> None:
        """Adds lines at the end."""
        if not lines:
            return
        first = len(self.lines)
        self.beginInsertRows(QModelIndex(), first, first + len(lines) - 1)
        self.lines.extend(lines)
        self.endInsertRows()
        self._shorten()

    def clear(self) -> None:
        """Forgets all lines."""
        self.beginResetModel()
        self.lines.clear()
        self.endResetModel()

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        if self.lines:
            self.dataChanged.emit(self.index(0, 1), self.index(len(self.lines) - 1, 1))

    def _shorten(self) -> None:
        if len(self.lines) <= self._limit:
            return
        gone = len(self.lines) - self._limit + self._limit // _SLACK
        self.beginRemoveRows(QModelIndex(), 0, gone - 1)
        del self.lines[:gone]
        self.endRemoveRows()

    def rowCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        """Number of lines."""
        return 0 if parent.isValid() else len(self.lines)

    def columnCount(self, _parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        """Number of columns."""
        return len(COLUMNS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Titles of the columns."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        return None

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Words, icons and tool tips."""
        line = self.lines[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            clock = time.strftime("%H:%M:%S", time.localtime(line.time))
            return (clock, LEVEL_WORDS[line.level], line.origin, line.text)[index.column()]
        if role == Qt.ItemDataRole.DecorationRole and index.column() == 1:
            return icon(line.level.value, str(getattr(theme(), _COLOURS[line.level])))
        if role == Qt.ItemDataRole.ToolTipRole and index.column() == len(COLUMNS) - 1:
            return line.text
        return None


class LogFilter(QSortFilterProxyModel):
    """Passes the lines of some levels that contain a text."""

    def __init__(self, source: LogModel) -> None:
        super().__init__()
        self._source = source
        self._levels = frozenset(Level)
        self._text = ""
        self.setSourceModel(source)

    def choose(self, levels: frozenset[Level], text: str) -> None:
        """Shows only these levels and lines with this text (upper and lower case are the same)."""
        self._levels, self._text = levels, text.casefold()
        self.invalidate()

    def filterAcceptsRow(self, row: int, _parent: AnyIndex) -> bool:
        """Whether a line passes."""
        line = self._source.lines[row]
        return line.level in self._levels and (
            not self._text or self._text in line.text.casefold() or self._text in line.origin.casefold()
        )
