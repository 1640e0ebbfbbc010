"""A run of several processes: one of them tells, and none outlives the others. Real processes, scripted."""

import signal
import subprocess
import sys

import psutil
import pytest

from ocrstudio.domain.run import RunState
from ocrstudio.jobs.device_lock import device_names
from ocrstudio.jobs.events import read_events
from ocrstudio.jobs.launch import start_worker
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.jobs.stop import Patience, force_stop
from tests.fakes.runs import scripted_run, until

pytestmark = [
    pytest.mark.usefixtures("fake_student"),
    pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX"),
]

WAIT_IN_MAIN = ["in process", 0, "hang", "/nowhere"]
WAIT_IN_PEER = ["in process", 1, "hang", "/nowhere"]


def events(folder: RunFolder, type: str):  # noqa: A002
    return [
        dict(event.data) for event in read_events(folder.events_path) if getattr(event, "type", "") == type
    ]


@pytest.fixture
def start():
    """Starts a run of two processes; gives the worker and its peer, and collects the worker at the end."""
    workers = []

    def started(folder: RunFolder) -> tuple[subprocess.Popen[bytes], psutil.Process]:
        workers.append(start_worker(folder).process)
        process = psutil.Process(workers[-1].pid)
        until(lambda: len(process.children()) == 1)
        return workers[-1], process.children()[0]

    yield started
    for worker in workers:
        worker.kill()
        worker.wait()


def finished(folder: RunFolder) -> int:
    return start_worker(folder).process.wait(timeout=60)


def test_the_main_process_alone_tells_and_all_of_them_end(tmp_path):
    folder = scripted_run(tmp_path, [["metric", 1, 0.5], ["metric", 2, 0.4]], processes=3)
    assert finished(folder) == 0
    assert folder.state() is RunState.FINISHED
    assert [event["step"] for event in events(folder, "metric")] == [1, 2]


@pytest.mark.parametrize("main", [["in process", 0, "crash", "connection reset by peer"], WAIT_IN_MAIN])
def test_what_a_peer_says_when_it_fails_is_the_failure_of_the_run(tmp_path, main):
    script = [["in process", 1, "fail", "The picture page_p3.png is gone.", "Put it back."], main]
    folder = scripted_run(tmp_path, script, processes=2)
    assert finished(folder) == 1
    (failed,) = events(folder, "failed")
    assert failed["message"] == "The picture page_p3.png is gone."
    assert failed["hint"] == "Put it back."
    assert folder.state() is RunState.FAILED


def test_a_failure_of_the_main_process_stays_its_own(tmp_path):
    script = [["in process", 0, "fail", "The disk is full.", "Free some space."], WAIT_IN_PEER]
    folder = scripted_run(tmp_path, script, processes=2)
    assert finished(folder) == 1
    (failed,) = events(folder, "failed")
    assert failed["message"] == "The disk is full."


def test_a_killed_peer_is_said(tmp_path, start):
    folder = scripted_run(tmp_path, [["wait", "/nowhere"]], processes=2)
    worker, peer = start(folder)
    peer.send_signal(signal.SIGKILL)
    assert worker.wait(timeout=30) == 1
    (failed,) = events(folder, "failed")
    assert "Process 2 of 2 of this run ended unexpectedly (status -9)" in failed["message"]


def test_a_peer_ends_with_a_killed_worker(tmp_path, start):
    worker, peer = start(scripted_run(tmp_path, [["wait", "/nowhere"]], processes=2))
    worker.kill()
    assert psutil.wait_procs([peer], timeout=30)[1] == []


def test_ending_by_force_ends_the_peer_too(tmp_path, start):
    folder = scripted_run(tmp_path, [["hang", "/nowhere"]], processes=2)
    _, peer = start(folder)
    force_stop(folder, Patience(0.1, 0.1))
    assert psutil.wait_procs([peer], timeout=30)[1] == []


def test_a_run_locks_every_device_that_it_uses(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,GPU-8a/1,5")
    assert device_names() == ["gpu-2"]
    assert device_names(2) == ["gpu-2", "gpu-GPU-8a-1"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert device_names(4) == []
