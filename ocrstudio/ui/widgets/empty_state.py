"""What a place says while it has nothing to show: a picture, a sentence, and what to do next."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from ocrstudio.ui.icons import pixmap
from ocrstudio.ui.theme import theme


class EmptyState(QWidget):
    """Icon, heading and advice in the middle, buttons below.

    Args:
        icon: File in resources/icons.
        title: What there is not.
        advice: What to do.
        buttons: Widgets to show below.
    """

    def __init__(self, icon: str, title: str, advice: str, buttons: tuple[QWidget, ...] = ()) -> None:
        super().__init__()
        self._icon_name = icon
        self._icon = QLabel()
        heading = QLabel(title)
        heading.setProperty("role", "heading")
        words = QLabel(advice)
        words.setProperty("role", "muted")
        words.setWordWrap(True)
        for label in (self._icon, heading, words):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        heading.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 18, 18, 18)
        column.setSpacing(8)
        column.addStretch(1)
        for label in (self._icon, heading, words):
            column.addWidget(label)
        column.addSpacing(4)
        for button in buttons:
            column.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(2)
        self.restyle()

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        self._icon.setPixmap(pixmap(self._icon_name, theme().muted, 36))
