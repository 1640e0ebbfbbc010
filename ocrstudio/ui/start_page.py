"""What the window shows while no workspace is open."""

from pathlib import Path

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from ocrstudio.ui.actions import ActionBook
from ocrstudio.ui.icons import app_icon, icon
from ocrstudio.ui.theme import theme
from ocrstudio.ui.widgets.buttons import labelled_button
from ocrstudio.ui.widgets.elided_label import ElidedLabel

_WIDTH = 640
_SHOWN = 6


class StartPage(QWidget):
    """Offers to make, open or reopen a workspace.

    Signals:
        recent_chosen: Folder of a workspace.
    """

    recent_chosen = Signal(object)

    def __init__(self, actions: ActionBook) -> None:
        super().__init__()
        self._actions = actions
        self._list = QVBoxLayout()
        self._list.setSpacing(2)
        self._heading = QLabel("Recent workspaces")
        self._heading.setProperty("role", "heading")
        self._recent: tuple[Path, ...] = ()
        middle = QWidget()
        middle.setFixedWidth(_WIDTH)
        column = QVBoxLayout(middle)
        column.setSpacing(14)
        column.addLayout(self._header())
        column.addSpacing(6)
        column.addLayout(self._buttons())
        column.addWidget(self._hint())
        column.addSpacing(10)
        column.addWidget(self._heading)
        column.addLayout(self._list)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(middle)
        row.addStretch(1)
        outer = QVBoxLayout(self)
        outer.addStretch(2)
        outer.addLayout(row)
        outer.addStretch(3)
        self.show_recent(())

    @staticmethod
    def _header() -> QHBoxLayout:
        picture = QLabel()
        picture.setPixmap(app_icon().pixmap(QSize(56, 56)))
        title = QLabel("OCR Studio")
        title.setProperty("role", "title")
        words = QLabel(
            "Label documents, correct the labels, fine-tune DeepSeek-OCR on them, measure the gain."
        )
        words.setProperty("role", "muted")
        words.setWordWrap(True)
        texts = QVBoxLayout()
        texts.setSpacing(3)
        texts.addWidget(title)
        texts.addWidget(words)
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addWidget(picture)
        row.addLayout(texts, 1)
        return row

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(labelled_button(self._actions["workspace.open_document"], "Open PDF…", primary=True))
        row.addWidget(labelled_button(self._actions["workspace.new"], "New workspace…"))
        row.addWidget(labelled_button(self._actions["workspace.open"], "Open workspace…"))
        row.addWidget(labelled_button(self._actions["workspace.sample"], "Try the sample"))
        row.addStretch(1)
        return row

    @staticmethod
    def _hint() -> QFrame:
        frame = QFrame()
        frame.setProperty("role", "card")
        words = QLabel(
            "Drop PDFs, images or a folder anywhere on this window. OCR Studio makes a workspace "
            "beside them: a folder with copies of the sources, every version of every label, and the runs."
        )
        words.setWordWrap(True)
        words.setProperty("role", "muted")
        column = QVBoxLayout(frame)
        column.setContentsMargins(14, 12, 14, 12)
        column.addWidget(words)
        return frame

    def show_recent(self, folders: tuple[Path, ...]) -> None:
        """Shows the workspaces that were open lately, the last first."""
        self._recent = folders
        while (item := self._list.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        for folder in folders[:_SHOWN]:
            self._list.addWidget(self._row(folder))
        self._heading.setVisible(bool(folders))

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        self.show_recent(self._recent)

    def _row(self, folder: Path) -> QWidget:
        row = QWidget()
        button = QPushButton(f" {folder.name}")
        button.setIcon(icon("folder", theme().accent))
        button.setProperty("flat", "true")
        button.setToolTip(str(folder))
        button.clicked.connect(lambda: self.recent_chosen.emit(folder))
        place = ElidedLabel(str(folder.parent))
        place.setProperty("role", "muted")
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(10)
        line.addWidget(button)
        line.addWidget(place, 1)
        return row
