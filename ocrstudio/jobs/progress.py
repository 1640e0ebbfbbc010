"""How far a run is, as its events so far say: what the window and the command line show of every run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ocrstudio.domain.wording import duration
from ocrstudio.jobs.events import Event, EventType

STARTING = "Starting the worker"


@dataclass(eq=False)
class RunProgress:
    """Takes events in, in order.

    Attributes:
        phase: What the worker is doing, as a sentence.
        done: Steps or pages done.
        total: Steps or pages in all; 0 while unknown.
        unit: What is counted.
        seconds_left: The worker's own estimate, or None.
        values: The newest measurements.
    """

    phase: str = STARTING
    done: int = 0
    total: int = 0
    unit: str = "steps"
    seconds_left: float | None = None
    values: dict[str, float | None] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """Take one event in; types that are not known change nothing."""
        act = _ACTIONS.get(event.type)
        if act is not None:
            act(self, event.data)

    def position(self) -> str:
        """``40 of 100 steps``, or the phase while nothing is counted."""
        return f"{self.done:,} of {self.total:,} {self.unit}" if self.total else self.phase

    def time_left(self) -> str:
        """``3 min 20 s left``, or nothing while unknown."""
        return f"{duration(self.seconds_left)} left" if self.seconds_left is not None else ""


def _phase(progress: RunProgress, data: Mapping[str, Any]) -> None:
    progress.phase = str(data.get("message") or data.get("name", ""))
    progress.done, progress.total, progress.seconds_left = 0, 0, None  # what was counted before is over


def _queued(progress: RunProgress, data: Mapping[str, Any]) -> None:
    progress.phase = str(data.get("message") or "Waiting for the device")


def _stopping(progress: RunProgress, _data: Mapping[str, Any]) -> None:
    progress.phase = "Stopping: a checkpoint is saved first"


def _count(progress: RunProgress, data: Mapping[str, Any]) -> None:
    progress.done, progress.total = int(data.get("done") or 0), int(data.get("total") or 0)
    progress.unit = str(data.get("unit", progress.unit))
    left = data.get("seconds_left")
    progress.seconds_left = float(left) if isinstance(left, int | float) else None


def _measure(progress: RunProgress, data: Mapping[str, Any]) -> None:
    progress.values.update(data.get("values", {}))


_ACTIONS: Mapping[str, Callable[[RunProgress, Mapping[str, Any]], None]] = {
    EventType.PHASE: _phase,
    EventType.QUEUED: _queued,
    EventType.STOPPING: _stopping,
    EventType.PROGRESS: _count,
    EventType.METRIC: _measure,
}
