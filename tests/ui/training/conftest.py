"""Fixtures of the training panel's tests: accepted pages, and workers that play a script."""

import json

import pytest

from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.services import labelling
from ocrstudio.store import Workspace
from tests.fakes.runs import end_workers, fake_environment
from tests.fakes.window import show_panel


@pytest.fixture
def script(tmp_path, monkeypatch):
    """Sets what the next worker plays."""
    for name, value in fake_environment(tmp_path / "state").items():
        monkeypatch.setenv(name, value)

    def play(*lines):
        monkeypatch.setenv("FAKE_STUDENT_SCRIPT", json.dumps(lines))

    return play


@pytest.fixture
def accepted(workspace_root):
    """A workspace whose four pages are accepted; its workers are ended after the test."""
    with Workspace.open(workspace_root) as workspace:
        labelling.accept_many(workspace, [row.page.id for row in workspace.pages.list()])
    yield workspace_root
    end_workers(RunFolder(spec.parent) for spec in (workspace_root / "runs").glob("*/run.yaml"))


@pytest.fixture
def trainer(studio, accepted, script, qtbot):
    """The composed window with accepted pages and the training panel in front."""
    assert studio.workspaces.open(accepted)
    qtbot.waitUntil(lambda: studio.session.page_id is not None)
    show_panel(studio, "training")
    qtbot.waitUntil(lambda: not studio.background.busy)
    return studio
