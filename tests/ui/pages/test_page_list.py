import pytest
from PySide6.QtCore import QModelIndex, QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QLineEdit, QToolButton

from ocrstudio.domain.document import Page, PageStatus
from ocrstudio.store import PageRow
from ocrstudio.ui.pages.model import PAGE_ROLE, PageListModel
from ocrstudio.ui.pages.panel import PagesPanel
from tests.fakes.window import button, shown_words

STATUSES = list(PageStatus)


def rows(count, per_document=10):
    return [
        PageRow(
            Page(
                number + 1,
                number // per_document + 1,
                number % per_document,
                595.0,
                842.0,
                STATUSES[number % len(STATUSES)],
                None,
                None,
                "",
            ),
            f"report {number // per_document + 1}",
            None,
            f"words of page {number}",
        )
        for number in range(count)
    ]


@pytest.fixture
def panel(qtbot):
    panel = PagesPanel((), (), QAction("Import"))
    qtbot.addWidget(panel)
    panel.resize(300, 600)
    panel.show()
    return panel


def test_the_model_keeps_qts_rules(qtbot):
    model = PageListModel()
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
    model.set_rows(rows(25))
    model.set_filter({PageStatus.DRAFT}, None)
    model.set_filter((), {3, 4, 20})
    assert model.rowCount(QModelIndex()) == 2
    model.set_rows([])
    assert model.rowCount(QModelIndex()) == 0


def test_twenty_thousand_pages_are_filtered_and_scrolled(panel):
    panel.show_rows(rows(20_000, per_document=200))
    panel.model.set_filter({PageStatus.ACCEPTED}, None)
    documents = [panel.model.index(row, 0) for row in range(panel.model.rowCount())]
    shown = sum(panel.model.rowCount(document) for document in documents)
    assert shown == sum(STATUSES[number % len(STATUSES)] is PageStatus.ACCEPTED for number in range(20_000))
    panel.model.set_filter((), None)
    panel.tree.scrollToBottom()
    last = panel.tree.indexAt(panel.tree.viewport().rect().bottomLeft() - QPoint(0, 4))
    assert last.data(PAGE_ROLE).page.id == 20_000


def test_the_choice_survives_new_rows_and_filters(panel, qtbot):
    panel.show_rows(rows(40))
    panel.select(17)
    panel.show_rows(rows(60))
    assert panel.tree.currentIndex().data(PAGE_ROLE).page.id == 17
    panel.model.set_filter({panel.model.row_of(17).page.status}, None)
    assert panel.tree.currentIndex().data(PAGE_ROLE).page.id == 17


def test_choosing_with_the_keyboard_tells_which_page(panel, qtbot):
    panel.show_rows(rows(40))
    panel.select(1)
    with qtbot.waitSignal(panel.page_selected) as told:
        qtbot.keyClick(panel.tree, Qt.Key.Key_Down)
    assert told.args == [2]


def test_chips_count_all_pages_and_hide_what_there_is_none_of(panel):
    panel.show_rows([row for row in rows(70) if row.page.status is not PageStatus.FAILED])
    words = [one.text() for one in panel.findChildren(QToolButton) if one.isVisibleTo(panel)]
    assert "Accepted 10" in words
    assert not any("Failed" in one for one in words)


def test_chips_filter(panel, qtbot):
    panel.show_rows(rows(70))
    with qtbot.waitSignal(panel.statuses_chosen) as told:
        button(panel, "Flagged 10").click()
    assert told.args == [{PageStatus.FLAGGED}]


def test_moving_crosses_documents_and_ends_at_the_ends():
    model = PageListModel()
    model.set_rows(rows(20))
    assert model.neighbour(10, 1) == 11
    assert model.neighbour(11, -1) == 10
    assert model.neighbour(1, -1) is None
    assert model.neighbour(20, 1) is None
    assert model.neighbour(None, 1) == 1


def test_a_changed_page_is_shown_in_place(panel):
    panel.show_rows(rows(10))
    old = panel.model.row_of(3)
    page = Page(3, 1, 2, 595.0, 842.0, PageStatus.ACCEPTED, 9, None, "")
    panel.model.update_page(page, "human", "new words")
    panel.show_counts()
    assert panel.model.row_of(3).snippet == "new words"
    assert old.page.status is not PageStatus.ACCEPTED
    assert panel.model.index_of(3).data(Qt.ItemDataRole.AccessibleTextRole) == "Page 3, Accepted, new words"


def test_an_empty_list_says_what_to_do(panel):
    panel.show_rows([])
    assert "No documents yet" in shown_words(panel)
    panel.show_rows(rows(3))
    panel.model.set_filter((), frozenset())
    assert "No page matches" in shown_words(panel)


def test_searching_finds_words_of_labels(opened, qtbot):
    panel = opened.window.pages
    panel.findChild(QLineEdit).setText("Chapter 3")
    qtbot.waitUntil(lambda: panel.model.shown == 1)
    panel.findChild(QLineEdit).clear()
    qtbot.waitUntil(lambda: panel.model.shown == 4)


def test_a_click_folds_a_document(opened, qtbot):
    tree = opened.window.pages.tree
    heading = tree.model().index(0, 0)
    assert tree.isExpanded(heading)
    qtbot.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=tree.visualRect(heading).center())
    assert not tree.isExpanded(heading)


def test_what_is_folded_stays_folded_when_the_list_is_read_again(panel, qtbot):
    panel.show_rows(rows(40))
    panel.select(1)
    panel.tree.collapse(panel.model.index(2, 0))
    panel.show_rows(rows(50))
    folded = [not panel.tree.isExpanded(panel.model.index(row, 0)) for row in range(5)]
    assert folded == [False, False, True, False, False]
    panel.model.set_filter({PageStatus.ACCEPTED}, None)
    assert panel.tree.isExpanded(panel.model.index(2, 0)), "what a filter finds is not hidden"


def test_the_place_in_the_list_stays_when_it_is_read_again(panel, qtbot):
    panel.show_rows(rows(400))
    panel.select(1)
    bar = panel.tree.verticalScrollBar()
    bar.setValue(3_000)
    panel.show_rows(rows(410))
    assert bar.value() == 3_000
    panel.select(20)
    seen = bar.value()
    panel.show_rows(rows(400))
    assert bar.value() == seen


def test_no_documents_is_said_only_once_that_is_known(panel):
    panel.show_reading()
    assert not shown_words(panel).strip()
    panel.show_rows([])
    assert "No documents yet" in shown_words(panel)
