"""Exporting and importing datasets through the window."""

import json

import pytest
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QPushButton

from ocrstudio.domain.document import PageStatus
from ocrstudio.services import labelling
from ocrstudio.services.dataset_export import export_workspace
from ocrstudio.store import Workspace
from ocrstudio.tasks import get_task, load_tasks
from ocrstudio.ui.datasets.export_dialog import ExportDialog
from ocrstudio.ui.datasets.import_dialog import ImportDialog
from tests.fakes.window import show_panel, shown_words


@pytest.fixture
def accepted(studio, workspace_root, qtbot):
    """The composed window; three of the four pages are accepted."""
    with Workspace.open(workspace_root) as workspace:
        for row in workspace.pages.list()[:3]:
            labelling.accept(workspace, row.page.id)
    assert studio.workspaces.open(workspace_root)
    qtbot.waitUntil(lambda: studio.session.page_id is not None)
    return studio


def dialog_of(studio, kind, action):
    studio.window.book[action].trigger()
    return next(one for one in studio.window.findChildren(kind) if one.isVisible())


def said(studio):
    return studio.window.message_stack.text


def test_accepted_pages_are_written_and_the_folder_is_offered(accepted, qtbot, tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    dialog = dialog_of(accepted, ExportDialog, "datasets.export")
    assert not dialog.isModal()
    assert "Writes 3 pages, 1 of them for evaluation." in shown_words(dialog)
    dialog.folder.set_text(str(tmp_path / "out"))
    dialog.export.click()
    qtbot.waitUntil(lambda: "Exported 2 samples for training, 1 for evaluation." in said(accepted))
    lines = (tmp_path / "out" / "train.jsonl").read_text("utf-8").splitlines()
    assert len(lines) == 2
    assert "# Chapter" in json.loads(lines[0])["messages"][1]["content"]
    assert str(tmp_path / "out") in said(accepted)
    offers = accepted.window.message_stack.findChildren(QPushButton)
    next(one for one in offers if one.text() == "Open folder").click()
    assert opened == [str(tmp_path / "out")]


def test_other_pages_are_written_when_they_are_chosen(accepted, qtbot, tmp_path):
    dialog = dialog_of(accepted, ExportDialog, "datasets.export")
    assert dialog.statuses[PageStatus.DRAFT].text() == "Draft (1 page)"
    assert not dialog.statuses[PageStatus.FLAGGED].isEnabled()
    dialog.statuses[PageStatus.DRAFT].click()
    dialog.held_out.setValue(0)
    assert "Writes 4 pages, all for training." in shown_words(dialog)
    dialog.folder.set_text(str(tmp_path / "out"))
    dialog.export.click()
    qtbot.waitUntil(lambda: "Exported 4 samples for training." in said(accepted))
    assert not (tmp_path / "out" / "eval.jsonl").exists()


def test_without_pages_or_a_folder_there_is_a_reason_in_place_of_the_export(opened):
    dialog = dialog_of(opened, ExportDialog, "datasets.export")
    assert not dialog.export.isEnabled()
    assert "Accept some pages first" in shown_words(dialog)
    dialog.statuses[PageStatus.DRAFT].click()
    assert dialog.export.isEnabled()
    dialog.folder.set_text("")
    dialog.folder.edited.emit("")
    assert not dialog.export.isEnabled()
    assert "Choose a folder for the dataset." in shown_words(dialog)


def test_a_folder_with_other_files_is_refused_and_kept(accepted, qtbot, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "diary.txt").write_text("mine", "utf-8")
    dialog = dialog_of(accepted, ExportDialog, "datasets.export")
    dialog.folder.set_text(str(tmp_path / "out"))
    dialog.export.click()
    qtbot.waitUntil(lambda: str(tmp_path / "out") in said(accepted))
    assert "Exported" not in said(accepted)
    assert [one.name for one in (tmp_path / "out").iterdir()] == ["diary.txt"]


def test_an_export_that_is_cancelled_writes_nothing(accepted, qtbot, tmp_path):
    dialog = dialog_of(accepted, ExportDialog, "datasets.export")
    dialog.folder.set_text(str(tmp_path / "out"))
    dialog.export.click()
    buttons = accepted.window.tasks.findChildren(QPushButton)
    cancel = next(one for one in buttons if one.text() == "Cancel")
    cancel.click()
    qtbot.waitUntil(lambda: "nothing was written" in said(accepted))
    assert not (tmp_path / "out").exists()


def test_what_was_typed_a_moment_ago_is_exported(accepted, qtbot, tmp_path):
    qtbot.keyClicks(accepted.window.labels.editor, "Typed. ")
    dialog = dialog_of(accepted, ExportDialog, "datasets.export")
    assert dialog.statuses[PageStatus.IN_REVIEW].text() == "In review (1 page)"


def test_the_evaluation_offers_what_was_exported(accepted, qtbot):
    show_panel(accepted, "evaluation")
    data = accepted.panels.evaluation.setup.data
    qtbot.waitUntil(lambda: data.count() > 0)
    before = data.count()
    dialog_of(accepted, ExportDialog, "datasets.export").export.click()
    qtbot.waitUntil(lambda: data.count() == before + 2)
    assert data.itemText(0).startswith("Held-out pages")


def corrected_elsewhere(root, target):
    """An export of a workspace whose first label was changed by somebody else."""
    with Workspace.open(root) as workspace:
        drafts = frozenset({PageStatus.DRAFT})
        task = get_task(load_tasks(), "markdown")
        export_workspace(workspace, target, task, 0.0, statuses=drafts, seed=1, dpi=200)
    path = target / "train.jsonl"
    path.write_text(path.read_text("utf-8").replace("# Chapter 1", "# Chapter One"), "utf-8")
    return path


@pytest.mark.parametrize(
    ("choice", "status"), [("Drafts, to be reviewed", PageStatus.DRAFT), ("Accepted", PageStatus.ACCEPTED)]
)
def test_a_corrected_dataset_comes_back_to_its_pages(studio, workspace_root, qtbot, tmp_path, choice, status):
    path = corrected_elsewhere(workspace_root, tmp_path / "out")
    assert studio.workspaces.open(workspace_root)
    qtbot.waitUntil(lambda: studio.session.page_id is not None)
    dialog = dialog_of(studio, ImportDialog, "datasets.import")
    assert not dialog.isModal()
    assert not dialog.confirm.isEnabled()
    dialog.file.set_text(str(path))
    dialog.file.edited.emit(str(path))
    dialog.status.setCurrentText(choice)
    dialog.confirm.click()
    qtbot.waitUntil(lambda: "Imported 1 label from train.jsonl; 3 pages had the same" in said(studio))
    assert studio.window.labels.editor.text.startswith("# Chapter One")
    row = studio.window.pages.model.row_of
    qtbot.waitUntil(lambda: row(studio.session.page_id).page.status is status)
    assert studio.window.pages.model.total == 4


def test_a_file_that_is_no_dataset_is_a_sentence(opened, qtbot, tmp_path):
    path = tmp_path / "notes.jsonl"
    path.write_text("not json\n", "utf-8")
    opened.datasets.import_file(opened.session.root, path, accepted=False)
    qtbot.waitUntil(lambda: "notes.jsonl has no usable line" in said(opened))


def test_the_dialogs_go_with_their_workspace(opened):
    dialog = dialog_of(opened, ExportDialog, "datasets.export")
    opened.session.close()
    assert not dialog.isVisible()


def test_a_dropped_dataset_is_offered_for_import(opened, tmp_path):
    path = tmp_path / "labels.jsonl"
    path.write_text("{}", "utf-8")
    opened.workspaces.take_files([path])
    dialog = next(one for one in opened.window.findChildren(ImportDialog) if one.isVisible())
    assert dialog.file.text == str(path)
    assert dialog.confirm.isEnabled()
