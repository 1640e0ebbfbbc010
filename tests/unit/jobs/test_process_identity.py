import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from ocrstudio.jobs.process_identity import ProcessIdentity
from tests.fakes.runs import until


def test_our_own_identity_survives_the_file(tmp_path: Path):
    ProcessIdentity.of().save(tmp_path / "worker.json")
    identity = ProcessIdentity.load(tmp_path / "worker.json")
    assert identity == ProcessIdentity.of(os.getpid())
    assert identity is not None
    assert identity.is_alive


def test_a_recycled_pid_is_not_taken_for_the_worker():
    earlier = replace(ProcessIdentity.of(), started="another start")
    assert not earlier.is_alive
    assert earlier.process() is None


def test_a_zombie_counts_as_dead():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        identity = ProcessIdentity.of(child.pid)
        assert identity.is_alive
        child.kill()
        until(lambda: not identity.is_alive)
    assert not identity.is_alive


def test_a_damaged_file_names_nobody(tmp_path: Path):
    (tmp_path / "worker.json").write_text("{")
    assert ProcessIdentity.load(tmp_path / "worker.json") is None
    assert ProcessIdentity.load(tmp_path / "absent.json") is None
