"""The newest messages, floating over a part of the window: nothing moves when one comes or goes."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from ocrstudio.ui.icons import icon, pixmap
from ocrstudio.ui.theme import theme
from ocrstudio.ui.widgets.buttons import push_button

_COLOURS = {"error": "red", "warning": "orange", "info": "blue"}
_INFO_MS = 6_000
_OFFER_MS = 20_000
"""Information that offers something to do stays longer."""
_MOST = 4
_MARGIN = 14
_LEAST_WIDTH, _MOST_WIDTH = 320, 620
_MOVES = frozenset({QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.Show})


class MessageCard(QFrame):
    """One message: what happened, what to do, and perhaps a button that does it.

    Signals:
        closed: It has nothing more to say.
    """

    closed = Signal()

    def __init__(
        self, level: str, text: str, hint: str, offer: str = "", accept: Callable[[], object] | None = None
    ) -> None:
        super().__init__()
        self.level = level
        self.text = f"{text}\n{hint}" if hint else text
        self.setProperty("role", "message")
        self.setProperty("level", level)
        self.setAccessibleName(f"{level}: {text}")
        self._icon = QLabel()
        words = QLabel(self.text)
        words.setWordWrap(True)
        words.setTextFormat(Qt.TextFormat.PlainText)
        words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        wraps = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        wraps.setHeightForWidth(True)  # a new policy has forgotten it
        words.setSizePolicy(wraps)
        self._close = QToolButton()
        self._close.setProperty("flat", "true")
        self._close.setToolTip("Close this message")
        self._close.setAccessibleName("Close this message")
        self._close.clicked.connect(self.closed)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 7, 8, 7)
        row.setSpacing(10)
        row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(words, 1)
        if accept is not None:
            row.addWidget(push_button(offer, lambda: self._take(accept)))
        row.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.closed)
        if level == "info":
            self._timer.start(_INFO_MS if accept is None else _OFFER_MS)
        self.restyle()

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        self._icon.setPixmap(pixmap(self.level, str(getattr(theme(), _COLOURS[self.level]))))
        self._close.setIcon(icon("close"))

    def _take(self, accept: Callable[[], object]) -> None:
        self.closed.emit()
        accept()


class MessageStack(QWidget):
    """The newest messages, the last at the bottom. Information goes by itself; problems stay until closed.

    Args:
        host: The widget that it floats in.
    """

    def __init__(self, host: QWidget) -> None:
        super().__init__(host)
        self._anchor = host
        self._cards: list[MessageCard] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(6)
        host.installEventFilter(self)
        self.hide()

    @property
    def text(self) -> str:
        """Everything that is shown."""
        return "\n\n".join(card.text for card in self._cards)

    def anchor_to(self, part: QWidget) -> None:
        """Floats at the lower edge of this part of the host from now on."""
        for old in {self._anchor} - {self.parentWidget()}:
            old.removeEventFilter(self)
        self._anchor = part
        part.installEventFilter(self)
        self._place()

    def show_message(
        self, level: str, text: str, hint: str, offer: str = "", accept: Callable[[], object] | None = None
    ) -> None:
        """Shows a message; one with the same words takes the place of the earlier one.

        Args:
            level: ``error``, ``warning`` or ``info``; also the name of the icon.
            text: One sentence.
            hint: What to do; may be empty.
            offer: Words of a button, when there is something to do at once.
            accept: What the button does.
        """
        card = MessageCard(level, text, hint, offer, accept)
        for same in [one for one in self._cards if one.text == card.text]:
            self._drop(same)
        while len(self._cards) >= _MOST:
            # A problem that was not read yet is more important.
            self._drop(next((one for one in self._cards if one.level == "info"), self._cards[0]))
        self._cards.append(card)
        self._column.addWidget(card)
        card.show()  # a layout leaves out what is not shown yet
        card.closed.connect(lambda: self._drop(card))
        self.show()
        self._place()

    def clear(self) -> None:
        """Closes all messages."""
        for card in list(self._cards):
            self._drop(card)

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        for card in self._cards:
            card.restyle()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follows the part that it floats over."""
        if event.type() in _MOVES:
            self._place()
        return super().eventFilter(watched, event)

    def _drop(self, card: MessageCard) -> None:
        if card not in self._cards:
            return
        self._cards.remove(card)
        self._column.removeWidget(card)
        card.hide()
        card.deleteLater()
        self.setVisible(bool(self._cards))
        self._place()

    def _place(self) -> None:
        host = self.parentWidget()
        if self.isHidden() or host is None:
            return
        corner = self._anchor.mapTo(host, QPoint(0, 0))
        width = min(max(self._anchor.width() - 2 * _MARGIN, _LEAST_WIDTH), _MOST_WIDTH)
        width = min(width, host.width())
        height = self._column.heightForWidth(width)
        left = corner.x() + (self._anchor.width() - width) // 2
        left = max(0, min(left, host.width() - width))
        self.setGeometry(left, corner.y() + self._anchor.height() - height - _MARGIN, width, height)
        self.raise_()
