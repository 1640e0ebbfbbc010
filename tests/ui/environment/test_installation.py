"""What an installed program does not hold is offered where it is missed, and installed when it is wanted."""

import sys

import pytest

from ocrstudio.jobs import training_environment
from ocrstudio.jobs.training_environment import Status
from tests.fakes.installer import Kit
from tests.fakes.window import button, show_panel, shown_words
from tests.ui.training.conftest import accepted, script, trainer  # noqa: F401 - fixtures

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the fake uv is a script")


@pytest.fixture
def kit(tmp_path, monkeypatch):
    monkeypatch.delenv("UV_CACHE_DIR", raising=False)
    yield Kit(tmp_path, monkeypatch, children=False)
    training_environment.fingerprint.cache_clear()


def offered(studio, qtbot):
    """The dialog, once it is open."""
    qtbot.waitUntil(lambda: studio.panels.installation.dialog is not None)
    return studio.panels.installation.dialog


def test_start_offers_the_installation_and_then_trains(kit, trainer, script, qtbot):  # noqa: F811
    script(["metric", 1, 2.0], ["adapter"])
    setup = trainer.panels.training.setup
    assert "does not hold what trains and runs the student" in shown_words(setup)
    assert "Start offers to install it" in shown_words(setup)
    setup.start.click()
    dialog = offered(trainer, qtbot)
    assert "does not hold what trains" in shown_words(dialog)
    assert str(kit.environment) in shown_words(dialog)
    assert kit.calls == [], "nothing is downloaded before the user agrees"
    runs, monitor = trainer.panels.training.runs, trainer.panels.monitor
    assert runs.current is None
    button(dialog, "Install").click()
    qtbot.waitUntil(lambda: runs.current is not None and monitor.history(runs.current) is not None)
    assert training_environment.status() is Status.READY
    assert trainer.panels.installation.dialog is None
    qtbot.waitUntil(lambda: monitor.history(runs.current).outcome is not None)
    assert "training has finished" in trainer.window.message_stack.text
    assert "does not hold" not in shown_words(setup)


def test_not_now_leaves_everything_as_it_is(kit, trainer, qtbot):  # noqa: F811
    trainer.panels.training.setup.start.click()
    button(offered(trainer, qtbot), "Not now").click()
    assert trainer.panels.installation.dialog is None
    assert (training_environment.status(), kit.calls) == (Status.ABSENT, [])
    assert trainer.panels.training.setup.start.isEnabled()


def test_it_can_be_stopped_and_goes_on_from_the_environment_panel(kit, opened, qtbot):
    kit.fail("time.sleep(60)")
    show_panel(opened, "environment")
    panel = opened.panels.environment
    qtbot.waitUntil(panel.install.isVisible)
    panel.install.click()
    dialog = offered(opened, qtbot)
    button(dialog, "Install").click()
    qtbot.waitUntil(lambda: "Downloading torch (1.0GiB)" in shown_words(dialog))
    button(dialog, "Stop").click()
    qtbot.waitUntil(lambda: opened.panels.installation.dialog is None)
    assert "goes on where it stopped" in opened.window.message_stack.text
    assert training_environment.status() is Status.UNFINISHED
    kit.mend()
    panel.install.click()
    button(offered(opened, qtbot), "Install").click()
    qtbot.waitUntil(lambda: training_environment.status() is Status.READY)
    qtbot.waitUntil(lambda: not panel.install.isVisible())


def test_closing_the_window_ends_it(kit, opened, qtbot):
    kit.fail("time.sleep(60)")
    opened.panels.installation.offer()
    dialog = offered(opened, qtbot)
    button(dialog, "Install").click()
    qtbot.waitUntil(lambda: "Downloading torch" in shown_words(dialog))
    opened.window.close()
    opened.shutdown()
    assert training_environment.status() is Status.UNFINISHED
