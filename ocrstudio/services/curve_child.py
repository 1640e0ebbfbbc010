"""A run that another run waits for: started, gone on with or only watched, until it has finished."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from ocrstudio.domain.errors import RunError
from ocrstudio.domain.run import RunState
from ocrstudio.jobs.context import RunContext
from ocrstudio.jobs.endings import describe_interruption, last_failure
from ocrstudio.jobs.events import Event, last_event
from ocrstudio.jobs.launch import Launched, resume, start_worker
from ocrstudio.jobs.relay import Relay
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.jobs.stop import request_stop

_POLL = 0.1


@dataclass(frozen=True)
class Child:
    """The run that is waited for.

    Attributes:
        folder: It.
        words: What it is, at the beginning of a sentence.
        tell: Called with each of its events from now on.
    """

    folder: RunFolder
    words: str
    tell: Callable[[Event], None]


def follow_to_end(child: Child, parent: RunContext) -> bool:
    """Bring a run to its end, whatever state it is in.

    Args:
        child: The run.
        parent: The run that waits; when it is to stop, so is the child.

    Returns:
        Whether it has finished; false when the parent was told to stop before.

    Raises:
        RunError: It failed, was killed, or somebody else stopped it.
    """
    folder = child.folder
    if folder.state() is RunState.FINISHED:
        return True
    if parent.should_stop():
        return False
    last = last_event(folder.events_path)
    launched = _start(folder)
    asked = False

    def ask_to_stop() -> None:
        nonlocal asked
        if not asked and parent.should_stop():
            asked = True
            with suppress(RunError):  # it may have ended by itself meanwhile
                request_stop(folder)

    def wait() -> None:
        ask_to_stop()
        time.sleep(_POLL)

    relay = Relay(folder, last.seq if last is not None else 0, wait)
    for followed in relay:
        child.tell(followed.event)
        ask_to_stop()
    if launched is not None:
        launched.process.wait()
    state = relay.final_state or folder.state()
    if state is RunState.FINISHED:
        return True
    if parent.should_stop():
        return False
    raise _problem(child, parent, state)


def _start(folder: RunFolder) -> Launched | None:
    """Start a run that is new or over; None for one that goes on, because whoever started it is gone."""
    if folder.process_identity is None:
        return start_worker(folder)
    if not folder.state().is_over:
        return None
    resume(folder)
    return start_worker(folder)


def _problem(child: Child, parent: RunContext, state: RunState) -> RunError:
    go_on = f"Go on with all of it: {parent.folder.command('resume')}"
    if state is RunState.FAILED:
        failure = last_failure(child.folder)
        return RunError(f"{child.words} failed: {failure.message}", f"{failure.hint}\n{go_on}".strip())
    if state is RunState.STOPPED:
        return RunError(f"{child.words} was stopped by itself.", go_on)
    words = describe_interruption(child.folder)
    return RunError(f"{child.words} was interrupted: {words['message']}", go_on)
