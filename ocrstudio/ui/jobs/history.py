"""What the events of one run amount to; everything that a panel shows of a run is here. Pure; no Qt."""

from array import array
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ocrstudio.domain.run import RunKind, RunState
from ocrstudio.jobs.events import Event, EventType
from ocrstudio.jobs.progress import STARTING, RunProgress
from ocrstudio.jobs.wording import event_in_words
from ocrstudio.ui.jobs.outcome import Ending, RunOutcome

SMOOTHING = 0.9
"""Weight of the past in the smoothed line (exponential moving average)."""

_LINES_KEPT = 20_000
_LEVELS: Mapping[str, str] = {EventType.WARNING: "warning", EventType.FAILED: "error"}
_FINAL_STATES = {
    Ending.FINISHED: RunState.FINISHED,
    Ending.STOPPED: RunState.STOPPED,
    Ending.FAILED: RunState.FAILED,
    Ending.INTERRUPTED: RunState.INTERRUPTED,
    Ending.REFUSED: RunState.FAILED,
    Ending.NOT_STARTED: RunState.FAILED,
}


class Curve:
    """One quantity over the steps, with its smoothed line.

    A resumed run repeats steps after its checkpoint: a point at or before the last step takes the place of
    everything from there on.
    """

    def __init__(self) -> None:
        self.steps = array("d")
        self.values = array("d")
        self.smoothed = array("d")

    def __len__(self) -> int:
        return len(self.steps)

    def add(self, step: float, value: float) -> None:
        """Adds a point."""
        while self.steps and self.steps[-1] >= step:
            for column in (self.steps, self.values, self.smoothed):
                column.pop()
        past = self.smoothed[-1] if self.smoothed else value
        self.steps.append(step)
        self.values.append(value)
        # The first points count as a plain mean, so that the line does not cling to the very first one.
        share = max(1 - SMOOTHING, 1 / len(self.steps))
        self.smoothed.append(past + share * (value - past))


@dataclass(frozen=True)
class LogLine:
    """A line about a run.

    Attributes:
        time: Unix time in seconds.
        level: ``info``, ``warning`` or ``error``.
        text: The line.
    """

    time: float
    level: str
    text: str


class RunHistory(RunProgress):
    """Takes events in and keeps what they amount to, beside the position.

    Attributes:
        state: Where the run stands, as far as the events say.
        loss, eval_loss: The curves.
        samples: Samples as the model sees them, of the newest attempt.
        points: Points of a learning curve, of the newest attempt.
        lines: The log in words; only the newest are kept.
        summary: The result, once there is one.
        outcome: How it ended, once it is over.
    """

    def __init__(self, kind: RunKind) -> None:
        super().__init__()
        self.kind = kind
        self.state = RunState.STARTING
        self.loss = Curve()
        self.eval_loss = Curve()
        self.samples: list[Mapping[str, Any]] = []
        self.points: list[Mapping[str, Any]] = []
        self.lines: deque[LogLine] = deque(maxlen=_LINES_KEPT)
        self.line_count = 0
        self.last_seq = 0
        self.summary: Mapping[str, Any] = {}
        self.outcome: RunOutcome | None = None
        self.newest_checkpoint = ""

    def take_all(self, events: Iterable[Event]) -> list[LogLine]:
        """Takes events in, in order; returns the new lines of the log."""
        before = self.line_count
        for event in events:
            self._take(event)
        new = self.line_count - before
        return list(self.lines)[-new:] if new else []

    def end(self, outcome: RunOutcome) -> None:
        """Notes how watching ended."""
        self.outcome = outcome
        self.state = _FINAL_STATES.get(outcome.ending, self.state)
        self.seconds_left = None

    def restart(self) -> None:
        """The run begins another attempt."""
        self.outcome = None
        self.summary = {}
        self.state = RunState.STARTING
        self.phase = STARTING

    def _take(self, event: Event) -> None:
        self.last_seq = max(self.last_seq, event.seq)
        self.take(event)
        act = self._ACTIONS.get(event.type)
        if act is not None:
            act(self, event.data)
        text = event_in_words(event)
        if text:
            self.lines.append(LogLine(event.time, _LEVELS.get(event.type, "info"), text))
            self.line_count += 1

    def _started(self, _data: Mapping[str, Any]) -> None:
        self.restart()
        self.samples = []
        self.points = []  # whoever goes on with a curve tells them again

    def _queued(self, _data: Mapping[str, Any]) -> None:
        self.state = RunState.QUEUED

    def _runs(self, _data: Mapping[str, Any]) -> None:
        if self.state in (RunState.STARTING, RunState.QUEUED):
            self.state = RunState.RUNNING

    def _metric(self, data: Mapping[str, Any]) -> None:
        self._runs(data)
        values, step = data.get("values", {}), data.get("step")
        for name, curve in (("loss", self.loss), ("eval_loss", self.eval_loss)):
            value = values.get(name)
            if isinstance(step, int | float) and isinstance(value, int | float):
                curve.add(float(step), float(value))

    def _sample(self, data: Mapping[str, Any]) -> None:
        self.samples.append(data)

    def _point(self, data: Mapping[str, Any]) -> None:
        self.points.append(data)

    def _checkpoint(self, data: Mapping[str, Any]) -> None:
        self.newest_checkpoint = str(data.get("path", ""))

    def _stopping(self, _data: Mapping[str, Any]) -> None:
        self.state = RunState.STOPPING

    def _finished(self, data: Mapping[str, Any]) -> None:
        self.summary = data.get("summary") or {}

    _ACTIONS: ClassVar[Mapping[str, Callable[["RunHistory", Mapping[str, Any]], None]]] = {
        EventType.STARTED: _started,
        EventType.QUEUED: _queued,
        EventType.PHASE: _runs,
        EventType.PROGRESS: _runs,
        EventType.METRIC: _metric,
        EventType.SAMPLE: _sample,
        EventType.POINT: _point,
        EventType.CHECKPOINT: _checkpoint,
        EventType.STOPPING: _stopping,
        EventType.FINISHED: _finished,
    }
