"""The state of a run, computed from what its folder says and whether its process lives. Pure."""

from ocrstudio.domain.run import RunState
from ocrstudio.jobs.events import Event, EventType


def compute_state(last: Event | None, *, attempt: int, stop_requested: bool, alive: bool) -> RunState:
    """The state of a run.

    Args:
        last: The last event in the log, or None.
        attempt: Number of the current attempt, from the commands.
        stop_requested: Whether the current attempt was asked to stop.
        alive: Whether the process of the run lives.
    """
    if last is not None and last.is_terminal and last.data.get("attempt", 1) >= attempt:
        return _terminal_state(last)
    if not alive:
        return RunState.INTERRUPTED
    if stop_requested:
        return RunState.STOPPING
    if last is None or last.is_terminal or last.type == EventType.STARTED:
        return RunState.STARTING
    return RunState.QUEUED if last.type == EventType.QUEUED else RunState.RUNNING


def _terminal_state(last: Event) -> RunState:
    if last.type == EventType.FAILED:
        return RunState.FAILED
    return RunState.STOPPED if last.data.get("stopped") else RunState.FINISHED
