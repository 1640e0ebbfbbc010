"""Closing the window or the workspace while something works: nothing stops before the answer."""

import threading

import pytest
from PySide6.QtWidgets import QMessageBox

from ocrstudio.store import Workspace
from ocrstudio.ui.teachers.scope import Scope
from tests.fakes.openai_server import OpenAiServer
from tests.fakes.window import button, show_panel
from tests.ui.teachers.test_teacher_panel import choose, choose_server, wait_for_end


@pytest.fixture
def drafting(opened, qtbot):
    """A batch on a slow server; released, it is through at once."""
    with OpenAiServer(latency=30.0) as server:
        panel = opened.panels.teachers
        show_panel(opened, "teacher")
        choose_server(panel, server, qtbot)
        choose(panel.setup.scope, Scope.LISTED, qtbot)
        panel.setup.start.click()
        qtbot.waitUntil(lambda: len(server.requests) > 0)
        opened.release = server.released.set
        yield opened
        server.released.set()
        opened.session.close()
        qtbot.waitUntil(lambda: not opened.background.busy)


def question(studio):
    return next(one for one in studio.window.findChildren(QMessageBox) if one.isVisible())


def test_quitting_asks_while_a_batch_runs_and_the_batch_goes_on(drafting, qtbot):
    drafting.window.book["app.quit"].trigger()
    box = question(drafting)
    assert not box.isModal()
    assert "A batch is running: 0 of 4 pages done." in box.text()
    assert drafting.window.isVisible()
    button(box, "Keep working").click()
    drafting.release()
    wait_for_end(drafting.panels.teachers, qtbot)
    assert drafting.panels.teachers.batch._state.done == 4
    drafting.window.book["app.quit"].trigger()
    assert not drafting.window.isVisible(), "nothing is left to ask about"


def test_closing_the_workspace_asks(drafting):
    drafting.window.book["workspace.close"].trigger()
    assert drafting.session.workspace is not None
    button(question(drafting), "Stop and close").click()
    assert drafting.session.workspace is None


def test_opening_another_workspace_asks(drafting, tmp_path):
    Workspace.create(tmp_path / "other").close()
    here = drafting.session.root
    assert not drafting.workspaces.open(tmp_path / "other")
    assert drafting.session.root == here
    button(question(drafting), "Stop and close").click()
    assert drafting.session.root == tmp_path / "other"


def test_a_second_try_asks_once_and_ctrl_c_in_the_terminal_does_not_ask(drafting):
    for _ in range(2):
        drafting.window.close()
    boxes = [one for one in drafting.window.findChildren(QMessageBox) if one.isVisible()]
    assert len(boxes) == 1
    drafting.interrupt()
    assert not drafting.window.isVisible()


def test_nothing_is_asked_when_nothing_runs(opened):
    opened.window.book["workspace.close"].trigger()
    assert opened.session.workspace is None


def test_an_import_is_asked_about_as_well(opened, qtbot):
    go_on = threading.Event()
    opened.background.run(lambda _: go_on.wait(), lambda _: None, title="Importing")
    opened.window.book["app.quit"].trigger()
    assert question(opened).text() == "Importing is not finished."
    assert opened.window.isVisible()
    go_on.set()
    qtbot.waitUntil(lambda: not opened.background.busy)
