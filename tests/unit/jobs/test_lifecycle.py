import pytest

from ocrstudio.domain.run import RunState
from ocrstudio.jobs.events import Event
from ocrstudio.jobs.lifecycle import compute_state


def _state(kind=None, *, attempt=1, stop=False, alive=True, **data):
    last = Event(3, 0.0, kind, data) if kind else None
    return compute_state(last, attempt=attempt, stop_requested=stop, alive=alive)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (_state(), RunState.STARTING),
        (_state(alive=False), RunState.INTERRUPTED),
        (_state("started"), RunState.STARTING),
        (_state("queued"), RunState.QUEUED),
        (_state("metric"), RunState.RUNNING),
        (_state("a word of a newer version"), RunState.RUNNING),
        (_state("metric", stop=True), RunState.STOPPING),
        (_state("queued", stop=True), RunState.STOPPING),
        (_state("metric", alive=False), RunState.INTERRUPTED),
        (_state("metric", alive=False, stop=True), RunState.INTERRUPTED),
        (_state("finished", alive=False, attempt=1), RunState.FINISHED),
        (_state("finished", alive=True, stopped=True), RunState.STOPPED),
        (_state("failed", alive=False), RunState.FAILED),
    ],
)
def test_state_follows_from_the_last_event_and_the_process(state, expected):
    assert state is expected


def test_an_ending_of_an_earlier_attempt_does_not_end_the_resumed_run():
    last = Event(9, 0.0, "finished", {"attempt": 1, "stopped": True})
    assert compute_state(last, attempt=2, stop_requested=False, alive=True) is RunState.STARTING
    assert compute_state(last, attempt=2, stop_requested=False, alive=False) is RunState.INTERRUPTED
