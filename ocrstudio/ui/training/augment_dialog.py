"""What ``training.augment`` does with a page, side by side. Not modal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QVBoxLayout, QWidget

from ocrstudio.ui.widgets.notes import heading, note
from ocrstudio.ui.widgets.scaled_picture import ScaledPicture

if TYPE_CHECKING:
    from ocrstudio.ui.training.augment_views import DegradedPage

LOOKS = {"off": "As it is", "light": "Light", "strong": "Strong"}
"""Titles of the levels, from left to right."""


class AugmentDialog(QDialog):
    """Shows a page as it is, degraded lightly, and degraded strongly.

    Args:
        parent: The window.

    Attributes:
        pages: The whole page, by level.
        details: A piece of it.

    Signals:
        another_requested: The user wants to see how it looks in another pass.
    """

    another_requested = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Degraded training pages")
        self.resize(980, 720)
        self._about = note()
        self.pages: dict[str, ScaledPicture] = {}
        self.details: dict[str, ScaledPicture] = {}
        grid = QGridLayout()
        grid.setSpacing(10)
        for column, (level, words) in enumerate(LOOKS.items()):
            self.pages[level] = ScaledPicture(f"The page: {words}")
            self.details[level] = ScaledPicture(f"A piece of the page: {words}")
            grid.addWidget(heading(words), 0, column, Qt.AlignmentFlag.AlignHCenter)
            grid.addWidget(self.pages[level], 1, column)
            grid.addWidget(self.details[level], 2, column)
            grid.setColumnStretch(column, 1)
        grid.setRowStretch(1, 5)
        grid.setRowStretch(2, 2)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.another = buttons.addButton("Another pass", QDialogButtonBox.ButtonRole.ActionRole)
        self.another.clicked.connect(self.another_requested)
        buttons.rejected.connect(self.reject)
        column_of_parts = QVBoxLayout(self)
        column_of_parts.setSpacing(10)
        column_of_parts.addWidget(self._about)
        column_of_parts.addLayout(grid, 1)
        column_of_parts.addWidget(buttons)

    def show_pages(self, name: str, epoch: int, shown: Sequence["DegradedPage"]) -> None:
        """Shows a page.

        Args:
            name: What it is called.
            epoch: The pass, from 0.
            shown: Its looks, in the order of `LOOKS`.
        """
        self._about.setText(
            f"{name}, as it may look in pass {epoch + 1}. In each pass a page gets some of these effects, "
            "more or less of each: turned, blurred, noisy, shaded, pale, compressed, coarse, the back shining"
            " through."
        )
        for level, look in zip(LOOKS, shown, strict=True):
            self.pages[level].show_image(look.page)
            self.details[level].show_image(look.detail)
        self.another.setEnabled(True)

    def wait(self) -> None:
        """The next pictures are being made."""
        self.another.setEnabled(False)
