"""A line for a file or folder with a button that chooses one."""

from enum import Enum

from PySide6.QtCore import Signal
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QToolButton, QWidget

YAML_FILES = "YAML (*.yaml *.yml);;All files (*)"
JSONL_FILES = "Datasets (*.jsonl *.json *.gz *.csv *.tsv *.parquet *.xml);;All files (*)"
"""Which files a dialog offers."""


class PathKind(Enum):
    """What is chosen."""

    FILE = "file"
    FOLDER = "folder"


class PathLine(QLineEdit):
    """A line that takes a dropped file as its path.

    Signals:
        path_dropped: The line holds the path of a dropped file now.
    """

    path_dropped = Signal()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Takes files, and whatever else a line takes."""
        if _files_of(event):
            event.acceptProposedAction()
        else:
            super().dragEnterEvent(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        """A line would refuse a file here again."""
        if _files_of(event):
            event.acceptProposedAction()
        else:
            super().dragMoveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        """Writes the path of a file, and any other drop as text."""
        files = _files_of(event)
        if not files:
            super().dropEvent(event)
            return
        event.acceptProposedAction()
        self.setText(files[0])
        self.path_dropped.emit()


def _files_of(event: QDropEvent) -> list[str]:
    return [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]


class PathField(QWidget):
    """A path that can be typed or chosen.

    Args:
        kind: File or folder.
        caption: Title of the dialog and name for assistive technology.
        placeholder: Shown while it is empty.
        name_filter: Which files the dialog offers.

    Signals:
        edited: The path was changed by the user.
    """

    edited = Signal(str)

    def __init__(self, kind: PathKind, caption: str, placeholder: str = "", name_filter: str = "") -> None:
        super().__init__()
        self._kind = kind
        self._caption = caption
        self._filter = name_filter
        self._line = PathLine()
        self._line.setPlaceholderText(placeholder)
        self._line.setAccessibleName(caption)
        self._line.editingFinished.connect(self._left)
        self._line.path_dropped.connect(self._left)
        self._told = ""
        button = QToolButton()
        button.setText("…")
        button.setToolTip(caption)
        button.setAccessibleName(caption)
        button.clicked.connect(self.browse)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self._line, 1)
        row.addWidget(button)
        self.setFocusProxy(self._line)

    @property
    def text(self) -> str:
        """The path as typed."""
        return self._line.text().strip()

    def set_text(self, text: str) -> None:
        """Shows a path without emitting `edited`."""
        self._told = text
        self._line.setText(text)
        self._line.setToolTip(text)

    def browse(self) -> None:
        """Asks for a path."""
        if self._kind is PathKind.FOLDER:
            chosen = QFileDialog.getExistingDirectory(self, self._caption, self.text)
        else:
            chosen, _ = QFileDialog.getOpenFileName(self, self._caption, self.text, self._filter)
        if chosen:
            self._line.setText(chosen)
            self._left()

    def _left(self) -> None:
        if self.text != self._told:
            self._told = self.text
            self._line.setToolTip(self.text)
            self.edited.emit(self.text)
