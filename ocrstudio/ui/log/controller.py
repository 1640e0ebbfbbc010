"""Brings the messages of the window and the words of the workers into the log panel."""

from PySide6.QtCore import QObject

from ocrstudio.settings.app import AppSettings
from ocrstudio.ui.jobs.history import LogLine
from ocrstudio.ui.jobs.monitor import RunMonitor
from ocrstudio.ui.log.model import Line
from ocrstudio.ui.log.panel import LogPanel
from ocrstudio.ui.messages import Level, Message, Messages

_WINDOW = "Window"


class LogController(QObject):
    """Fills the log panel.

    Args:
        panel: The panel.
        messages: What the window says; what it said before is added first.
        monitor: What the workers say.
    """

    def __init__(self, panel: LogPanel, messages: Messages, monitor: RunMonitor) -> None:
        super().__init__(panel)
        self._panel = panel
        self._monitor = monitor
        panel.add([_of_message(message) for message in messages.history])
        messages.posted.connect(self._take_message)
        monitor.lines_added.connect(self._take_lines)

    def apply_settings(self, settings: AppSettings) -> None:
        """Takes over changed settings."""
        self._panel.lines.set_limit(settings.log_lines_limit)

    def _take_message(self, message: Message) -> None:
        self._panel.add([_of_message(message)])

    def _take_lines(self, run_id: str, lines: tuple[LogLine, ...]) -> None:
        spec = self._monitor.spec(run_id)
        origin = spec.title if spec is not None else run_id
        self._panel.add([Line(line.time, Level(line.level), origin, line.text) for line in lines])


def _of_message(message: Message) -> Line:
    return Line(message.time, message.level, _WINDOW, f"{message.text} {message.hint}".strip())
