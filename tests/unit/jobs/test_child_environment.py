"""What a child process finds in its environment."""

import asyncio
import sys

import pytest

from ocrstudio.jobs.child_environment import outside_environment
from ocrstudio.jobs.line_process import LineProcess


def policy_of_a_child(environment=None) -> str:
    async def ask():
        command = [sys.executable, "-m", "tests.fakes.line_child", "ready"]
        async with LineProcess(command, name="The child", environment=environment) as child:
            return await child.request("environment", {"key": "OMP_WAIT_POLICY"})

    return asyncio.run(ask())


def test_threads_that_wait_sleep_unless_the_user_says_otherwise(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    assert policy_of_a_child() == "PASSIVE"
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    assert policy_of_a_child() == "ACTIVE"


def test_programs_outside_a_bundle_get_none_of_its_libraries():
    given = {
        "LD_LIBRARY_PATH": "/opt/ocrstudio/_internal:/opt/ocrstudio/_internal/Qt:/srv/anna/lib",
        "QT_PLUGIN_PATH": "/opt/ocrstudio/_internal/PySide6/Qt/plugins",
        "PATH": "/usr/bin:/opt/ocrstudio/_internals",
        "_PYI_ARCHIVE_FILE": "/opt/ocrstudio/ocrstudio",
        "HF_TOKEN": "kept",
    }
    assert outside_environment(given, "/opt/ocrstudio/_internal") == {
        "LD_LIBRARY_PATH": "/srv/anna/lib",
        "PATH": "/usr/bin:/opt/ocrstudio/_internals",
        "HF_TOKEN": "kept",
    }
