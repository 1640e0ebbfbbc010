"""The teacher panel: choices on the left; on the right the batch, and how good the drafts have been."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from ocrstudio.ui.teachers.batch_view import BatchView
from ocrstudio.ui.teachers.quality_view import QualityView
from ocrstudio.ui.teachers.setup import TeacherSetup
from ocrstudio.ui.widgets.layouts import fill, side_by_side, stacked

_WIDTHS = [700, 780]
_LEAST_HEIGHT = 230


class TeacherPanel(QWidget):
    """Holds the parts; the controllers fill them.

    Signals:
        shown: The panel became visible.
    """

    shown = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setup = TeacherSetup()
        self.batch = BatchView()
        self.quality = QualityView()
        right = stacked(self.batch, self.quality, wide=self.batch)
        fill(self, side_by_side(self.setup, right, sizes=_WIDTHS, wide=right))
        self.setMinimumHeight(_LEAST_HEIGHT)

    def showEvent(self, event: QShowEvent) -> None:
        """Tells that the panel is visible."""
        super().showEvent(event)
        self.shown.emit()

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        self.batch.restyle()
