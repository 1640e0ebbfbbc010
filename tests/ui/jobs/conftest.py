"""Fixtures of tests with runs: a scripted student, and no worker left behind."""

import pytest

from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.store import Workspace
from ocrstudio.ui.jobs.monitor import RunMonitor
from ocrstudio.ui.messages import Messages
from ocrstudio.ui.session import Session
from tests.fakes.runs import end_workers, fake_environment, scripted_run


@pytest.fixture
def scripted(tmp_path, monkeypatch):
    """Makes runs of the scripted student; their workers are ended after the test."""
    for name, value in fake_environment(tmp_path / "state").items():
        monkeypatch.setenv(name, value)
    made: list[RunFolder] = []

    def make(script, parent=tmp_path / "labels" / "runs", **request):
        made.append(scripted_run(parent, script, **request))
        return made[-1]

    yield make
    end_workers(made)


@pytest.fixture
def session(qapp, tmp_path):
    """An open workspace."""
    session = Session()
    workspace = Workspace.create(tmp_path / "labels")
    session.open(workspace)
    yield session
    session.close()


@pytest.fixture
def messages(qapp):
    return Messages()


@pytest.fixture
def monitor(session, background, messages, qtbot):
    """The monitor of the open workspace."""
    monitor = RunMonitor(session, background, messages)
    yield monitor
    monitor.close()
    qtbot.waitUntil(lambda: not background.busy)
