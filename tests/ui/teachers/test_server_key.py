"""A key that is typed in the window reaches a real server and nothing else."""

import keyring
import keyring.backends.fail
import pytest

from ocrstudio.domain.document import PageStatus
from ocrstudio.settings import secrets
from ocrstudio.ui.teachers.scope import Scope
from tests.fakes.openai_server import OpenAiServer
from tests.fakes.window import button, show_panel
from tests.ui.teachers.test_teacher_panel import choose, choose_server, statuses, wait_for_end

KEY = "sk-typed-by-hand-1234"


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch):
    """As on a server without a desktop; and no key of an earlier test."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    secrets._typed.clear()
    yield
    secrets._typed.clear()
    keyring.set_keyring(before)


@pytest.fixture
def server():
    with OpenAiServer(key=KEY) as server:
        yield server


@pytest.fixture
def panel(opened):
    panel = opened.panels.teachers
    show_panel(opened, "teacher")
    return panel


def assert_written_nowhere(studio, folder):
    studio.state.sync()
    for path in folder.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path
    assert all(KEY not in f"{said.text} {said.hint}" for said in studio.messages.history)


def test_a_typed_key_is_used_by_a_batch_and_by_a_single_page(opened, panel, server, qtbot, tmp_path):
    choose_server(panel, server, qtbot)
    choose(panel.setup.scope, Scope.LISTED, qtbot)
    qtbot.keyClicks(panel.setup.key, KEY)
    panel.setup.start.click()
    wait_for_end(panel, qtbot)
    assert [one.headers["authorization"] for one in server.requests] == [f"Bearer {KEY}"] * 4
    assert panel.batch.failures.count() == 0
    assert PageStatus.UNLABELLED not in statuses(opened)
    qtbot.waitUntil(lambda: panel.setup.key.placeholderText() == "kept until the program ends")
    assert panel.setup.key.text() == ""
    opened.window.book["page.draft"].trigger()
    wait_for_end(panel, qtbot)
    assert server.requests[-1].headers["authorization"] == f"Bearer {KEY}"
    assert len(server.requests) == 5
    assert_written_nowhere(opened, tmp_path)


def test_keep_without_a_keyring_keeps_the_key_until_the_end(opened, panel, server, qtbot, tmp_path):
    choose_server(panel, server, qtbot)
    qtbot.keyClicks(panel.setup.key, KEY)
    button(panel.setup, "Keep").click()
    qtbot.waitUntil(lambda: "used until the program ends" in opened.window.message_stack.text)
    opened.window.book["page.draft"].trigger()
    wait_for_end(panel, qtbot)
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    button(panel.setup, "Keep").click()  # an empty field forgets it
    qtbot.waitUntil(lambda: "none" in panel.setup.key.placeholderText())
    assert secrets._typed == {}
    assert_written_nowhere(opened, tmp_path)


def test_looking_up_a_key_does_not_take_away_one_that_is_being_typed(opened, panel, server, qtbot):
    choose_server(panel, server, qtbot)
    qtbot.keyClicks(panel.setup.key, "sk-half")
    choose(panel.setup.scope, Scope.LISTED, qtbot)  # every choice looks the key up again
    qtbot.waitUntil(lambda: not opened.background.busy)
    assert panel.setup.key.text() == "sk-half"
