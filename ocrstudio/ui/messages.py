"""The one door through which anything becomes visible to the user.

`error`, `warning` and `info` may be called from any thread. A `Messages` bus keeps the history and emits a
signal in the thread of the window; what is said before a window listens is kept and shown then.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from PySide6.QtCore import QObject, Signal

from ocrstudio.domain.errors import OcrStudioError

_LOG = logging.getLogger("ocrstudio.ui")
_HISTORY = 2_000


class Level(StrEnum):
    """How much a message matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


_LOG_LEVELS = {Level.INFO: logging.INFO, Level.WARNING: logging.WARNING, Level.ERROR: logging.ERROR}


@dataclass(frozen=True)
class Offer:
    """Something that can be done at once about a message.

    Attributes:
        words: The words of its button.
        accept: Does it; called in the window's thread.
    """

    words: str
    accept: Callable[[], object]


@dataclass(frozen=True)
class Message:
    """One sentence for the user and what to do about it.

    Attributes:
        level: Information, warning or error.
        text: One sentence.
        hint: What to do; may be empty.
        offer: What can be done at once, or None.
        quiet: Whether only the log has it, because another message speaks of it.
        time: Unix time in seconds.
    """

    level: Level
    text: str
    hint: str = ""
    offer: Offer | None = None
    quiet: bool = False
    time: float = field(default_factory=time.time)


class Messages(QObject):
    """The bus.

    Signals:
        posted: A `Message` for the bar and the log.
    """

    posted = Signal(object)
    _received = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.history: list[Message] = []
        self._received.connect(self._deliver)

    def error(self, text: str, hint: str = "") -> None:
        """Something failed."""
        self.post(Message(Level.ERROR, text, hint))

    def warning(self, text: str, hint: str = "") -> None:
        """Something needs attention."""
        self.post(Message(Level.WARNING, text, hint))

    def info(self, text: str, hint: str = "", offer: Offer | None = None) -> None:
        """Something worth knowing happened."""
        self.post(Message(Level.INFO, text, hint, offer))

    def failure(self, problem: OcrStudioError) -> None:
        """Shows an expected failure with its hint."""
        self.error(problem.message, problem.hint)

    def note(self, problem: OcrStudioError, level: Level = Level.ERROR) -> None:
        """Keeps one of several failures for the log; another message sums them up."""
        self.post(Message(level, problem.message, problem.hint, quiet=True))

    def post(self, message: Message) -> None:
        """Sends a message; from another thread it arrives through the event loop."""
        _LOG.log(_LOG_LEVELS[message.level], "%s %s", message.text, message.hint)
        self._received.emit(message)

    def _deliver(self, message: Message) -> None:
        self.history.append(message)
        del self.history[:-_HISTORY]
        self.posted.emit(message)
