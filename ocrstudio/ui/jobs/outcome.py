"""How watching a run ended: a name and a sentence for every way it can end. Pure; no Qt."""

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ocrstudio.domain.run import RunState
from ocrstudio.jobs.events import Event

_RESUME_WORDS = "Press Resume to go on"


class Ending(StrEnum):
    """The ways in which a relay ends."""

    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    NOT_STARTED = "not_started"
    """The operating system would not start the process."""
    REFUSED = "refused"
    """The process started and said why it does not launch the run."""
    LOST = "lost"
    """The relay is gone while the run goes on."""
    UNREADABLE = "unreadable"
    """The events have a format of another version."""


@dataclass(frozen=True)
class RunOutcome:
    """The end of watching a run.

    Attributes:
        ending: Its name.
        message: One sentence.
        hint: What to do; may be empty.
    """

    ending: Ending
    message: str
    hint: str = ""

    @property
    def is_bad(self) -> bool:
        """Whether something went wrong."""
        return self.ending not in (Ending.FINISHED, Ending.STOPPED)


@dataclass(frozen=True)
class ProcessEnd:
    """What the operating system said of a process that ended.

    Attributes:
        code: Exit status, or the number of the signal when it crashed.
        crashed: Whether a signal ended it.
        errors: The last of what it wrote to standard error.
    """

    code: int
    crashed: bool
    errors: str


def of_run(ended: Event, last: Event | None) -> RunOutcome:
    """The outcome of a run that is over.

    Args:
        ended: The last line of a relay.
        last: The event before it, or None.
    """
    state = RunState(str(ended.data.get("state", RunState.INTERRUPTED)))
    data: Mapping[str, Any] = last.data if last is not None else {}
    if state is RunState.FAILED:
        return RunOutcome(
            Ending.FAILED,
            str(data.get("message", "The run failed without a message.")),
            str(data.get("hint", "")) or "The log of the run has the details.",
        )
    if state is RunState.INTERRUPTED:
        first_line = str(ended.data.get("hint", "")).splitlines()
        where = f"{_RESUME_WORDS}. {' '.join(first_line[1:])}".strip()
        return RunOutcome(
            Ending.INTERRUPTED, str(ended.data.get("message", "The run was interrupted.")), where
        )
    if state is RunState.STOPPED:
        return RunOutcome(Ending.STOPPED, "The run was stopped.", f"{_RESUME_WORDS} where it stopped.")
    return RunOutcome(Ending.FINISHED, "The run has finished.")


def not_started(program: str, reason: str) -> RunOutcome:
    """The operating system would not start the process."""
    return RunOutcome(
        Ending.NOT_STARTED,
        f"The worker could not be started: {program} ({reason}).",
        "Check that the installation of OCR Studio is complete and that memory is left, then try again.",
    )


def without_ending(end: ProcessEnd) -> RunOutcome:
    """A relay ended without saying how the run stands."""
    message, hint = spoken_error(end.errors)
    if message and not end.crashed:
        return RunOutcome(Ending.REFUSED, message, hint)
    how = f"it was ended by {_signal_name(end.code)}" if end.crashed else f"exit status {end.code}"
    last_line = end.errors.strip().splitlines()[-1] if end.errors.strip() else ""
    detail = f" Its last words: {last_line}" if last_line else ""
    return RunOutcome(
        Ending.LOST,
        f"The process that watches the run is gone ({how}).{detail}",
        "The run itself is not affected. Choose it in the list of runs to watch it again.",
    )


def unreadable(message: str, hint: str) -> RunOutcome:
    """The events were written by another version."""
    return RunOutcome(Ending.UNREADABLE, message, hint)


def spoken_error(errors: str) -> tuple[str, str]:
    """Message and hint of what the worker's entry writes when it refuses; empty when it wrote none."""
    message, hint = "", ""
    for line in errors.splitlines():
        if line.startswith("Error: "):
            message = line.removeprefix("Error: ")
        elif line.startswith("Hint: "):
            hint = line.removeprefix("Hint: ")
    return message, hint


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
