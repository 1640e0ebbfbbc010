"""Compares two versions of a label, side by side or in one text, with signs and colours.

What computes the differences is loaded with the first comparison and not on the way to the window.
"""

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSplitter,
    QTextBrowser,
    QWidget,
)

from ocrstudio.domain.label import HUMAN, Revision
from ocrstudio.ui.labels.history import describe, sittings
from ocrstudio.ui.widgets.buttons import push_button
from ocrstudio.ui.widgets.fields import Choice
from ocrstudio.ui.widgets.layouts import Edge, fill, style_bar

_SIDE_BY_SIDE, _INLINE = "Side by side", "In one text"
_NOW = -1


class ComparePanel(QWidget):
    """Shows the differences and emits which revision should come back.

    Signals:
        restore_requested: Id of a revision.
    """

    restore_requested = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._revisions: dict[int, Revision] = {}
        self._text = ""
        self._left, self._right = Choice("Older version"), Choice("Newer version")
        self._mode = Choice("How the versions are shown")
        self._mode.addItems([_INLINE, _SIDE_BY_SIDE])
        self._summary = QLabel()
        self._summary.setProperty("role", "muted")
        self._restore = push_button("Restore the left version", self._ask_restore)
        self._first, self._second = QTextBrowser(), QTextBrowser()
        self._lay_out()
        for box in (self._left, self._right, self._mode):
            box.currentIndexChanged.connect(self._show)

    def _lay_out(self) -> None:
        for box in (self._left, self._right):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(12)
        head = QWidget()
        style_bar(head, Edge.BELOW)
        grid = QGridLayout(head)
        grid.setContentsMargins(12, 8, 12, 8)
        grid.setSpacing(6)
        grid.addWidget(self._left, 0, 0)
        grid.addWidget(QLabel("→"), 0, 1)
        grid.addWidget(self._right, 0, 2)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(2, 1)
        row = QHBoxLayout()
        row.addWidget(self._mode)
        row.addWidget(self._summary, 1)
        row.addWidget(self._restore)
        grid.addLayout(row, 1, 0, 1, 3)
        splitter = QSplitter()
        for browser in (self._first, self._second):
            browser.setOpenLinks(False)
            browser.document().setDocumentMargin(12)
            splitter.addWidget(browser)
        self._first.verticalScrollBar().valueChanged.connect(self._second.verticalScrollBar().setValue)
        self._second.verticalScrollBar().valueChanged.connect(self._first.verticalScrollBar().setValue)
        fill(self, head, splitter, wide=splitter)

    def show_history(self, history: Sequence[Revision], current: int | None, text: str) -> None:
        """Offers the versions of a page.

        Args:
            history: All revisions, newest first.
            current: Id of the current revision.
            text: What is in the editor now.
        """
        offered = sittings(history, current)
        self._revisions = {revision.id: revision for revision in offered}
        self._text = text
        chosen = [box.currentData() for box in (self._left, self._right)]
        for box in (self._left, self._right):
            with QSignalBlocker(box):
                box.clear()
                box.addItem("Text in the editor", _NOW)
                for revision in offered:
                    mark = " (current)" if revision.id == current else ""
                    box.addItem(describe(revision) + mark, revision.id)
        self._choose(self._left, chosen[0], self._default_left(offered, current))
        self._choose(self._right, chosen[1], _NOW)
        self._show()

    def set_text(self, text: str) -> None:
        """Says what is in the editor now."""
        self._text = text
        if self.isVisible():
            self._show()

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        self._show()

    def showEvent(self, event: object) -> None:
        """Compares what changed while it was hidden."""
        super().showEvent(event)  # type: ignore[arg-type]
        self._show()

    @staticmethod
    def _default_left(offered: Sequence[Revision], current: int | None) -> int:
        machine = next((revision.id for revision in offered if revision.source != HUMAN), None)
        older = next((revision.id for revision in offered if revision.id != current), None)
        return machine if machine is not None else older if older is not None else _NOW

    @staticmethod
    def _choose(box: QComboBox, wanted: int | None, otherwise: int) -> None:
        with QSignalBlocker(box):
            place = box.findData(wanted) if wanted is not None and wanted != _NOW else -1
            box.setCurrentIndex(place if place >= 0 else max(box.findData(otherwise), 0))

    def _text_of(self, box: QComboBox) -> str:
        revision = self._revisions.get(box.currentData())
        return revision.text if revision is not None else self._text

    def _show(self) -> None:
        self._restore.setEnabled(self._left.currentData() in self._revisions)
        if not self.isVisible():
            return
        from ocrstudio.ui.labels.differences import MINUS, PLUS, count_changes, to_html, word_changes

        left, right = self._text_of(self._left), self._text_of(self._right)
        changes = word_changes(left, right)
        removed, added = count_changes(changes)
        words = f"{MINUS} {removed} removed   {PLUS} {added} added"
        self._summary.setText(words if removed or added else "No differences")
        inline = self._mode.currentText() == _INLINE
        self._second.setVisible(not inline)
        self._first.setHtml(to_html(left, right, changes, removed=True, added=inline))
        self._second.setHtml("" if inline else to_html(left, right, changes, removed=False, added=True))

    def _ask_restore(self) -> None:
        if self._left.currentData() in self._revisions:
            self.restore_requested.emit(self._left.currentData())
