"""Labelling in the real window: `main()` with its own loop, and once as a process that is killed."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtTest import QTest

from ocrstudio.domain.document import PageStatus
from ocrstudio.store import Workspace
from tests.fakes.pdfs import text_pdf
from tests.fakes.processes import children
from tests.fakes.window import isolate, make_workspace, run_main, until

pytestmark = [
    pytest.mark.qt_log_ignore(r"This plugin does not support propagateSizeHints\(\)"),
    pytest.mark.filterwarnings("ignore:path is deprecated. Use files:DeprecationWarning"),
]
REPOSITORY = Path(__file__).parents[2]
TYPED = "Typed before the end. "


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch, qapp):
    isolate(monkeypatch, tmp_path / "home")
    return tmp_path / "home"


def test_from_a_pdf_to_accepted_pages(tmp_path):
    path = text_pdf(tmp_path / "ledger.pdf", 2)

    async def story(window):
        assert window.windowTitle() == "OCR Studio"
        window.drops.dropped.emit((path,))
        await until(lambda: window.pages.model.total == 2, "the pages in the list")
        await until(lambda: window.viewer.view.has_picture, "the first page")
        for number in (1, 2):
            window.labels.show_tab(0)
            QTest.keyClicks(window.labels.editor, f"# Page {number}")
            window.book["review.accept"].trigger()
            window.book["page.next"].trigger()
        assert "No other page" in window.message_stack.text

    assert run_main([], story) == 0
    with Workspace.open(tmp_path / "ledger labels") as workspace:
        rows = workspace.pages.list()
        assert [row.page.status for row in rows] == [PageStatus.ACCEPTED] * 2
        assert [row.snippet for row in rows] == ["# Page 1", "# Page 2"]
    assert children() == []


def test_closing_the_window_saves_and_the_next_start_opens_the_workspace(tmp_path):
    root = make_workspace(tmp_path / "harbour")

    async def type_and_close(window):
        await until(lambda: window.labels.editor.page_id is not None, "the first page")
        QTest.keyClicks(window.labels.editor, TYPED)

    async def read(window):
        await until(lambda: window.labels.editor.page_id is not None, "the first page")
        assert window.labels.editor.text.startswith(TYPED)
        assert "In review" in window.labels.source_line.words

    assert run_main([str(root)], type_and_close) == 0
    assert run_main([], read) == 0


def test_tasks_that_still_run_end_with_the_window(tmp_path):
    import asyncio

    ended = []

    async def work():
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append(True)

    async def story(_window):
        task = asyncio.get_event_loop().create_task(work())
        await asyncio.sleep(0)
        assert not task.done()

    assert run_main([], story) == 0
    assert ended == [True]


CHILD = """
import asyncio, sys
from PySide6.QtCore import QTimer
from PySide6.QtTest import QTest
from tests.fakes.window import run_main, until

async def story(window):
    await until(lambda: window.labels.editor.page_id is not None, "the first page")
    QTest.keyClicks(window.labels.editor, sys.argv[2])
    print("typed", flush=True)
    await asyncio.sleep(3600)

run_main([sys.argv[1]], story)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is a thing of POSIX")
def test_a_killed_window_has_saved_what_was_typed_a_second_before(tmp_path, home):
    root = make_workspace(tmp_path / "harbour")
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "XDG_CONFIG_HOME": str(home)}
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(CHILD), str(root), TYPED],
        stdout=subprocess.PIPE,
        env=environment,
        cwd=REPOSITORY,
    )
    try:
        assert child.stdout.readline() == b"typed\n"
        typed = time.monotonic()
        with Workspace.open(root) as workspace:
            page = workspace.pages.list()[0].page.id
            while not workspace.labels.current(page).text.startswith(TYPED):
                assert time.monotonic() - typed < 2, "more than two seconds of typing would be lost"
                time.sleep(0.02)  # the other process cannot tell us
        child.send_signal(signal.SIGKILL)
    finally:
        child.kill()
        child.wait()
        child.stdout.close()

    async def read(window):
        await until(lambda: window.labels.editor.page_id is not None, "the first page")
        assert window.labels.editor.text.startswith(TYPED)

    assert run_main([str(root)], read) == 0
    with Workspace.open(root) as workspace:
        assert workspace.check_integrity() == []
