"""The teacher panel: choices on the left, the batch on the right."""

from PySide6.QtWidgets import QWidget

from ocrstudio.ui.teachers.batch_view import BatchView
from ocrstudio.ui.teachers.setup import TeacherSetup
from ocrstudio.ui.widgets.layouts import fill, side_by_side

_WIDTHS = [700, 780]
_LEAST_HEIGHT = 230


class TeacherPanel(QWidget):
    """Holds the two parts; the controller fills them."""

    def __init__(self) -> None:
        super().__init__()
        self.setup = TeacherSetup()
        self.batch = BatchView()
        fill(self, side_by_side(self.setup, self.batch, sizes=_WIDTHS, wide=self.batch))
        self.setMinimumHeight(_LEAST_HEIGHT)

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        self.batch.restyle()
