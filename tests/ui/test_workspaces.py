"""Opening, closing and importing through the window."""

from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton

from ocrstudio.domain.document import PageStatus
from ocrstudio.services import labelling
from ocrstudio.store import Workspace
from ocrstudio.ui.documents.password_dialog import PasswordDialog
from ocrstudio.ui.pages.model import PAGE_ROLE
from ocrstudio.ui.widgets.path_field import PathField, PathKind
from tests.fakes.pdfs import damaged_pdf, encrypted_pdf, text_pdf
from tests.fakes.window import button, draft, shown_words


def drop(widget, *paths, onto_window=True):
    """Drags files over a widget and drops them on whatever took the drag; Qt asks from the inside out."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(50, 50), Qt.DropAction.CopyAction, data, buttons, keys)
    QApplication.sendEvent(widget, enter)
    assert enter.isAccepted()
    target = widget.window() if onto_window else widget
    QApplication.sendEvent(target, QDropEvent(QPointF(50, 50), Qt.DropAction.CopyAction, data, buttons, keys))


def test_a_dropped_pdf_makes_a_workspace_beside_it(studio, qtbot, tmp_path):
    path = text_pdf(tmp_path / "ledger.pdf", 3)
    drop(studio.window, path)
    qtbot.waitUntil(lambda: studio.window.pages.model.total == 3)
    assert studio.session.root == tmp_path / "ledger labels"
    assert studio.window.windowTitle().startswith("ledger labels")
    assert "1 document with 3 pages imported." in studio.window.message_stack.text
    assert str(tmp_path / "ledger labels") in studio.window.message_stack.text
    qtbot.waitUntil(lambda: studio.window.viewer.view.has_picture)


def test_a_pdf_named_on_the_command_line_is_opened(studio, qtbot, tmp_path):
    studio.start(text_pdf(tmp_path / "ledger.pdf", 2))
    qtbot.waitUntil(lambda: studio.window.pages.model.total == 2)
    assert studio.session.root == tmp_path / "ledger labels"


def test_opening_the_same_pdf_again_opens_its_workspace(studio, qtbot, tmp_path):
    path = text_pdf(tmp_path / "ledger.pdf", 2)
    for _ in range(2):
        studio.workspaces.take_files([path])
        qtbot.waitUntil(lambda: not studio.background.busy)
        studio.session.close()
    with Workspace.open(tmp_path / "ledger labels") as workspace:
        assert len(workspace.documents.list()) == 1


def test_a_folder_is_imported_file_by_file(opened, qtbot, tmp_path):
    folder = tmp_path / "sources"
    folder.mkdir()
    text_pdf(folder / "good.pdf", 2)
    damaged_pdf(folder / "bad.pdf")
    drop(opened.window, folder)
    qtbot.waitUntil(lambda: opened.window.pages.model.total == 6)
    said = [message.text for message in opened.messages.history]
    assert any("bad.pdf" in text for text in said)
    assert any("1 file could not be read" in text for text in said)
    assert "bad.pdf" in opened.window.message_stack.text


def password_dialog(studio, qtbot, files):
    """The dialog that asks for the password of these files."""

    def found():
        open_ones = [one for one in studio.window.findChildren(PasswordDialog) if one.isVisible()]
        return [one for one in open_ones if files in shown_words(one)]

    qtbot.waitUntil(lambda: bool(found()))
    return found()[0]


def test_an_encrypted_pdf_is_imported_with_its_password(opened, qtbot, tmp_path):
    opened.documents.import_sources([encrypted_pdf(tmp_path / "secret.pdf")])
    dialog = password_dialog(opened, qtbot, "secret.pdf is encrypted")
    assert not dialog.isModal()
    dialog.field.setText("wrong")
    dialog.confirm.click()
    dialog = password_dialog(opened, qtbot, "does not open it")
    dialog.field.setText("sesame")
    dialog.confirm.click()
    qtbot.waitUntil(lambda: opened.window.pages.model.total == 5)
    assert "no password was kept" in opened.window.message_stack.text


def test_an_encrypted_pdf_can_be_left_out(opened, qtbot, tmp_path):
    opened.documents.import_sources([encrypted_pdf(tmp_path / "secret.pdf")])
    password_dialog(opened, qtbot, "secret.pdf is encrypted").leave_out.click()
    qtbot.waitUntil(lambda: "secret.pdf is encrypted and was not" in opened.window.message_stack.text)
    assert opened.window.pages.model.total == 4


def test_several_encrypted_pdfs_are_asked_for_together(opened, qtbot, tmp_path):
    files = [encrypted_pdf(tmp_path / f"{name}.pdf", name) for name in ("one", "two")]
    opened.documents.import_sources(files)
    dialog = password_dialog(opened, qtbot, "one.pdf, two.pdf are encrypted")
    dialog.field.setText("one")
    dialog.confirm.click()
    dialog = password_dialog(opened, qtbot, "two.pdf is encrypted")
    dialog.field.setText("two")
    dialog.confirm.click()
    qtbot.waitUntil(lambda: opened.window.pages.model.total == 6)


def test_a_question_goes_away_with_its_workspace(opened, qtbot, tmp_path):
    opened.documents.import_sources([encrypted_pdf(tmp_path / "secret.pdf")])
    dialog = password_dialog(opened, qtbot, "secret.pdf is encrypted")
    opened.session.close()
    assert not dialog.isVisible()


def test_what_was_imported_beside_other_documents_can_be_shown(opened, qtbot, tmp_path):
    opened.documents.import_sources([text_pdf(tmp_path / "tides.pdf", 1)])
    qtbot.waitUntil(lambda: "1 document with 1 page imported." in opened.window.message_stack.text)
    show = next(one for one in opened.window.message_stack.findChildren(QPushButton) if one.text() == "Show")
    show.click()
    rows = opened.window.pages.model
    qtbot.waitUntil(lambda: rows.total == 5)
    assert rows.row_of(opened.session.page_id).document_name == "tides"
    assert opened.window.pages.tree.currentIndex().data(PAGE_ROLE).document_name == "tides"


def test_a_folder_that_is_no_workspace_is_a_sentence(studio, tmp_path):
    assert not studio.workspaces.open(tmp_path)
    assert "is not a workspace" in studio.window.message_stack.text
    assert studio.session.workspace is None


def test_recent_workspaces_are_offered_on_the_start_page(studio, qtbot, workspace_root):
    studio.workspaces.open(workspace_root)
    studio.session.close()
    assert studio.state.recent() == (workspace_root,)
    with qtbot.waitSignal(studio.session.opened):
        studio.window.start.recent_chosen.emit(workspace_root)


def test_a_recent_workspace_that_is_gone_is_not_offered(studio, tmp_path):
    studio.state.remember_workspace(tmp_path / "gone")
    assert studio.state.recent() == ()


@pytest.fixture
def home(tmp_path, monkeypatch):
    folder = tmp_path / "somebody"
    folder.mkdir()
    monkeypatch.setattr(Path, "home", lambda: folder)
    return folder


def test_the_sample_is_one_click_and_the_same_the_next_time(studio, qtbot, home):
    sample = button(studio.window.start, " Try the sample")
    sample.click()
    qtbot.waitUntil(lambda: studio.window.pages.model.total == 31)
    counts = studio.session.workspace.pages.counts()
    assert (counts[PageStatus.ACCEPTED], counts[PageStatus.UNLABELLED]) == (24, 7)
    assert "train the built-in reader" in studio.window.message_stack.text
    root = studio.session.workspace.root
    studio.session.close()
    sample.click()
    assert studio.session.workspace.root == root
    assert list(home.iterdir()) == [root]


def test_the_sample_leaves_a_folder_of_its_name_alone(studio, home):
    taken = home / "OCR Studio sample"
    taken.mkdir()
    studio.window.book["workspace.sample"].trigger()
    assert studio.session.workspace.root == home / "OCR Studio sample 2"
    assert not list(taken.iterdir())


def test_an_empty_workspace_says_what_to_do_next(studio, qtbot, tmp_path):
    studio.workspaces.create(tmp_path / "new")
    panel = studio.window.pages
    qtbot.waitUntil(lambda: not studio.background.busy)
    assert "No documents yet" in shown_words(panel)


def test_sizes_are_remembered(studio, qtbot):
    studio.window.resize(1111, 777)
    studio.window.book["window.panels"].setChecked(False)
    studio.window.close()
    assert studio.state.bytes("window/geometry") is not None
    assert not studio.state.flag("window/panels", default=True)


def test_the_tabs_of_the_panels_are_there_before_the_panels(studio, qtbot, workspace_root):
    studio.workspaces.open(workspace_root)
    window = studio.window
    before = window.viewer.view.height()
    assert window.bottom.tabText(0) == "Teacher"
    qtbot.waitUntil(studio.panels.teachers.isVisible)
    assert window.viewer.view.height() == before, "nothing jumps when they come"
    window.book["window.panels"].trigger()
    assert not window.bottom.isVisible()


def test_ctrl_r_asks_for_a_draft_of_the_page(opened, qtbot):
    with qtbot.waitSignal(opened.session.draft_requested) as told:
        opened.window.book["page.draft"].trigger()
    assert told.args == [opened.session.page_id]


def test_help_lists_the_keys(opened, qtbot):
    from ocrstudio.ui.keys_dialog import KeysDialog

    qtbot.keyClick(opened.window, Qt.Key.Key_F1)
    dialog = opened.window.findChild(KeysDialog)
    assert dialog is not None
    assert dialog.isVisible()
    dialog.close()


def test_what_another_process_wrote_is_shown_when_the_user_comes_back(opened, qtbot, workspace_root):
    with Workspace.open(workspace_root) as other:
        labelling.add_draft(other, opened.session.page_id, draft(8))
    opened.window.activated.emit()
    assert opened.window.labels.editor.text == draft(8).text
    row = opened.window.pages.model.row_of
    qtbot.waitUntil(lambda: row(opened.session.page_id).snippet.startswith("# Chapter 9"))


@pytest.mark.parametrize("part", ["editor", "page", "preview", "search", "panel"])
def test_a_file_dropped_on_any_part_is_imported_and_never_written_into_a_text(opened, qtbot, tmp_path, part):
    window = opened.window
    search = window.pages.findChild(QLineEdit)
    panel = opened.panels.teachers
    widgets = {
        "editor": window.labels.editor.viewport(),
        "page": window.viewer.view.viewport(),
        "preview": window.labels.preview.viewport(),
        "search": search,
        "panel": panel.setup.base_url,
    }
    before = window.labels.editor.text
    drop(widgets[part], text_pdf(tmp_path / "tides.pdf", 1))
    qtbot.waitUntil(lambda: window.pages.model.total == 5)
    assert window.labels.editor.text == before
    assert search.text() == ""
    qtbot.waitUntil(lambda: not opened.background.busy)


def test_words_can_still_be_dropped_into_the_editor(opened):
    data = QMimeData()
    data.setText("dragged words")
    area = opened.window.labels.editor.viewport()
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(5, 5), Qt.DropAction.CopyAction, data, buttons, keys)
    QApplication.sendEvent(area, enter)
    QApplication.sendEvent(area, QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, buttons, keys))
    assert "dragged words" in opened.window.labels.editor.text


def test_a_file_dropped_on_a_line_for_a_path_is_its_path(qtbot, tmp_path):
    field = PathField(PathKind.FILE, "Prompts")
    qtbot.addWidget(field)
    told = []
    field.edited.connect(told.append)
    drop(field.findChild(QLineEdit), tmp_path / "prompts.yaml", onto_window=False)
    assert field.text == str(tmp_path / "prompts.yaml")
    assert told == [field.text]


def test_a_hidden_bottom_area_stays_hidden_at_the_next_start(studio, qapp, settings):
    from ocrstudio.ui.app import Studio

    studio.window.book["window.panels"].setChecked(False)
    studio.window.close()
    again = Studio(qapp, settings, studio.state._store)
    again.window.show()
    assert again.window.bottom.isHidden()
    again.window.book["window.panels"].trigger()
    assert not again.window.bottom.isHidden(), "one key press shows it"
    again.window.close()
    again.shutdown()
    again.window.deleteLater()
    again.themes.deleteLater()


def test_a_folder_of_page_pictures_is_one_document_whose_pages_are_drawn(opened, qtbot, tmp_path):
    folder = tmp_path / "scans"
    (folder / "sub").mkdir(parents=True)
    for number, colour in ((1, "red"), (3, "lime")):
        Image.new("RGB", (80, 60), colour).save(folder / "sub" / f"x_p{number}.png")
    (folder / "notes.txt").touch()
    drop(opened.window, folder)
    qtbot.waitUntil(lambda: opened.window.pages.model.total == 6)
    said = opened.window.message_stack.text
    assert "1 document with 2 pages imported." in said
    assert "Left out: 1 file that is neither PDF nor image (.txt)." in said
    button(opened.window.message_stack, "Show").click()
    view = opened.window.viewer.view
    qtbot.waitUntil(lambda: view.has_picture)
    opened.pages.step(1)
    qtbot.waitUntil(lambda: view.has_picture)
    row = opened.window.pages.model.row_of(opened.session.page_id)
    assert (row.document_name, row.page.index + 1) == ("x", 3)
    assert opened.window.viewer._count.text() == "of 3"
    assert view._picture.pixmap().toImage().pixelColor(20, 20).name() == "#00ff00"
