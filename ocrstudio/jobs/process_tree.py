"""Ending a process together with everything it started."""

import os
import signal
import subprocess
import sys
from typing import Any

import psutil


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
    psutil.wait_procs(doomed, timeout=timeout)
