"""The log of a run: its events in words, or what the worker and its libraries printed."""

import time
from pathlib import Path

from PySide6.QtCore import QEvent, QTimer
from PySide6.QtGui import QColor, QFontDatabase, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit

from ocrstudio.ui.jobs.history import LogLine, RunHistory
from ocrstudio.ui.theme import theme

_MOST_LINES = 5_000
_BLOCK = 262_144
_LOOK_MS = 500
_SIGNS = {"info": " ", "warning": "\N{WARNING SIGN}", "error": "\N{MULTIPLICATION X}"}


class _Lines(QPlainTextEdit):
    """Read-only lines that follow their end unless the user has scrolled up."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setReadOnly(True)
        self.setMaximumBlockCount(_MOST_LINES)
        self.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.setAccessibleName(name)
        self.document().setDocumentMargin(8)

    def insert_end(self, text: str, style: QTextCharFormat | None = None) -> None:
        bar = self.verticalScrollBar()
        follows = bar.value() >= bar.maximum() - 2
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(text, style or QTextCharFormat())
        if follows:
            bar.setValue(bar.maximum())


class EventLog(_Lines):
    """The events of a run as sentences."""

    def __init__(self) -> None:
        super().__init__("Events of the run")
        self.setPlaceholderText("What the worker tells appears here.")
        self._history: RunHistory | None = None
        self._shown = 0

    def show_history(self, history: RunHistory | None) -> None:
        """Shows another run, or the new lines of the same one."""
        if history is not self._history:
            self._history = history
            self._shown = 0
            self.clear()
        if history is None or not self.isVisible():
            return
        new = min(history.line_count - self._shown, _MOST_LINES, len(history.lines))
        if new:
            for line in list(history.lines)[-new:]:
                self._write(line)
            self._shown = history.line_count

    def showEvent(self, event: QEvent) -> None:
        """Writes what came while it was hidden."""
        super().showEvent(event)  # type: ignore[arg-type]
        self.show_history(self._history)

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        history, self._history = self._history, None
        self.show_history(history)

    def _write(self, line: LogLine) -> None:
        style = QTextCharFormat()
        colour = {"warning": theme().orange, "error": theme().red}.get(line.level, theme().text)
        style.setForeground(QColor(colour))
        clock = time.strftime("%H:%M:%S", time.localtime(line.time))
        start = "" if self.document().isEmpty() else "\n"
        self.insert_end(f"{start}{clock} {_SIGNS[line.level]} {line.text}", style)


class FileTail(_Lines):
    """The end of a growing text file; it reads only while it can be seen."""

    def __init__(self) -> None:
        super().__init__("Output of the worker")
        self.setPlaceholderText("The worker has printed nothing.")
        self._path: Path | None = None
        self._offset = 0
        self._look = QTimer(self)
        self._look.setInterval(_LOOK_MS)
        self._look.timeout.connect(self._read)

    def show_file(self, path: Path | None) -> None:
        """Shows another file, or none."""
        if path == self._path:
            return
        self._path = path
        self._offset = 0
        self.clear()
        self._read()

    def showEvent(self, event: QEvent) -> None:
        """Begins to follow the file."""
        super().showEvent(event)  # type: ignore[arg-type]
        self._read()
        self._look.start()

    def hideEvent(self, event: QEvent) -> None:
        """Stops following the file."""
        super().hideEvent(event)  # type: ignore[arg-type]
        self._look.stop()

    def _read(self) -> None:
        if self._path is None or not self.isVisible():
            return
        try:
            size = self._path.stat().st_size
            if size <= self._offset:
                return
            with self._path.open("rb") as file:
                file.seek(max(self._offset, size - _BLOCK))
                data = file.read(_BLOCK)
                self._offset = file.tell()
        except OSError:
            return  # there is no log before the worker has started
        text = data.decode("utf-8", errors="replace").replace("\r\n", "\n").replace("\r", "\n")
        self.insert_end(text)
