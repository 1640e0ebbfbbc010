"""A small screen: the window fits, and nothing in it is cut."""

import pytest
from PySide6.QtWidgets import QAbstractButton, QComboBox, QPushButton, QScrollArea

from ocrstudio.services.labelling import accept, exclude, flag
from ocrstudio.store import Workspace
from tests.fakes.window import show_panel

SMALL = (1100, 700)
ROOM_FOR_OTHER_FONTS = 30


@pytest.fixture
def small(opened, qtbot):
    assert opened.panels is not None
    qtbot.waitUntil(lambda: opened.panels.log.parent() is not None)
    opened.window.resize(*SMALL)
    return opened


@pytest.mark.parametrize("panel", ["teacher", "training", "evaluation", "environment", "log"])
def test_the_window_stays_small_whatever_panel_is_shown(small, qtbot, panel):
    show_panel(small, panel)
    qtbot.wait(0)
    size = small.window.minimumSizeHint()
    assert size.width() + ROOM_FOR_OTHER_FONTS <= SMALL[0]
    assert size.height() <= SMALL[1]
    assert (small.window.width(), small.window.height()) == SMALL


@pytest.mark.parametrize("panel", ["teacher", "training", "evaluation", "environment", "log"])
def test_the_words_of_every_button_are_whole(small, qtbot, panel):
    show_panel(small, panel)
    qtbot.wait(0)
    buttons = [one for one in small.window.findChildren(QPushButton) if one.isVisible()]
    assert buttons
    cut = [one.text() for one in buttons if one.width() < one.minimumSizeHint().width()]
    assert cut == []


def test_every_chip_of_the_page_list_can_be_seen(small, qtbot):
    pages = small.window.pages
    with Workspace.open(small.session.root) as workspace:
        for row, act in zip(workspace.pages.list(), (accept, exclude, flag), strict=False):
            act(workspace, row.page.id)
    small.window.activated.emit()
    qtbot.waitUntil(lambda: sum(chip.isVisible() for chip in pages._chips.values()) == 4)
    qtbot.wait(0)
    for chip in pages._chips.values():
        if chip.isVisible():
            assert chip.geometry().bottom() < chip.parentWidget().height()


@pytest.mark.parametrize("panel", ["teacher", "training"])
def test_choices_go_below_each_other_and_are_not_cut(small, qtbot, panel):
    show_panel(small, panel)
    qtbot.wait(0)
    setup = getattr(small.panels, {"teacher": "teachers", "training": "training"}[panel]).setup
    area = setup.findChild(QScrollArea)
    assert area.widget().width() <= area.viewport().width()
    for field in area.widget().findChildren((QComboBox, QAbstractButton)[0]):
        if field.isVisible():
            right = field.mapTo(area.widget(), field.rect().bottomRight()).x()
            assert right <= area.viewport().width()
