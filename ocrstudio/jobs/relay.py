"""Following a run from its folder, live: what ``launch`` and ``attach`` show. Reads only; may be killed."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ocrstudio.domain.run import RunState
from ocrstudio.jobs.endings import describe_interruption
from ocrstudio.jobs.events import Event, EventFollower, EventType, Gap, encode
from ocrstudio.jobs.run_folder import RunFolder

_POLL = 0.1
_STATE_EVERY = 10
"""Polls between two looks at the worker's process."""

EXIT_STATUS = {RunState.FINISHED: 0, RunState.FAILED: 1, RunState.STOPPED: 3, RunState.INTERRUPTED: 4}


@dataclass(frozen=True)
class Followed:
    """One event and the line it stands in."""

    event: Event
    line: str


class Relay:
    """Yields the events of a run until it is over.

    Args:
        folder: The run.
        after: Number of the last event that the reader already has.
        between_polls: Called when there is nothing new; by default waits a tenth of a second.
    """

    def __init__(
        self, folder: RunFolder, after: int = 0, between_polls: Callable[[], None] = lambda: time.sleep(_POLL)
    ) -> None:
        self._folder = folder
        self._follower = EventFollower(folder.events_path, after)
        self._between_polls = between_polls
        self.final_state: RunState | None = None

    @property
    def gaps(self) -> list[Gap]:
        """Numbers of events that are missing in the log."""
        return self._follower.gaps

    def __iter__(self) -> Iterator[Followed]:
        quiet_polls = 0
        while True:
            found = self._follower.poll_lines()
            yield from (Followed(event, line) for event, line in found)
            terminal = bool(found) and found[-1][0].is_terminal
            if self._follower.is_behind:
                continue
            quiet_polls = 0 if found else quiet_polls + 1
            if terminal or quiet_polls % _STATE_EVERY == 1:
                state = self._folder.state()
                if state.is_over:
                    # The state was read after these events; what came between must still be shown.
                    yield from (Followed(event, line) for event, line in self._follower.poll_lines())
                    self.final_state = state
                    return
            self._between_polls()


def relay_lines(folder: RunFolder, after: int, write: Callable[[str], None]) -> RunState:
    """Hand every event line of a run to ``write``, then one ``ended`` line with the state; return the state.

    Raises:
        OSError: ``write`` failed because the reader is gone.
    """
    relay = Relay(folder, after)
    for followed in relay:
        write(followed.line)
    state = relay.final_state or folder.state()
    gaps = [{"first": gap.first, "last": gap.last} for gap in relay.gaps]
    data: dict[str, object] = {"state": state.value, "gaps": gaps}
    if state is RunState.INTERRUPTED:
        data |= describe_interruption(folder)
    write(encode(Event(0, time.time(), EventType.ENDED, data)))
    return state
