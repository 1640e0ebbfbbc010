"""Taking a document out of the workspace and bringing it back."""

import pytest
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QMenu, QMessageBox

from ocrstudio.services import labelling
from ocrstudio.services.workspaces import import_sources
from ocrstudio.store import Workspace
from ocrstudio.ui.menus import REMOVED
from tests.fakes.pdfs import text_pdf
from tests.fakes.window import button, shown_words


@pytest.fixture
def two(studio, workspace_root, tmp_path, qtbot):
    """The composed window with two documents: four drafted pages, one of them accepted, and two bare ones."""
    with Workspace.open(workspace_root) as workspace:
        import_sources(workspace, [text_pdf(tmp_path / "tides.pdf", 2)])
        labelling.accept(workspace, workspace.pages.list()[0].page.id)
    assert studio.workspaces.open(workspace_root)
    qtbot.waitUntil(lambda: studio.session.page_id is not None)
    return studio


def question(studio):
    return next(one for one in studio.window.findChildren(QMessageBox) if one.isVisible())


def remove(studio, qtbot):
    studio.window.book["documents.remove"].trigger()
    button(question(studio), "Remove").click()
    qtbot.waitUntil(lambda: "was removed" in studio.window.message_stack.text)


def names(studio):
    return {row.document_name for row in studio.session.workspace.pages.list()}


def test_the_question_says_what_goes_and_that_nothing_is_lost(two, qtbot):
    two.window.book["documents.remove"].trigger()
    box = question(two)
    assert not box.isModal()
    assert "Remove harbour from" in box.text()
    assert "Its 4 pages go, 4 of them with a label (1 accepted)." in box.informativeText()
    assert "Nothing is deleted" in box.informativeText()
    button(box, "Keep").click()
    assert names(two) == {"harbour", "tides"}


def test_a_removed_document_is_gone_from_the_list_and_another_page_is_shown(two, qtbot):
    remove(two, qtbot)
    qtbot.waitUntil(lambda: names(two) == {"tides"})
    assert two.window.pages.model.row_of(two.session.page_id).page.index == 0


def test_the_last_document_can_be_removed_too(opened, qtbot):
    remove(opened, qtbot)
    qtbot.waitUntil(lambda: opened.window.pages.model.total == 0)
    assert opened.session.page_id is None
    assert "No documents yet" in shown_words(opened.window.pages)


def test_undo_brings_the_document_back_with_its_labels(two, qtbot):
    text = two.window.labels.editor.text
    remove(two, qtbot)
    button(two.window.message_stack, "Undo").click()
    qtbot.waitUntil(lambda: names(two) == {"harbour", "tides"})
    assert two.window.labels.editor.text == text
    assert two.window.pages.model.row_of(two.session.page_id).document_name == "harbour"


def test_the_file_menu_restores_it_later(two, qtbot):
    remove(two, qtbot)
    qtbot.waitUntil(lambda: names(two) == {"tides"})
    menu = two.window.submenus[REMOVED]
    menu.aboutToShow.emit()
    assert [action.text() for action in menu.actions()] == ["harbour (4 pages)"]
    menu.actions()[0].trigger()
    qtbot.waitUntil(lambda: names(two) == {"harbour", "tides"})
    menu.aboutToShow.emit()
    assert [(one.text(), one.isEnabled()) for one in menu.actions()] == [("No removed documents", False)]


def test_what_was_typed_a_moment_ago_is_kept_with_a_removed_document(two, qtbot):
    qtbot.keyClicks(two.window.labels.editor, "Typed. ")
    remove(two, qtbot)
    button(two.window.message_stack, "Undo").click()
    qtbot.waitUntil(lambda: names(two) == {"harbour", "tides"})
    assert two.window.labels.editor.text.startswith("Typed. ")


def test_importing_the_same_file_restores_it(two, qtbot, tmp_path):
    remove(two, qtbot)
    two.documents.import_sources([tmp_path / "tides.pdf"])
    qtbot.waitUntil(lambda: "already there" in two.window.message_stack.text)


def test_an_undo_of_another_workspace_does_nothing(two, qtbot, tmp_path):
    remove(two, qtbot)
    undo = button(two.window.message_stack, "Undo")
    two.workspaces.create(tmp_path / "other")
    undo.click()
    assert "is back" not in two.window.message_stack.text
    assert two.session.workspace.documents.list() == []


def test_the_menu_of_a_heading_is_about_its_document(two, qtbot):
    panel = two.window.pages
    qtbot.waitUntil(lambda: panel.model.total == 6)
    place = panel.tree.visualRect(panel.model.index(1, 0)).center()
    where = panel.tree.viewport().mapToGlobal(place)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, where)
    QApplication.sendEvent(panel.tree.viewport(), event)
    menu = next(one for one in panel.findChildren(QMenu) if one.isVisible())
    assert [action.objectName() for action in menu.actions()] == ["documents.remove"]
    menu.actions()[0].trigger()
    assert "Remove tides from" in question(two).text()
    menu.close()
