import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextDocument

from ocrstudio.domain.document import PageStatus
from ocrstudio.services import labelling
from ocrstudio.store import Workspace
from ocrstudio.ui.labels.preview import Preview, render
from ocrstudio.ui.labels.source_line import SaveState
from tests.fakes.window import draft, show_panel


def type_words(opened, qtbot, words="Typed. "):
    opened.window.labels.show_tab(0)
    qtbot.keyClicks(opened.window.labels.editor, words)


def stored_text(root, page_id):
    with Workspace.open(root) as workspace:
        return workspace.labels.current(page_id).text


def test_typing_is_saved_after_a_moment_of_quiet(opened, qtbot, workspace_root):
    page = opened.session.page_id
    type_words(opened, qtbot)
    line = opened.window.labels.source_line
    assert line.save_state is SaveState.TYPING
    qtbot.waitUntil(lambda: line.save_state is SaveState.SAVED)
    assert stored_text(workspace_root, page).startswith("Typed. # Chapter 1")
    assert "In review" in line.words
    assert "2 revisions" in line.words


def test_leaving_a_page_saves_it(opened, qtbot, workspace_root):
    page = opened.session.page_id
    type_words(opened, qtbot)
    opened.pages.step(1)
    assert stored_text(workspace_root, page).startswith("Typed. ")


def test_leaving_the_editor_saves_it(opened, qtbot, workspace_root):
    opened.window.activateWindow()
    type_words(opened, qtbot)
    qtbot.waitUntil(opened.window.labels.editor.hasFocus)
    opened.window.pages.tree.setFocus()
    assert stored_text(workspace_root, opened.session.page_id).startswith("Typed. ")


def test_going_through_pages_changes_nothing(opened, workspace_root):
    for _ in range(3):
        opened.pages.step(1)
    opened.labels.save_now()
    with Workspace.open(workspace_root) as workspace:
        assert workspace.labels.counts_by_source() == {"teacher:offline": 4}


def test_a_failed_save_is_said_once_and_tried_again(opened, qtbot, workspace_root, monkeypatch):
    page = opened.session.page_id
    blocker = Workspace.open(workspace_root)
    monkeypatch.setattr("ocrstudio.ui.labels.autosave._RETRY_MS", 50)
    opened.session.workspace._database._connection.execute("PRAGMA busy_timeout = 10")
    with blocker.transaction():
        blocker.pages.set_status(page, PageStatus.DRAFT)
        type_words(opened, qtbot)
        line = opened.window.labels.source_line
        qtbot.waitUntil(lambda: line.save_state is SaveState.FAILED)
        opened.labels.save_now()
        errors = [one for one in opened.messages.history if "not saved" in one.text]
        assert len(errors) == 1
    qtbot.waitUntil(lambda: line.save_state is SaveState.SAVED)
    blocker.close()
    assert stored_text(workspace_root, page).startswith("Typed. ")


def test_the_window_stays_open_once_when_something_cannot_be_saved(opened, qtbot, monkeypatch):
    from ocrstudio.domain.errors import WorkspaceError

    def refuse(*_args):
        raise WorkspaceError("The disk is full.", "Free space.")

    type_words(opened, qtbot)
    monkeypatch.setattr(labelling, "save_edit", refuse)
    assert not opened.window.close()
    assert "The disk is full." in opened.window.message_stack.text
    monkeypatch.undo()
    assert opened.window.close()


def test_accept_goes_on_to_the_next_page_to_review(opened, qtbot):
    first = opened.session.page_id
    opened.window.book["review.accept"].trigger()
    assert opened.session.page_id != first
    assert opened.session.workspace.pages.get(first).status is PageStatus.ACCEPTED
    assert opened.window.pages.model.row_of(first).page.status is PageStatus.ACCEPTED


def test_an_empty_label_cannot_be_accepted(opened, qtbot):
    editor = opened.window.labels.editor
    editor.selectAll()
    editor.cut()
    opened.window.book["review.accept"].trigger()
    assert "no label to accept" in opened.window.message_stack.text


def test_editing_an_accepted_page_puts_it_back_into_review(opened, qtbot):
    first = opened.session.page_id
    opened.window.book["review.accept"].trigger()
    opened.session.choose_page(first)
    type_words(opened, qtbot)
    opened.labels.save_now()
    assert opened.session.workspace.pages.get(first).status is PageStatus.IN_REVIEW


def test_excluding_and_reopening(opened):
    page = opened.session.page_id
    opened.window.book["review.exclude"].trigger()
    assert opened.session.workspace.pages.get(page).status is PageStatus.EXCLUDED
    opened.window.book["review.reopen"].trigger()
    assert opened.session.workspace.pages.get(page).status is PageStatus.IN_REVIEW


def test_a_flag_shows_its_note(opened, monkeypatch):
    from PySide6.QtWidgets import QInputDialog

    monkeypatch.setattr(QInputDialog, "getText", lambda *_args, **_more: ("The table is wrong.", True))
    opened.window.book["review.flag"].trigger()
    assert "Flagged: The table is wrong." in opened.window.labels.source_line.words


def test_an_older_revision_comes_back(opened, qtbot, workspace_root):
    page = opened.session.page_id
    type_words(opened, qtbot)
    opened.labels.save_now()
    opened.labels._show_facts(page)
    opened.window.labels.show_tab(2)
    opened.window.labels.compare._restore.click()
    assert opened.window.labels.editor.text == draft(0).text
    assert stored_text(workspace_root, page) == draft(0).text


