"""Fields of forms: they never change under a scrolling pointer, and never cut what they show without a mark.

A plain combo box or number field takes the wheel from the form around it. Who scrolls through a form would
change what stands under the pointer, and here a change counts at once.
"""

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QHelpEvent, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QDoubleSpinBox,
    QSpinBox,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QToolTip,
)

from ocrstudio.ui.widgets.form_rows import SPIN_MARGINS

_MOST_SHARE = 50
_POPUP_ROOM = 36  # margins and a scroll bar


class Choice(QComboBox):
    """A list to choose from; its popup is as wide as its longest entry.

    Args:
        name: For assistive technology.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leaves the wheel to the form."""
        event.ignore()

    def showPopup(self) -> None:
        """Opens the list, wide enough."""
        metrics = self.fontMetrics()
        longest = max(
            (metrics.horizontalAdvance(self.itemText(row)) for row in range(self.count())), default=0
        )
        self.view().setMinimumWidth(max(self.width(), longest + _POPUP_ROOM))
        super().showPopup()

    def event(self, event: QEvent) -> bool:
        """Shows the whole entry as a tool tip where there is no other."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent) and not self.toolTip():
            hint = self.itemData(self.currentIndex(), Qt.ItemDataRole.ToolTipRole)
            QToolTip.showText(event.globalPos(), str(hint or self.currentText()), self)
            return True
        return super().event(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paints the entry, with an ellipsis where it does not fit."""
        painter = QStylePainter(self)
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        room = self.style().subControlRect(
            QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, self
        )
        option.currentText = self.fontMetrics().elidedText(
            self.currentText(), Qt.TextElideMode.ElideRight, room.width() - 4
        )
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)


class Count(QSpinBox):
    """A whole number; it counts when it is left or Enter is pressed, not at each digit.

    Args:
        name: For assistive technology.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        _calm(self, name)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Takes the wheel only while the user is in the field."""
        super().wheelEvent(event) if self.hasFocus() else event.ignore()


class Number(QDoubleSpinBox):
    """A number with decimals; otherwise like `Count`.

    Args:
        name: For assistive technology.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        _calm(self, name)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Takes the wheel only while the user is in the field."""
        super().wheelEvent(event) if self.hasFocus() else event.ignore()


def _calm(box: QAbstractSpinBox, name: str) -> None:
    """What number fields have in common: no focus by the wheel, no change at each digit."""
    box.setAccessibleName(name)
    box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    box.setKeyboardTracking(False)
    box.lineEdit().setTextMargins(*SPIN_MARGINS)


def share_field(name: str, share: float = 0.0) -> Number:
    """A field for a share of the pages, in per cent.

    Args:
        name: For assistive technology.
        share: To begin with, between 0 and 1.
    """
    box = Number(name)
    box.setRange(0, _MOST_SHARE)
    box.setDecimals(0)
    box.setSingleStep(5)
    box.setSuffix(" % of pages")
    box.setValue(share * 100)
    return box
