"""Faults of the program: one dialog with the details to copy, and the program goes on."""

import logging
import platform
import sys
import traceback
from types import TracebackType

import PySide6
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QApplication, QMessageBox, QWidget

_LOG = logging.getLogger("ocrstudio.ui")


class CrashReporter(QObject):
    """Takes over ``sys.excepthook`` while the window lives.

    Faults in other threads arrive here through a signal. While a dialog is open, further faults are only
    logged: a broken timer must not fill the screen with dialogs.
    """

    _caught = Signal(str, str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.count = 0
        self._parent = parent
        self._dialog: QMessageBox | None = None
        self._earlier = sys.excepthook
        self._caught.connect(self._show)
        sys.excepthook = self.handle

    def handle(self, kind: type[BaseException], problem: BaseException, trace: TracebackType | None) -> None:
        """The hook."""
        if issubclass(kind, KeyboardInterrupt):
            QApplication.quit()
            return
        _LOG.error("Fault of the program", exc_info=(kind, problem, trace))
        self._caught.emit(f"{kind.__name__}: {problem}", details(kind, problem, trace))

    def restore(self) -> None:
        """Puts the earlier hook back."""
        sys.excepthook = self._earlier
        if self._dialog is not None:
            self._dialog.close()

    def _show(self, summary: str, text: str) -> None:
        self.count += 1
        if self._dialog is not None:
            return
        dialog = QMessageBox(
            QMessageBox.Icon.Critical,
            "OCR Studio",
            "Something went wrong inside OCR Studio.\nYour labels are safe: typing is saved every second.",
            QMessageBox.StandardButton.Close,
            self._parent,
        )
        dialog.setWindowModality(Qt.WindowModality.NonModal)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setInformativeText(summary)
        dialog.setDetailedText(text)
        copy = dialog.addButton("Copy details", QMessageBox.ButtonRole.ActionRole)
        copy.clicked.disconnect()  # copying leaves the dialog open
        copy.clicked.connect(lambda: QApplication.clipboard().setText(text))
        dialog.finished.connect(self._closed)
        self._dialog = dialog
        dialog.show()

    def _closed(self) -> None:
        self._dialog = None


def details(kind: type[BaseException], problem: BaseException, trace: TracebackType | None) -> str:
    """What a bug report needs: versions and the traceback."""
    lines = [
        f"Python {platform.python_version()}, PySide6 {PySide6.__version__}, {platform.platform()}",
        "",
        *traceback.format_exception(kind, problem, trace),
    ]
    return "\n".join(lines)
