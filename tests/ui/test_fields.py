"""Fields of forms under the pointer of somebody who scrolls."""

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from ocrstudio.ui.widgets.fields import Choice, Count, share_field
from ocrstudio.ui.widgets.notes import scrolling


def wheel(widget):
    place = QPointF(widget.rect().center())
    buttons, keys = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    event = QWheelEvent(
        place,
        QPointF(widget.mapToGlobal(place.toPoint())),
        QPoint(0, 0),
        QPoint(0, -120),
        buttons,
        keys,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)
    return event.isAccepted()


@pytest.fixture
def form(qtbot):
    body = QWidget()
    column = QVBoxLayout(body)
    choice, count, share = Choice("Teacher"), Count("Pages"), share_field("Held out", 0.1)
    choice.addItems(["one", "two", "three"])
    count.setRange(1, 99)
    count.setValue(5)
    for widget in (choice, count, share):
        column.addWidget(widget)
    column.addSpacing(2_000)
    area = scrolling(body)
    qtbot.addWidget(area)
    area.resize(300, 200)
    area.show()
    return area, choice, count, share


def test_scrolling_over_a_field_is_left_to_the_form_and_changes_nothing(form):
    _, choice, count, share = form
    assert [wheel(field) for field in (choice, count, share)] == [False] * 3
    assert (choice.currentText(), count.value(), share.value()) == ("one", 5, 10)


def test_a_number_takes_the_wheel_while_the_user_is_in_it(form, qtbot):
    _, _, count, _ = form
    count.activateWindow()
    count.setFocus()
    qtbot.waitUntil(count.hasFocus)
    wheel(count)
    assert count.value() == 4


def test_the_list_of_a_narrow_choice_is_as_wide_as_its_longest_entry(qtbot):
    choice = Choice("Student")
    qtbot.addWidget(choice)
    choice.addItems(["short", "a very long title of a training that nobody could read otherwise"])
    choice.setFixedWidth(120)
    choice.show()
    choice.showPopup()
    assert choice.view().width() > choice.fontMetrics().horizontalAdvance(choice.itemText(1)) > 120
    choice.hidePopup()
