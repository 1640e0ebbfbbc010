"""Stopping a run: ask first, and use force only when told to."""

import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from ocrstudio.domain.errors import RunError
from ocrstudio.domain.run import RunState
from ocrstudio.jobs.commands import CommandType, append_command
from ocrstudio.jobs.process_identity import ProcessIdentity
from ocrstudio.jobs.process_tree import kill_tree
from ocrstudio.jobs.run_folder import RunFolder

_POLL = 0.1


@dataclass(frozen=True)
class Patience:
    """How long each step of a forced stop waits, in seconds.

    Attributes:
        save: For the worker to save a checkpoint and end by itself.
        terminate: After the terminate signal.
    """

    save: float = 120.0
    terminate: float = 10.0


def request_stop(folder: RunFolder) -> None:
    """Ask the worker to save a checkpoint and end. Returns at once; asking twice does no harm.

    Raises:
        RunError: The run is over, or the request cannot be written.
    """
    state = folder.state()
    if state.is_over:
        raise RunError(f"The run {folder.id} is over ({state}); there is nothing to stop.")
    try:
        append_command(folder.commands_path, CommandType.STOP)
    except OSError as error:
        raise RunError(
            f"The stop request cannot be written to {folder.commands_path}: {error.strerror or error}.",
            f"Free some disk space, or stop it by force: {folder.command('stop --force')}",
        ) from error


def wait_until_over(
    folder: RunFolder, timeout: float, poll: Callable[[], None] | None = None
) -> RunState | None:
    """Wait for the end of a run; its final state, or None when it still goes on after ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        state = folder.state()
        if state.is_over:
            return state
        if time.monotonic() >= deadline:
            return None
        (poll or _sleep)()


def force_stop(folder: RunFolder, patience: Patience | None = None) -> RunState:
    """Ask, wait, terminate, wait, then kill the worker's process group.

    No process but the worker is ever signalled: its start time is compared each time.

    Returns:
        The final state: stopped when the worker could still save, otherwise interrupted.

    Raises:
        RunError: The run is over already.
    """
    patience = patience or Patience()
    try:
        request_stop(folder)
    except RunError:
        if folder.state().is_over:
            raise
    state = wait_until_over(folder, patience.save)
    identity = folder.process_identity
    if state is not None or identity is None:
        return state or folder.state()
    _terminate(identity)
    state = wait_until_over(folder, patience.terminate)
    if state is not None:
        return state
    process = identity.process()
    if process is not None:
        kill_tree(process)
    return folder.state()


def _terminate(identity: ProcessIdentity) -> None:
    process = identity.process()
    if process is None or process.pid == os.getpid():
        return
    if sys.platform == "win32":
        return  # a console process cannot be asked there; the kill follows
    try:
        process.send_signal(signal.SIGTERM)
    except psutil.NoSuchProcess:
        return


def _sleep() -> None:
    time.sleep(_POLL)
