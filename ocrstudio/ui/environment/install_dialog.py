"""Asks whether to install what trains, and shows how far that is; not modal, so that labelling goes on."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QProgressBar, QVBoxLayout, QWidget

from ocrstudio.domain.wording import shortened, size_of
from ocrstudio.ui.background import Progress
from ocrstudio.ui.widgets.notes import heading, note

_LINE = 90


class InstallDialog(QDialog):
    """One question, then one progress bar.

    Args:
        parent: The window.
        missing: What is missing, one sentence.
        words: What would be installed, and where.

    Signals:
        wanted: The user agrees.
        stop_requested: The user ends the installation.
    """

    wanted = Signal()
    stop_requested = Signal()

    def __init__(self, parent: QWidget, missing: str, words: str) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Install what trains")
        self.setMinimumWidth(520)
        self._running = False
        head = heading(missing)
        head.setWordWrap(True)
        text = QLabel(words)
        text.setWordWrap(True)
        text.setTextFormat(Qt.TextFormat.PlainText)
        self.bar = QProgressBar()
        self.bar.setRange(0, 0)
        self.bar.setTextVisible(False)
        self.bar.hide()
        self.state = note()
        self.state.hide()
        buttons = QDialogButtonBox()
        self.install = buttons.addButton("Install", QDialogButtonBox.ButtonRole.AcceptRole)
        self.install.setProperty("primary", "true")
        self.leave = buttons.addButton("Not now", QDialogButtonBox.ButtonRole.RejectRole)
        buttons.accepted.connect(self._begin)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setSpacing(10)
        for widget in (head, text, self.bar, self.state, buttons):
            column.addWidget(widget)

    def show_progress(self, progress: Progress) -> None:
        """Shows the newest line, and how much was written."""
        written = f" ({size_of(progress.done)} written)" if progress.done else ""
        self.state.setText(f"{shortened(progress.text, _LINE)}{written}")

    def close_for_good(self) -> None:
        """The installation is over."""
        self._running = False
        self.reject()

    def reject(self) -> None:
        """Escape, the close button, "Not now" and "Stop": an installation that runs is stopped first."""
        if not self._running:
            super().reject()
            return
        self.leave.setEnabled(False)
        self.state.setText("Stopping …")
        self.stop_requested.emit()

    def _begin(self) -> None:
        self._running = True
        self.install.hide()
        self.leave.setText("Stop")
        self.bar.show()
        self.state.setText("Starting …")
        self.state.show()
        self.wanted.emit()