def test_compare_shows_what_was_typed(opened, qtbot):
    type_words(opened, qtbot, "Fresh ")
    opened.window.labels.show_tab(2)
    compare = opened.window.labels.compare
    assert compare._summary.text() == "\N{MINUS SIGN} 0 removed   + 1 added"
    assert "+Fresh" in compare._first.toPlainText()
    compare._mode.setCurrentIndex(1)
    assert "Fresh" not in compare._first.toPlainText()
    assert "+Fresh" in compare._second.toPlainText()


def test_a_draft_that_arrives_is_shown(opened, workspace_root):
    page = opened.session.page_id
    with Workspace.open(workspace_root) as workspace:
        labelling.add_draft(workspace, page, draft(7))
    opened.session.tell_pages_changed([page])
    assert opened.window.labels.editor.text == draft(7).text


def test_a_draft_does_not_push_unsaved_typing_away(opened, qtbot, workspace_root):
    page = opened.session.page_id
    type_words(opened, qtbot)
    with Workspace.open(workspace_root) as workspace:
        labelling.add_draft(workspace, page, draft(7))
    opened.session.tell_pages_changed([page])
    assert opened.window.labels.editor.text.startswith("Typed. ")
    opened.labels.save_now()
    assert stored_text(workspace_root, page).startswith("Typed. ")


def test_a_workspace_that_vanished_is_a_sentence_and_not_a_false_promise(opened, qtbot, workspace_root):
    away = workspace_root.rename(workspace_root.with_name("away"))
    type_words(opened, qtbot)
    assert not opened.labels.save_now()
    assert "is gone" in opened.window.message_stack.text
    assert opened.window.labels.source_line.save_state is SaveState.FAILED
    away.rename(workspace_root)
    assert opened.labels.save_now()
    assert stored_text(workspace_root, opened.session.page_id).startswith("Typed. ")


@pytest.fixture
def preview(background, qtbot, tmp_path):
    preview = Preview(background)
    qtbot.addWidget(preview)
    preview.set_root(tmp_path)
    preview.show()
    return preview


def test_the_preview_renders_tables_and_maths(preview, qtbot):
    preview.show_text(
        "# T\n\n<table><tr><td>cell</td></tr></table>\n\n\\(x^2\\) and \\(\\frac{\\)", new_page=True
    )
    qtbot.waitUntil(lambda: "cell" in preview.toPlainText())
    assert "\N{OBJECT REPLACEMENT CHARACTER}" in preview.toPlainText()
    assert r"\(\frac{\)" in preview.toPlainText()


def test_the_preview_stays_where_it_is_while_typing(preview, qtbot):
    preview.resize(300, 200)
    text = "\n\n".join(f"paragraph {number}" for number in range(100))
    preview.show_text(text, new_page=True)
    qtbot.waitUntil(lambda: "paragraph 99" in preview.toPlainText())
    preview.verticalScrollBar().setValue(700)
    preview.show_text(text + "\n\nlast words", new_page=False)
    qtbot.waitUntil(lambda: "last words" in preview.toPlainText())
    assert preview.verticalScrollBar().value() == 700


def test_the_preview_shows_pictures_of_the_workspace_only(preview, tmp_path):
    outside = tmp_path.parent / "outside.png"
    inside = tmp_path / "inside.png"
    for path in (outside, inside):
        from PIL import Image

        Image.new("RGB", (30, 20)).save(path)
    kind = QTextDocument.ResourceType.ImageResource.value
    assert preview.loadResource(kind, "inside.png").width() == 30
    for address in ("../outside.png", str(outside), outside.as_uri(), "http://127.0.0.1:9/x.png"):
        assert preview.loadResource(kind, address).width() == 1
    outside.unlink()


def test_rendering_works_off_the_windows_thread(background, qtbot):
    seen = []
    background.run(lambda _: render("\\(x\\)", "#000000"), seen.append)
    qtbot.waitUntil(lambda: bool(seen))
    assert list(seen[0].pictures) == ["maths:0"]


def test_tabs_have_keys(opened, qtbot):
    tabs = opened.window.labels.tabs
    for action, number in (("view.preview", 1), ("view.compare", 2), ("view.edit", 0)):
        opened.window.book[action].trigger()
        assert tabs.currentIndex() == number


def test_f6_goes_round_the_panes(opened, qtbot):
    window = opened.window
    show_panel(opened, "teacher")
    window.activateWindow()
    window.pages.tree.setFocus()
    qtbot.waitUntil(window.pages.tree.hasFocus)
    stops = []
    for _ in range(4):
        qtbot.keyClick(window, Qt.Key.Key_F6)
        stops.append(window.focusWidget())
    assert stops[:2] == [window.viewer.view, window.labels.editor]
    assert window.bottom.isAncestorOf(stops[2])
    assert stops[3] is window.pages.tree
    qtbot.keyClick(window, Qt.Key.Key_F6, Qt.KeyboardModifier.ShiftModifier)
    assert window.bottom.isAncestorOf(window.focusWidget())
    qtbot.keyClick(window.viewer.view, Qt.Key.Key_F12)  # Qt believes Shift held until a key comes without it
