import json

import pytest

from ocrstudio.domain.run import RunState
from ocrstudio.jobs.launch import start_worker
from ocrstudio.jobs.stop import wait_until_over
from tests.fakes.runs import scripted_run, until

pytestmark = pytest.mark.usefixtures("fake_student")


def _finished(parent, *script):
    folder = scripted_run(parent, script)
    start_worker(folder).process.wait(timeout=30)
    return folder


def test_list_shows_every_run_with_its_state(ocrstudio, tmp_path):
    assert "There are no runs here" in ocrstudio("runs", "list").stdout
    good = _finished(tmp_path / "runs", ["metric", 3, 0.5])
    bad = _finished(tmp_path / "runs", ["fail", "x", ""])
    damaged = tmp_path / "runs" / "damaged"
    damaged.mkdir()
    (damaged / "run.yaml").write_text("{")
    done = ocrstudio("runs", "list")
    assert done.returncode == 0
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert "finished" in lines[good.id]
    assert "3/10" in lines[good.id]
    assert "failed" in lines[bad.id]
    assert str(damaged) in done.stderr
    data = json.loads(ocrstudio("runs", "list", "--in", tmp_path / "runs", "--json").stdout)
    assert {row["id"]: row["state"] for row in data} == {good.id: "finished", bad.id: "failed"}


def test_show_finds_a_run_by_path_id_or_unambiguous_part(ocrstudio, tmp_path):
    folder = _finished(tmp_path / "runs", ["metric", 1, 0.5])
    for name in (folder.path, folder.id, folder.id[-4:]):
        done = ocrstudio("runs", "show", name)
        assert done.returncode == 0, done.stderr
        assert "state: finished" in done.stdout
        assert "last loss: 0.5" in done.stdout
    assert json.loads(ocrstudio("runs", "show", folder.id, "--json").stdout)["summary"] == {"steps": 1}
    _finished(tmp_path / "runs", ["metric", 1, 0.5])
    several = ocrstudio("runs", "show", "2")
    assert (several.returncode, "fits 2 runs" in several.stderr) == (1, True)
    assert "There is no run 'nothing'" in ocrstudio("runs", "show", "nothing").stderr


LOOKED = {
    "picture_check": {"own_loss": 0.5, "swapped_loss": 3.9, "pages": 8, "candidates": 8},
    "movement": {"vision encoder": 0.0123, "projector": 0.2},
}


def test_a_finished_training_says_whether_its_student_looks(ocrstudio, tmp_path):
    folder = _finished(tmp_path / "runs", ["metric", 1, 0.5], ["summary", LOOKED])
    looks, moved = (
        "The answer depends on the picture: 3.4 nats a token. Loss of the answers of 8 held-out pages: "
        "0.50 with their own pictures, 3.90 with pictures of other pages.",
        "Moved from the start: vision encoder 1.2 %, projector 20 %.",
    )
    attached = ocrstudio("runs", "attach", folder.id).stdout.splitlines()
    assert attached[attached.index("Finished.") :][:4] == ["Finished.", "  steps: 1", looks, moved]
    shown = ocrstudio("runs", "show", folder.id).stdout
    assert f"  pictures: {looks}\n  weights: {moved}\n" in shown
    data = json.loads(ocrstudio("runs", "show", folder.id, "--json").stdout)
    assert data["summary"]["movement"] == LOOKED["movement"]


def test_attach_shows_history_and_outcome(ocrstudio, tmp_path):
    folder = _finished(tmp_path / "runs", ["metric", 1, 0.75], ["fail", "It broke.", "Mend it."])
    done = ocrstudio("runs", "attach", folder.id)
    assert done.returncode == 1
    assert "Step 1: loss 0.7500" in done.stdout
    assert done.stderr == "Error: It broke.\nHint: Mend it.\n"
    raw = ocrstudio("runs", "attach", folder.id, "--json", "--after", "3")
    events = [json.loads(line) for line in raw.stdout.splitlines()]
    assert [event["type"] for event in events] == ["progress", "failed", "ended"]


def test_an_interrupted_run_is_explained_and_resumed(ocrstudio, tmp_path):
    script = [["metric", 1, 0.9], ["checkpoint", 1], ["wait", str(tmp_path / "go")], ["metric", 2, 0.8]]
    folder = scripted_run(tmp_path / "runs", script)
    launched = start_worker(folder)
    until(lambda: folder.newest_checkpoint() is not None)
    launched.process.kill()
    launched.process.wait()
    attached = ocrstudio("runs", "attach", folder.id)
    assert attached.returncode == 4
    assert "from checkpoint-1: ocrstudio runs resume" in attached.stderr
    (tmp_path / "go").touch()
    resumed = ocrstudio("runs", "resume", folder.id)
    assert resumed.returncode == 0, resumed.stderr
    assert "Going on from checkpoint-1." in resumed.stdout
    assert "Step 2" in resumed.stdout
    again = ocrstudio("runs", "resume", folder.id)
    assert (again.returncode, "nothing to resume" in again.stderr) == (1, True)


def test_stop_needs_force_for_a_worker_that_does_not_listen(ocrstudio, tmp_path):
    folder = scripted_run(tmp_path / "runs", [["metric", 1, 0.9], ["hang", str(tmp_path / "never")]])
    launched = start_worker(folder)
    until(lambda: folder.state() is RunState.RUNNING)
    polite = ocrstudio("runs", "stop", folder.id, "--wait", "0")
    assert polite.returncode == 1
    assert "--force" in polite.stdout
    assert folder.state() is RunState.STOPPING
    forced = ocrstudio("runs", "stop", folder.id, "--force", "--wait", "0")
    assert forced.returncode == 4
    launched.process.wait(timeout=10)
    assert wait_until_over(folder, 0) is RunState.INTERRUPTED
    assert "nothing to stop" in ocrstudio("runs", "stop", folder.id).stderr


def test_a_run_of_another_version_is_a_warning_and_the_others_are_listed(ocrstudio, tmp_path):
    newer, good = (scripted_run(tmp_path / "runs", []) for _ in range(2))
    newer.events_path.write_text('{"v": 99, "seq": 1, "time": 1.0, "type": "started"}\n')
    done = ocrstudio("runs", "list")
    assert done.returncode == 0
    assert good.id in done.stdout
    assert f"{newer.path}: The run has event format 99" in done.stderr
