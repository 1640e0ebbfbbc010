"""The line under the loss curve: whether the student looked at its pictures, and how far its parts moved."""

import html

from PySide6.QtWidgets import QLabel, QWidget

from ocrstudio.domain.picture_check import movement_in_words, read_check, read_movement
from ocrstudio.ui.icons import pixmap
from ocrstudio.ui.jobs.history import RunHistory
from ocrstudio.ui.theme import theme
from ocrstudio.ui.widgets.elided_label import ElidedLabel
from ocrstudio.ui.widgets.layouts import Edge, bar, fill

_ICON_SIZE = 16


class LookLine(QWidget):
    """Shows what the summary of a run says of both; hidden while it says nothing."""

    def __init__(self) -> None:
        super().__init__()
        self._history: RunHistory | None = None
        self._icon = QLabel()
        self._sentence = QLabel()
        self._sentence.setAccessibleName("Does the student look")
        self._moved = ElidedLabel("")
        self._moved.setProperty("role", "muted")
        self._moved.setAccessibleName("How far each part moved")
        fill(self, bar(Edge.ABOVE, self._icon, self._sentence, self._moved, wide=self._moved))
        self.hide()

    def show_history(self, history: RunHistory | None) -> None:
        """Shows another run, or its new state."""
        self._history = history
        summary = history.summary if history is not None else {}
        check, moved = read_check(summary), movement_in_words(read_movement(summary))
        self.setVisible(check is not None or bool(moved))
        self._icon.setVisible(check is not None)
        self._sentence.setVisible(check is not None)
        self._moved.setText(moved)
        details = [moved]
        if check is not None:
            colours = theme()
            look = ("accepted", colours.green) if check.looks else ("warning", colours.orange)
            self._icon.setPixmap(pixmap(*look, _ICON_SIZE))
            self._sentence.setText(check.sentence())
            self._sentence.setStyleSheet("" if check.looks else f"color: {colours.orange};")
            details = [check.sentence(), check.details(), check.meaning(), moved]
            self._sentence.setAccessibleDescription(" ".join(filter(None, details)))
        words = "".join(f"<p>{html.escape(text)}</p>" for text in details if text)  # paragraphs wrap
        for part in (self._icon, self._sentence, self._moved):
            part.setToolTip(words)

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        self.show_history(self._history)
