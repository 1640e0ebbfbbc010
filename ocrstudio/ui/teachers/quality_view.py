"""How good each teacher has been: a small table below the batch."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from ocrstudio.domain.label import source_in_words
from ocrstudio.services.draft_quality import DraftQuality
from ocrstudio.ui.widgets.layouts import Edge, fill, style_bar

_COLUMNS = {
    "Drafts of": "Who drafted the pages, and the task.",
    "Accepted": "Pages whose label you accepted; the newest draft of each is measured.",
    "Unchanged": "How many of them you accepted as they were drafted.",
    "CER": "Edits of the draft for each character of the label, which leans to the draft that it began as.",
    "WER": "The same over words.",
}
_FIRST_NUMBER = 1
_ROW_HEIGHT = 26
_MOST_ROWS = 3


class QualityView(QWidget):
    """Shows a row for each source of drafts; it is hidden while there is none."""

    def __init__(self) -> None:
        super().__init__()
        style_bar(self, Edge.ABOVE)
        self.table = QTableWidget(0, len(_COLUMNS))
        self.table.setAccessibleName("Drafts measured against the labels that you accepted")
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.table.setShowGrid(False)
        self.table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(_ROW_HEIGHT)
        for column, (title, words) in enumerate(_COLUMNS.items()):
            item = _aligned(title, column)
            item.setToolTip(words)
            self.table.setHorizontalHeaderItem(column, item)
        fill(self, self.table)
        self.show_rows(())

    def show_rows(self, rows: Sequence[DraftQuality]) -> None:
        """Replaces the figures."""
        self.table.setRowCount(len(rows))
        for row, each in enumerate(rows):
            cells = (
                f"{source_in_words(each.source).removeprefix('teacher ')} · {each.task}",
                f"{each.pages:,}",
                f"{each.unchanged:,}",
                f"{each.cer:.1%}",
                f"{each.wer:.1%}",
            )
            for column, words in enumerate(cells):
                self.table.setItem(row, column, _aligned(words, column))
        shown = min(len(rows), _MOST_ROWS)
        height = self.table.horizontalHeader().sizeHint().height() + _ROW_HEIGHT * shown
        self.table.setFixedHeight(height + 2)
        self.setVisible(bool(rows))


def _aligned(words: str, column: int) -> QTableWidgetItem:
    """A cell: words on the left, numbers on the right."""
    side = Qt.AlignmentFlag.AlignRight if column >= _FIRST_NUMBER else Qt.AlignmentFlag.AlignLeft
    item = QTableWidgetItem(words)
    item.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
    item.setToolTip(words)
    return item
