"""What a killed process and two writers leave behind: real processes on a real file."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ocrstudio.domain.label import HUMAN, NewRevision
from ocrstudio.store import Workspace

# Prints the number of each revision after `append` returned: from then on it is a promise.
WRITER = """
import sys
from pathlib import Path
from ocrstudio.domain.label import NewRevision
from ocrstudio.store import Workspace
name, count = sys.argv[2], int(sys.argv[3])
with Workspace.open(Path(sys.argv[1])) as ws:
    for number in range(count):
        text = f"{name} {number} " + "word " * 300
        ws.labels.append(1 + number % 3, NewRevision(text, "human"), make_current=True)
        print(number, flush=True)
"""


def start_writer(root: Path, name: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(root), name, str(count)], stdout=subprocess.PIPE, text=True
    )


def texts(ws: Workspace) -> set[str]:
    pages = ws.pages.list()
    return {
        " ".join(revision.text.split()[:2]) for row in pages for revision in ws.labels.history(row.page.id)
    }


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
@pytest.mark.parametrize("kill_after", [1, 7, 40])
def test_every_confirmed_revision_survives_kill_9(ws: Workspace, kill_after: int) -> None:
    writer = start_writer(ws.root, "killed", 1_000_000)
    assert writer.stdout is not None
    confirmed = [writer.stdout.readline().strip() for _ in range(kill_after)]
    writer.send_signal(signal.SIGKILL)
    confirmed += writer.stdout.read().split()  # confirmed between the last line read and the kill
    writer.stdout.close()
    assert writer.wait() == -signal.SIGKILL
    with Workspace.open(ws.root) as after:
        assert after.check_integrity() == []
        assert {f"killed {number}" for number in confirmed if number} <= texts(after)
        after.labels.append(1, NewRevision("goes on", HUMAN), make_current=True)


def test_two_processes_write_at_once_and_both_keep_everything(ws: Workspace) -> None:
    count = 60
    writers = [start_writer(ws.root, name, count) for name in ("window", "command")]
    for number in range(20):  # and a third one: ourselves
        ws.labels.append(2, NewRevision(f"test {number}", HUMAN), make_current=True)
    for writer in writers:
        writer.communicate(timeout=60)
        assert writer.returncode == 0
    expected = {f"{name} {number}" for name in ("window", "command") for number in range(count)}
    assert texts(ws) == expected | {f"test {number}" for number in range(20)}
    assert ws.check_integrity() == []
    assert all(row.page.revision_id == ws.labels.history(row.page.id)[0].id for row in ws.pages.list())
