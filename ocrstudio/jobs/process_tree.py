"""Ending a process together with everything it started."""

import os
import signal
import subprocess
import sys
import time
from typing import Any

import psutil

_POLL = 0.02


def own_session(*, detached: bool = False) -> dict[str, Any]:
    """Arguments of `subprocess.Popen` that put the child into a session and process group of its own.

    Args:
        detached: On Windows, give it no console at all, so that closing ours does not end it.
    """
    if sys.platform == "win32":
        console = subprocess.DETACHED_PROCESS if detached else subprocess.CREATE_NO_WINDOW
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | console}
    return {"start_new_session": True}


def kill_tree(process: psutil.Process, timeout: float = 5.0) -> None:
    """Kill a process that leads its own group, and all its descendants; return when they are gone.

    Args:
        process: The leader; the caller has made sure that it is the right one.
        timeout: Seconds to wait for the end.
    """
    try:
        doomed = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        doomed = [process]
    if sys.platform != "win32":
        try:
            if os.getpgid(process.pid) == process.pid:
                os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    for member in doomed:
        try:
            member.kill()
        except psutil.NoSuchProcess:
            continue
    deadline = time.monotonic() + timeout
    while any(_runs(member) for member in doomed) and time.monotonic() < deadline:
        time.sleep(_POLL)


def _runs(process: psutil.Process) -> bool:
    """Whether a process still does something; one that only waits to be collected by its parent does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
