"""The teacher panel: choices on the left, the batch on the right."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from ocrstudio.ui.teachers.batch_view import BatchView
from ocrstudio.ui.teachers.setup import TeacherSetup

_WIDTHS = [700, 780]
_LEAST_HEIGHT = 230


class TeacherPanel(QWidget):
    """Holds the two parts; the controller fills them."""

    def __init__(self) -> None:
        super().__init__()
        self.setup = TeacherSetup()
        self.batch = BatchView()
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.addWidget(self.setup)
        splitter.addWidget(self.batch)
        splitter.setChildrenCollapsible(False)
        splitter.setStretchFactor(1, 1)
        splitter.setSizes(_WIDTHS)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(splitter)
        self.setup.setMinimumWidth(520)
        self.batch.setMinimumWidth(340)
        self.setMinimumHeight(_LEAST_HEIGHT)

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        self.batch.restyle()
