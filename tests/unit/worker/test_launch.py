"""A run outlives whoever started it: real processes, a scripted student."""

import json
import os
import signal
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from ocrstudio.domain.errors import RunError
from ocrstudio.domain.run import RunState
from ocrstudio.jobs.command_line import worker_command
from ocrstudio.jobs.events import EventStream, read_events
from ocrstudio.jobs.launch import resume, start_worker
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.jobs.stop import Patience, force_stop, request_stop, wait_until_over
from tests.fakes.processes import children
from tests.fakes.runs import REPOSITORY, scripted_run, until

pytestmark = pytest.mark.usefixtures("fake_student")


@contextmanager
def launched(folder: RunFolder, *arguments: str):
    """``worker launch RUN`` as the window starts it: in a process group that can be killed."""
    process = subprocess.Popen(
        worker_command(*(arguments or ("launch", str(folder.path)))),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=REPOSITORY,
        process_group=0,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _events(output: bytes):
    stream = EventStream()
    events = [event for line in output.splitlines() if (event := stream.accept(line))]
    assert stream.gaps == []
    assert stream.damaged_lines == 0
    return events


def _run_to_its_end(folder: RunFolder, *arguments: str) -> tuple[int, list]:
    with launched(folder, *arguments) as process:
        output, errors = process.communicate(timeout=60)
    assert errors == b""
    return process.returncode, _events(output)


def _types(events) -> list[str]:
    return [event.type for event in events]


def _worker(folder: RunFolder) -> psutil.Process:
    identity = folder.process_identity
    assert identity is not None
    process = identity.process()
    assert process is not None
    return process


def test_launch_relays_the_whole_run_and_nothing_else(tmp_path: Path):
    folder = scripted_run(tmp_path, [["print", "hello"], ["metric", 1, 0.5], ["checkpoint", 1]])
    status, events = _run_to_its_end(folder)
    assert status == 0
    assert _types(events) == ["started", "phase", "metric", "progress", "checkpoint", "finished", "ended"]
    assert events[-1].data["state"] == "finished"
    assert folder.state() is RunState.FINISHED
    assert folder.summary() == {"steps": 1}
    log = folder.log_path.read_text()
    assert "hello" in log
    assert "native hello" in log


@pytest.mark.parametrize("victim", ["relay", "group"])
def test_training_goes_on_when_the_watcher_is_killed(tmp_path: Path, victim: str):
    go = tmp_path / "go"
    folder = scripted_run(tmp_path, [["metric", 1, 0.9], ["wait", str(go)], ["metric", 2, 0.8]])
    with launched(folder) as watcher:
        until(lambda: "metric" in _types(read_events(folder.events_path)))
        worker = _worker(folder)
        assert os.getsid(worker.pid) != os.getsid(watcher.pid)
        os.kill(watcher.pid, signal.SIGKILL) if victim == "relay" else os.killpg(watcher.pid, signal.SIGKILL)
        watcher.wait(timeout=10)
        assert worker.is_running()
        assert folder.state() is RunState.RUNNING
    go.touch()
    status, events = _run_to_its_end(folder, "relay", str(folder.path))
    assert status == 0
    assert [event.seq for event in events[:-1]] == list(range(1, len(events)))
    assert [event.data["step"] for event in events if event.type == "metric"] == [1, 2]
    until(lambda: not psutil.pid_exists(worker.pid) or worker.status() == psutil.STATUS_ZOMBIE)


def test_attach_can_begin_after_a_number(tmp_path: Path):
    folder = scripted_run(tmp_path, [["metric", step, 0.1] for step in range(1, 5)])
    _run_to_its_end(folder)
    with launched(folder, "relay", str(folder.path), "--after", "8") as relay:
        output, _ = relay.communicate(timeout=30)
    assert [json.loads(line)["seq"] for line in output.splitlines()] == [9, 10, 11, 0]


def test_stop_saves_and_ends(tmp_path: Path):
    folder = scripted_run(
        tmp_path, [["metric", 1, 0.9], ["wait", str(tmp_path / "never")], ["metric", 2, 0.8]]
    )
    with launched(folder) as process:
        until(lambda: "metric" in _types(read_events(folder.events_path)))
        request_stop(folder)
        output, _ = process.communicate(timeout=30)
    events = _events(output)
    assert process.returncode == 3
    assert _types(events)[-4:] == ["stopping", "checkpoint", "finished", "ended"]
    assert folder.state() is RunState.STOPPED
    assert folder.newest_checkpoint() == folder.checkpoints / "checkpoint-1"
    with pytest.raises(RunError, match="nothing to stop"):
        request_stop(folder)


def test_a_stop_that_comes_when_the_work_is_done_does_not_undo_it(tmp_path: Path):
    script = [["metric", 1, 0.9], ["summary", {"stopped": False}], ["wait", str(tmp_path / "never")]]
    folder = scripted_run(tmp_path, script)
    with launched(folder) as process:
        until(lambda: "metric" in _types(read_events(folder.events_path)))
        request_stop(folder)
        output, _ = process.communicate(timeout=30)
    assert _types(_events(output))[-3:] == ["stopping", "finished", "ended"]
    assert folder.state() is RunState.FINISHED


def test_terminate_means_stop(tmp_path: Path):
    folder = scripted_run(tmp_path, [["metric", 1, 0.9], ["wait", str(tmp_path / "never")]])
    with launched(folder) as process:
        until(lambda: "metric" in _types(read_events(folder.events_path)))
        worker = _worker(folder)
        for number in (signal.SIGHUP, signal.SIGINT):  # those are for whoever watches
            worker.send_signal(number)
        worker.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert folder.state() is RunState.STOPPED


def test_force_kills_a_worker_that_does_not_listen(tmp_path: Path):
    folder = scripted_run(tmp_path, [["metric", 1, 0.9], ["hang", str(tmp_path / "never")]])
    with launched(folder) as process:
        until(lambda: "metric" in _types(read_events(folder.events_path)))
        worker = _worker(folder)
        state = force_stop(folder, Patience(save=0.1, terminate=0.1))
        output, _ = process.communicate(timeout=30)
    assert state is RunState.INTERRUPTED
    assert not worker.is_running()
    ended = _events(output)[-1]
    assert (process.returncode, ended.type, ended.data["state"]) == (4, "ended", "interrupted")
    assert f"ocrstudio runs resume {folder.path}" in ended.data["hint"]


def test_a_recycled_pid_is_never_signalled(tmp_path: Path):
    folder = scripted_run(tmp_path, [])
    with subprocess.Popen(["sleep", "60"]) as stranger:
        folder.identity_path.write_text(json.dumps({"pid": stranger.pid, "started": "0:0"}))
        assert folder.state() is RunState.INTERRUPTED
        with pytest.raises(RunError):
            force_stop(folder, Patience(save=0.0, terminate=0.0))
        assert stranger.poll() is None
        stranger.kill()


def test_an_expected_failure_carries_message_and_hint(tmp_path: Path):
    folder = scripted_run(tmp_path, [["fail", "The folder x has no weights.", "Download them."]])
    status, events = _run_to_its_end(folder)
    failed = events[-2]
    assert status == 1
    assert (failed.type, failed.data["message"], failed.data["hint"]) == (
        "failed",
        "The folder x has no weights.",
        "Download them.",
    )
    assert "ModelError" in failed.data["traceback"]
    assert folder.summary() is None


def test_an_unexpected_failure_is_a_sentence_and_holds_no_secret(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_abcdefghijkl")
    folder = scripted_run(tmp_path, [["crash", "refused hf_abcdefghijkl"]])
    status, events = _run_to_its_end(folder)
    assert status == 1
    assert "unexpected ZeroDivisionError" in events[-2].data["message"]
    assert "worker.log" in events[-2].data["hint"]
    assert "hf_abcdefghijkl" not in folder.events_path.read_text()
    assert "hf_abcdefghijkl" not in folder.log_path.read_text()


def test_a_killed_worker_leaves_an_interrupted_run_that_resumes_at_its_checkpoint(tmp_path: Path):
    script = [["metric", 1, 0.9], ["checkpoint", 1], ["metric", 2, 0.8]]
    folder = scripted_run(tmp_path, [*script, ["die"]])
    status, events = _run_to_its_end(folder)
    assert status == 4
    assert folder.state() is RunState.INTERRUPTED
    before = events[-2].seq
    (folder.path / "run.yaml").write_text(
        (folder.path / "run.yaml").read_text().replace("- - die", "- - print\n    - x")
    )
    folder = RunFolder(folder.path)
    assert resume(folder) == folder.checkpoints / "checkpoint-1"
    status, events = _run_to_its_end(folder)
    assert status == 0
    assert [event.seq for event in events[:-1]] == list(range(1, len(events)))
    second = [event for event in events if event.seq > before]
    assert second[0].type == "started"
    assert second[0].data["attempt"] == 2
    assert [event.data["step"] for event in second if event.type == "metric"] == [2]
    assert folder.state() is RunState.FINISHED
    with pytest.raises(RunError, match="has finished"):
        resume(folder)


def test_a_stopped_run_resumes_and_the_old_stop_does_not_end_it(tmp_path: Path):
    go = tmp_path / "go"
    folder = scripted_run(tmp_path, [["metric", 1, 0.9], ["wait", str(go)], ["metric", 2, 0.8]])
    first = start_worker(folder)
    until(lambda: "metric" in _types(read_events(folder.events_path)))
    request_stop(folder)
    first.process.wait(timeout=30)
    assert folder.state() is RunState.STOPPED
    go.touch()
    assert resume(folder) == folder.checkpoints / "checkpoint-1"
    second = start_worker(folder)
    second.process.wait(timeout=30)
    assert folder.state() is RunState.FINISHED
    assert folder.summary() == {"steps": 2}


def test_a_run_that_goes_on_cannot_be_started_again(tmp_path: Path):
    go = tmp_path / "go"
    folder = scripted_run(tmp_path, [["metric", 1, 0.9], ["wait", str(go)]])
    first = start_worker(folder)
    with pytest.raises(RunError, match="already going on"):
        start_worker(folder)
    with pytest.raises(RunError, match="still goes on"):
        resume(folder)
    go.touch()
    first.process.wait(timeout=30)
    with pytest.raises(RunError, match="is over"):
        start_worker(folder)


def test_runs_on_a_cpu_do_not_wait_for_each_other(tmp_path: Path):
    go = tmp_path / "go"
    first, second = (
        scripted_run(tmp_path / name, [["metric", 1, 0.9], ["wait", str(go)]]) for name in ("a", "b")
    )
    workers = [start_worker(first), start_worker(second)]
    until(lambda: first.state() is RunState.RUNNING and second.state() is RunState.RUNNING)
    go.touch()
    for worker in workers:
        worker.process.wait(timeout=30)
    assert RunState.FINISHED is first.state() is second.state()
    assert "queued" not in _types(read_events(second.events_path))


def test_a_second_run_waits_for_the_gpu_and_can_be_stopped_meanwhile(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")  # its name is enough for the lock
    go = tmp_path / "go"
    first, second, third = (
        scripted_run(tmp_path / name, [["metric", 1, 0.9], ["wait", str(go)]]) for name in ("a", "b", "c")
    )
    running = start_worker(first)
    until(lambda: first.state() is RunState.RUNNING)
    waiting, stopped = start_worker(second), start_worker(third)
    until(lambda: second.state() is RunState.QUEUED and third.state() is RunState.QUEUED)
    request_stop(third)
    stopped.process.wait(timeout=30)
    assert third.state() is RunState.STOPPED
    assert second.state() is RunState.QUEUED
    go.touch()
    running.process.wait(timeout=30)
    assert wait_until_over(second, 30) is RunState.FINISHED
    waiting.process.wait(timeout=30)


def test_nothing_is_left_behind(tmp_path: Path):
    threads = set(threading.enumerate())
    folder = scripted_run(tmp_path, [["metric", 1, 0.9]])
    _run_to_its_end(folder)
    assert set(threading.enumerate()) == threads
    assert [child for child in children() if child.status() == psutil.STATUS_ZOMBIE] == []


def test_a_folder_that_is_no_run_is_one_sentence(tmp_path: Path):
    with launched(None, "launch", str(tmp_path)) as process:
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, output) == (1, b"")
    assert errors.decode().startswith(f"Error: {tmp_path} is not a run folder")


def test_a_worker_that_cannot_begin_tells_why(tmp_path: Path, monkeypatch):
    folder = scripted_run(tmp_path, [])
    monkeypatch.setenv("PYTHONPATH", "")
    monkeypatch.setattr(
        "ocrstudio.jobs.launch.worker_command",
        lambda *_: ["sh", "-c", "echo no such interpreter >&2; exit 9"],
    )
    with pytest.raises(RunError, match="ended before it began") as caught:
        start_worker(folder)
    assert "no such interpreter" in caught.value.hint
    assert not folder.identity_path.exists()
