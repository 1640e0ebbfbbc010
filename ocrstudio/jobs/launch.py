"""Starting the worker of a run, in a session of its own, so that it outlives whoever started it."""

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from ocrstudio.domain.errors import RunError
from ocrstudio.domain.run import RunState
from ocrstudio.jobs.child_environment import child_environment
from ocrstudio.jobs.command_line import worker_command
from ocrstudio.jobs.commands import CommandType, append_command
from ocrstudio.jobs.process_identity import ProcessIdentity
from ocrstudio.jobs.process_tree import own_session
from ocrstudio.jobs.run_folder import RunFolder

_HANDOVER_TIMEOUT = 30.0
_POLL = 0.02
_ENVIRONMENT = {"PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1", "PYTHONIOENCODING": "utf-8"}


@dataclass(frozen=True)
class Launched:
    """A worker that was started and has taken over its run folder."""

    process: subprocess.Popen[bytes]


def start_worker(folder: RunFolder) -> Launched:
    """Start ``worker run`` and return once it has put its identity into the run folder.

    The worker gets no standard input, and its output and errors go to ``worker.log``: nothing ties it to the
    terminal, the window or this process.

    Raises:
        RunError: The run is already going on or over, nothing that trains is installed, or the worker ended
            before it took over.
    """
    _require_startable(folder)
    command = worker_command("run", str(folder.path))
    _mark_as_starting(folder)
    environment = child_environment() | _ENVIRONMENT
    try:
        with folder.log_path.open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                **own_session(detached=True),
            )
    except OSError as error:
        raise RunError(f"The worker of {folder.id} cannot be started: {error.strerror or error}.") from error
    _await_handover(folder, process)
    return Launched(process)


def resume(folder: RunFolder, checkpoint: Path | None = None) -> Path | None:
    """Record that a run that is over begins a new attempt; `start_worker` then starts it.

    Args:
        folder: The run.
        checkpoint: Where to go on; None for the newest complete checkpoint of the run.

    Returns:
        The checkpoint where it will go on, or None when it has to begin anew.

    Raises:
        RunError: The run still goes on, or has finished.
    """
    state = folder.state()
    if not state.is_over:
        raise RunError(
            f"The run {folder.id} still goes on ({state}).", f"Watch it: {folder.command('attach')}"
        )
    if state is RunState.FINISHED:
        raise RunError(f"The run {folder.id} has finished; there is nothing to resume.", "Start a new run.")
    chosen = checkpoint or folder.newest_checkpoint()
    append_command(folder.commands_path, CommandType.RESUME, checkpoint=str(chosen) if chosen else None)
    return chosen


def _require_startable(folder: RunFolder) -> None:
    identity = folder.process_identity
    if identity is not None and identity.is_alive:
        raise RunError(f"The run {folder.id} is already going on.", f"Watch it: {folder.command('attach')}")
    state = folder.state()
    if state.is_over and state is not RunState.INTERRUPTED:
        raise RunError(f"The run {folder.id} is over ({state}).", f"Resume it: {folder.command('resume')}")


def _mark_as_starting(folder: RunFolder) -> None:
    """Stand in for the worker until it has its own identity: the run must not look interrupted meanwhile."""
    try:
        ProcessIdentity.of().save(folder.identity_path)
    except OSError as error:
        raise RunError(
            f"The run folder {folder.path} cannot be written: {error.strerror or error}."
        ) from error


def _await_handover(folder: RunFolder, process: subprocess.Popen[bytes]) -> None:
    ours = ProcessIdentity.of()
    deadline = time.monotonic() + _HANDOVER_TIMEOUT
    while time.monotonic() < deadline:
        if folder.process_identity != ours:
            return
        if process.poll() is not None:
            break
        time.sleep(_POLL)
    if folder.process_identity != ours:
        return
    process.kill()
    process.wait()
    folder.identity_path.unlink(missing_ok=True)
    raise RunError(f"The worker of {folder.id} ended before it began.", folder.log_tail())
