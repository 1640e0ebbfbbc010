"""What ends a child whose parent is gone and that holds the interpreter lock for ever."""

import subprocess
import sys

_ENDLESS = """
from ocrstudio.jobs import watchdog
watchdog._GRACE_SECONDS = 0.1
with watchdog.ends_itself_after({limit}):
    sum(range({count}))
print("done")
"""


def run(limit: float, count: int) -> subprocess.CompletedProcess[str]:
    code = _ENDLESS.format(limit=limit, count=count)
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False
    )


def test_a_process_that_holds_the_lock_for_ever_ends_itself_without_a_word() -> None:
    ended = run(0.2, 10**15)
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", "")


def test_work_that_ends_in_time_goes_on() -> None:
    assert run(20, 10).stdout == "done\n"
