import shutil

from ocrstudio.domain.run import RunState
from ocrstudio.jobs.events import EventWriter
from ocrstudio.services.run_index import record_runs
from ocrstudio.services.workspaces import workspace_status
from ocrstudio.store import Workspace
from tests.fakes.runs import scripted_run


def test_a_workspace_remembers_its_runs_even_without_their_folders(tmp_path):
    with Workspace.create(tmp_path / "ws") as ws:
        assert workspace_status(ws).runs == 0
        folder = scripted_run(ws.runs_folder, [])
        (first,) = record_runs(ws)
        assert (first.id, first.state, first.folder) == (folder.id, RunState.STARTING, f"runs/{folder.id}")

        folder.summary_path.write_text('{"cer": 0.25, "adapter": "/somewhere"}', encoding="utf-8")
        with EventWriter(folder.events_path) as events:
            events.write("finished", {"attempt": 1})
        (finished,) = record_runs(ws)
        assert (finished.state, dict(finished.summary)) == (RunState.FINISHED, {"cer": 0.25})

        shutil.rmtree(folder.path)
        assert record_runs(ws) == [finished]
        assert workspace_status(ws).runs == 1


def test_a_run_of_another_version_or_damaged_does_not_close_the_workspace(tmp_path):
    with Workspace.create(tmp_path / "ws") as ws:
        newer, damaged, good = (scripted_run(ws.runs_folder, []) for _ in range(3))
        newer.events_path.write_text('{"v": 99, "seq": 1, "time": 1.0, "type": "started"}\n')
        damaged.summary_path.write_text("[1]")
        assert [run.id for run in record_runs(ws)] == [good.id]
        assert workspace_status(ws).runs == 1
