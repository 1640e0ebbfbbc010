"""The bar at the top of the window: one message at a time, with its hint, never in the way."""

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton

from ocrstudio.ui.icons import icon, pixmap
from ocrstudio.ui.theme import theme

_COLOURS = {"error": "red", "warning": "orange", "info": "blue"}
_INFO_MS = 6_000


class MessageBar(QFrame):
    """Shows the last message; information goes away by itself, problems stay until they are closed."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "message")
        self._icon = QLabel()
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._close = QToolButton()
        self._close.setProperty("flat", "true")
        self._close.setToolTip("Close this message")
        self._close.setAccessibleName("Close this message")
        self._close.clicked.connect(self.hide)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_INFO_MS)
        self._timer.timeout.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 7, 8, 7)
        row.setSpacing(10)
        row.addWidget(self._icon)
        row.addWidget(self._text, 1)
        row.addWidget(self._close)
        self.hide()

    @property
    def text(self) -> str:
        """What is shown."""
        return self._text.text()

    def show_message(self, level: str, text: str, hint: str) -> None:
        """Shows a message.

        Args:
            level: ``error``, ``warning`` or ``info``; also the name of the icon.
            text: One sentence.
            hint: What to do; may be empty.
        """
        if self.isVisible() and level == "info" and self.property("level") == "error":
            return  # a problem that was not read yet is more important
        self.setProperty("level", level)
        self.style().unpolish(self)
        self.style().polish(self)
        self._icon.setPixmap(pixmap(level, str(getattr(theme(), _COLOURS[level]))))
        self._close.setIcon(icon("close"))
        self._text.setText(f"{text}\n{hint}" if hint else text)
        self.setAccessibleName(f"{level}: {text}")
        self.show()
        if level == "info":
            self._timer.start()
        else:
            self._timer.stop()
