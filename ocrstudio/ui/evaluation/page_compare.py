"""One page of an evaluation: its picture, the reference and the prediction, and what can be done with it."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedWidget, QTextBrowser, QVBoxLayout, QWidget

from ocrstudio.ui.background import Background
from ocrstudio.ui.evaluation.rendered_diff import mark_differences
from ocrstudio.ui.evaluation.results import PageLine
from ocrstudio.ui.labels.differences import MINUS, PLUS, count_changes, to_html, word_changes
from ocrstudio.ui.labels.preview import Preview
from ocrstudio.ui.widgets.buttons import push_button
from ocrstudio.ui.widgets.elided_label import ElidedLabel
from ocrstudio.ui.widgets.empty_state import EmptyState
from ocrstudio.ui.widgets.fields import Choice
from ocrstudio.ui.widgets.layouts import Edge, fill, side_by_side, stacked, style_bar
from ocrstudio.ui.widgets.scaled_picture import ScaledPicture

_SOURCE, _RENDERED = "Source", "Rendered"
_HELP = {
    "Use as draft": "Keeps the prediction as a draft; a label that you accepted or wrote stays beside it",
    "Open in editor": "Goes to this page in the list and the editor",
}


class PageCompare(QWidget):
    """Shows the chosen page.

    Signals:
        open_requested: Go to the page in the editor.
        draft_requested: Keep the prediction as a draft.
    """

    open_requested = Signal()
    draft_requested = Signal()

    def __init__(self, background: Background) -> None:
        super().__init__()
        self._line: PageLine | None = None
        self._title = ElidedLabel("")
        font = self._title.font()
        font.setBold(True)
        self._title.setFont(font)
        self._counts = QLabel()
        self._counts.setProperty("role", "muted")
        self._mode = Choice("How the texts are shown")
        self._mode.addItems([_SOURCE, _RENDERED])
        self._mode.currentIndexChanged.connect(self._show_texts)
        self.open = push_button("Open in editor", self.open_requested.emit)
        self.draft = push_button("Use as draft", self.draft_requested.emit)
        self._picture = ScaledPicture("Picture of the page")
        self._sources = (QTextBrowser(), QTextBrowser())
        self._rendered = (Preview(background), Preview(background))
        for view in (*self._sources, *self._rendered):
            view.setOpenLinks(False)
            view.document().setDocumentMargin(10)
        for view in self._rendered:
            view.drawn.connect(self._mark)
        self._couple(*self._sources)
        self._couple(*self._rendered)
        self._stack = QStackedWidget()
        self._empty = EmptyState(
            "compare", "No page chosen", "Choose a page of the table to see what differs."
        )
        self._lay_out()

    def _lay_out(self) -> None:
        tools = QHBoxLayout()
        tools.setSpacing(8)
        for widget in (self._mode, self._counts, self.draft, self.open):
            tools.addWidget(widget, 1 if widget is self._counts else 0)
        head = QWidget()
        style_bar(head, Edge.BELOW)
        column = QVBoxLayout(head)
        column.setContentsMargins(12, 7, 12, 7)
        column.setSpacing(5)
        column.addWidget(self._title)
        column.addLayout(tools)
        sides = []
        for number, title in enumerate((f"{MINUS} Reference", f"{PLUS} Prediction")):
            words = QLabel(title)
            words.setProperty("role", "muted")
            words.setContentsMargins(10, 4, 10, 4)
            self._sources[number].setAccessibleName(title)
            self._rendered[number].setAccessibleName(f"{title}, rendered")
            texts = stacked(self._sources[number], self._rendered[number])
            sides.append(stacked(words, texts, wide=texts))
        splitter = side_by_side(self._picture, *sides, sizes=[180, 260, 260])
        self._stack.addWidget(self._empty)
        self._stack.addWidget(stacked(head, splitter, wide=splitter))
        fill(self, self._stack)

    @staticmethod
    def _couple(first: QTextBrowser, second: QTextBrowser) -> None:
        first.verticalScrollBar().valueChanged.connect(second.verticalScrollBar().setValue)
        second.verticalScrollBar().valueChanged.connect(first.verticalScrollBar().setValue)

    def show_line(self, line: PageLine | None, *, in_workspace: bool) -> None:
        """Shows a page whose report is there, or nothing.

        Args:
            line: The page.
            in_workspace: Whether it is a page of the open workspace.
        """
        self._line = line if line is not None and line.result is not None else None
        self._stack.setCurrentIndex(0 if self._line is None else 1)
        if line is None or self._line is None:
            return
        self._title.setText(f"{line.name}: {line.figures}")
        for button in (self.open, self.draft):
            button.setEnabled(in_workspace)
            button.setToolTip(
                _HELP[button.text()] if in_workspace else "This page is not in the open workspace."
            )
        self._picture.show_image(None)
        self._show_texts()

    def show_picture(self, key: str, image: QImage) -> None:
        """Shows the picture of a page, if it is still the chosen one."""
        if self._line is not None and self._line.key == key:
            self._picture.show_image(image)

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        self._empty.restyle()
        for view in self._rendered:
            view.restyle()
        self._show_texts()

    def _show_texts(self) -> None:
        result = self._line.result if self._line is not None else None
        rendered = self._mode.currentText() == _RENDERED
        for number in (0, 1):
            self._sources[number].setVisible(not rendered)
            self._rendered[number].setVisible(rendered)
        if result is None:
            return
        reference, prediction = result.reference, result.prediction or ""
        changes = word_changes(reference, prediction)
        removed, added = count_changes(changes)
        words = f"{MINUS} {removed}   {PLUS} {added}" if removed or added else "No differences"
        self._counts.setText(words if result.prediction is not None else result.error or "No prediction")
        if rendered:
            for view, text in zip(self._rendered, (reference, prediction), strict=True):
                view.show_text(text, new_page=True)
        else:
            self._sources[0].setHtml(to_html(reference, prediction, changes, removed=True, added=False))
            self._sources[1].setHtml(to_html(reference, prediction, changes, removed=False, added=True))

    def _mark(self) -> None:
        if self._mode.currentText() == _RENDERED and all(view.is_current for view in self._rendered):
            mark_differences(*self._rendered)
