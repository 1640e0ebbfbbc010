"""The child processes of the test run, without the helpers that Python's multiprocessing keeps for itself."""

from multiprocessing import forkserver, resource_tracker

import psutil


def children(*, recursive: bool = False) -> list[psutil.Process]:
    """Children of this process that somebody has to answer for."""
    kept = {forkserver._forkserver._forkserver_pid, resource_tracker._resource_tracker._pid}
    return [child for child in psutil.Process().children(recursive=recursive) if child.pid not in kept]
