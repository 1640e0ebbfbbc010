"""The same child under the window's event loop."""

import asyncio
import os
import sys
import threading

import pytest

from ocrstudio.jobs.line_process import ChildError, LineProcess
from tests.fakes.runs import REPOSITORY

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before the application is made; no display is needed
qasync = pytest.importorskip("qasync")


def test_a_child_works_under_the_loop_of_qt(qapp, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    threads = set(threading.enumerate())

    async def story():
        command = [sys.executable, "-m", "tests.fakes.line_child", "serves"]
        async with LineProcess(command, name="The engine") as child:
            answers = await asyncio.gather(*(child.request("echo", {"number": n}) for n in range(20)))
            with pytest.raises(ChildError, match="did not answer"):
                await child.request("hang", timeout=0.05)
        return answers

    with qasync.QEventLoop(qapp) as loop:
        answers = loop.run_until_complete(story())
    assert answers == [{"number": n} for n in range(20)]
    assert [thread for thread in set(threading.enumerate()) - threads if "line-process" in thread.name] == []
