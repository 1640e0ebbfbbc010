"""The left part of a panel that starts something: choices in columns, what the start will do, the button."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QLabel, QLayout, QProgressBar, QWidget

from ocrstudio.ui.widgets.buttons import push_button
from ocrstudio.ui.widgets.layouts import Edge, bar, fill, stacked
from ocrstudio.ui.widgets.notes import scrolling

_MARGINS = (12, 10, 12, 10)
_SPACING = 20
_LEAST_WIDTH = 300


class Columns(QWidget):
    """Columns side by side where there is room for them, otherwise below each other."""

    def __init__(self) -> None:
        super().__init__()
        self._columns: list[QLayout] = []
        self._box = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        self._box.setContentsMargins(*_MARGINS)
        self._box.setSpacing(_SPACING)

    def add(self, column: QLayout, share: int = 1) -> None:
        """Adds a column; the shares divide the width."""
        self._columns.append(column)
        self._box.addLayout(column, share)

    def minimumSizeHint(self) -> QSize:
        """As narrow as the widest column: that lets it become so narrow that they go below each other."""
        widest = max((column.minimumSize().width() for column in self._columns), default=0)
        return QSize(widest + _MARGINS[0] + _MARGINS[2], super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Changes the direction with the width."""
        direction = QBoxLayout.Direction
        needed = sum(column.minimumSize().width() + _SPACING for column in self._columns) - _SPACING
        fits = event.size().width() >= needed + _MARGINS[0] + _MARGINS[2]
        self._box.setDirection(direction.LeftToRight if fits else direction.TopToBottom)
        super().resizeEvent(event)


class SetupFrame(QWidget):
    """Shows the choices and emits what is wanted; the parts come from whoever derives from it.

    Args:
        start_words: Words of the button.

    Signals:
        start_requested: The button was pressed.
    """

    start_requested = Signal()

    def __init__(self, start_words: str) -> None:
        super().__init__()
        self.columns = Columns()
        self._summary = QLabel()
        self._summary.setWordWrap(True)
        self._summary.setAccessibleName("What will happen")
        self._progress = QProgressBar()
        self._progress.setTextVisible(False)
        self._progress.hide()
        self.start = push_button(start_words, self.start_requested.emit, primary=True)
        words = stacked(self._summary, self._progress)
        footer = bar(Edge.ABOVE, words, self.start, wide=words, margins=(12, 8, 12, 8), spacing=10)
        layout = footer.layout()
        if layout is not None:
            layout.setAlignment(self.start, Qt.AlignmentFlag.AlignBottom)
        self._choices = scrolling(self.columns)
        fill(self, self._choices, footer, wide=self._choices)
        self.setMinimumWidth(_LEAST_WIDTH)

    def show_summary(self, text: str, *, ready: bool) -> None:
        """Says what the start will do, or what is missing."""
        self._summary.setText(text)
        if not ready and self.start.hasFocus():
            self._choices.setFocus()  # and not whatever button comes next, which a second Space would press
        self.start.setEnabled(ready)

    def show_progress(self, done: int, total: int, text: str) -> None:
        """Shows that the start is being prepared; ``total`` 0 means unknown."""
        self.show_summary(text, ready=False)
        self._progress.setRange(0, total)
        self._progress.setValue(done)
        self._progress.show()

    def hide_progress(self) -> None:
        """The start is prepared, or could not be."""
        self._progress.hide()
