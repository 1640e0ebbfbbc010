"""The whole loop through the real window, with the real offline teacher and the real built-in reader."""

import asyncio
import time

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication

from ocrstudio.domain.document import PageStatus
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.store import Workspace
from ocrstudio.ui.evaluation.panel import EvaluationPanel
from ocrstudio.ui.log.panel import LogPanel
from ocrstudio.ui.teachers.panel import TeacherPanel
from ocrstudio.ui.training.panel import TrainingPanel
from tests.fakes.pdfs import text_pdf
from tests.fakes.runs import end_workers
from tests.fakes.window import isolate, run_main

PAGES = 4
STEPS = 2
LIMIT = 150.0

pytestmark = [
    pytest.mark.qt_log_ignore(r"This plugin does not support propagateSizeHints\(\)"),
    pytest.mark.timeout(400),
]


@pytest.fixture
def root(tmp_path, monkeypatch):
    """The workspace that dropping ``ledger.pdf`` makes; workers that are left are ended."""
    isolate(monkeypatch, tmp_path / "home")
    for name, value in {
        "OCRSTUDIO_STATE_DIR": str(tmp_path / "state"),
        "CUDA_VISIBLE_DEVICES": "",
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    root = tmp_path / "ledger labels"
    yield root
    end_workers(RunFolder(spec.parent) for spec in (root / "runs").glob("*/run.yaml"))


async def until(condition, what):
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline, f"still waiting for: {what}"
        await asyncio.sleep(0.02)


def drop(window, path):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    for event in (
        QDragEnterEvent(QPoint(50, 50), Qt.DropAction.CopyAction, data, buttons, keys),
        QDropEvent(QPointF(50, 50), Qt.DropAction.CopyAction, data, buttons, keys),
    ):
        QApplication.sendEvent(window, event)


def counts(window):
    return window.pages.model.counts()


async def draft(window):
    window.show_panel("teacher")
    panel = window.findChild(TeacherPanel)
    await until(panel.setup.start.isEnabled, "the offline teacher")
    panel.setup.start.click()
    await until(lambda: counts(window)[PageStatus.DRAFT] == PAGES, "the drafts")
    await until(panel.batch.cancel.isHidden, "the end of the batch")


async def edit_and_accept(window):
    editor = window.labels.editor
    await until(lambda: "Chapter" in editor.text, "the first draft in the editor")
    editor.insertPlainText("Corrected. ")
    for accepted in range(PAGES):
        window.book["review.accept"].trigger()
        await until(lambda done=accepted + 1: counts(window)[PageStatus.ACCEPTED] == done, "an acceptance")


async def train(window):
    window.show_panel("training")
    panel = window.findChild(TrainingPanel)
    await until(panel.setup.start.isEnabled, "the accepted pages to be counted")
    panel.setup.set_value("training.max_steps", STEPS)
    panel.setup.start.click()
    state = panel.run.status._state
    await until(lambda: state.text() == "Finished", "the training")
    assert f"{STEPS} steps" in panel.run.status._result.text()
    panel.run.tabs.setCurrentWidget(panel.run.samples)
    await until(lambda: not panel.run.samples._overview.pixmap().isNull(), "a sample as the model sees it")


async def evaluate(window):
    window.show_panel("evaluation")
    panel = window.findChild(EvaluationPanel)
    await until(lambda: "vision" in panel.setup.student.itemText(0), "the trained student in the list")
    panel.setup.student.setCurrentIndex(0)
    panel.setup.start.click()
    await until(lambda: panel.figures.rowCount() == 1 and panel.pages.current is not None, "the report")
    assert panel.figures.item(0, 1).text().endswith("%")
    worst = panel.pages.current
    panel.flag.click()
    window.book["page.next"].trigger()
    panel.page.open.click()
    return worst


async def story(window, source):
    await until(lambda: window.findChild(LogPanel) is not None, "the panels")
    drop(window, source)
    await until(lambda: window.pages.model.total == PAGES, "the import")
    await draft(window)
    await edit_and_accept(window)
    await train(window)
    worst = await evaluate(window)
    row = next(
        row for row in map(window.pages.model.row_of, range(1, PAGES + 1)) if row.page.index == worst.page - 1
    )
    await until(lambda: window.pages._current == row.page.id, "the worst page in the editor")
    await until(lambda: counts(window)[PageStatus.FLAGGED] >= 1, "the flag")
    log = window.findChild(LogPanel)
    said = [line.text for line in log.lines.lines]
    assert any("Gradients arrive" in text for text in said)
    assert not [line.text for line in log.lines.lines if line.level.value == "error"]


def test_the_whole_loop_in_the_window(qapp, root, tmp_path):
    source = text_pdf(tmp_path / "ledger.pdf", PAGES, "The harbour office keeps a ledger.")
    assert run_main([], lambda window: story(window, source)) == 0
    with Workspace.open(root) as workspace:
        labels = [workspace.labels.current(row.page.id) for row in workspace.pages.list()]
        assert [label.source for label in labels] == ["human", *["teacher:offline"] * (PAGES - 1)]
        assert "Corrected." in labels[0].text
    folders = sorted((root / "runs").iterdir())
    assert [RunFolder(folder).spec.kind.value for folder in folders] == ["train", "evaluate"]
    assert (folders[0] / "adapter").is_dir()
