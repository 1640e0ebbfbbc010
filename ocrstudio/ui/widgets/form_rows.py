"""Rows of a title and a widget, one below the other; long notes get exactly the height they need."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QGridLayout, QLabel, QWidget

SPIN_MARGINS = (5, 0, 0, 0)
"""Space left of the text of a number field, so that it stands below the text of other fields."""

_LEAST_CHARACTERS = 8


class FormRows(QGridLayout):
    """A form whose rows can be hidden, title included."""

    def __init__(self) -> None:
        super().__init__()
        self.setContentsMargins(0, 0, 0, 0)
        self.setHorizontalSpacing(10)
        self.setVerticalSpacing(6)
        self.setColumnStretch(1, 1)
        self._titles: dict[QWidget, QLabel] = {}

    def add(self, title: str, widget: QWidget, *, tall: bool = False) -> None:
        """Adds a row.

        Args:
            title: Words before the widget; empty leaves their place free.
            widget: The field.
            tall: Whether it has several lines; the title stands beside the first.
        """
        row = self.rowCount()
        if isinstance(widget, QComboBox):  # the longest entry must not make the form wide
            widget.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            widget.setMinimumContentsLength(_LEAST_CHARACTERS)
        label = QLabel(title)
        label.setBuddy(widget)
        self._titles[widget] = label
        if tall:
            label.setContentsMargins(0, 2, 0, 0)
        if title:
            self.addWidget(label, row, 0, Qt.AlignmentFlag.AlignTop if tall else Qt.AlignmentFlag(0))
        self.addWidget(widget, row, 1)

    def addStretch(self) -> None:
        """Leaves the remaining height free."""
        self.setRowStretch(self.rowCount(), 1)

    def set_visible(self, widget: QWidget, visible: bool) -> None:
        """Shows or hides a row."""
        widget.setVisible(visible)
        if self._titles[widget].text():
            self._titles[widget].setVisible(visible)
