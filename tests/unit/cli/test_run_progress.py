import pytest

from ocrstudio.cli.run_progress import PlainView, TerminalView, facts_that_fit
from ocrstudio.jobs.events import Event
from ocrstudio.jobs.progress import RunProgress


def _training() -> RunProgress:
    progress = RunProgress()
    values = {"loss": 0.61234, "learning_rate": 1e-4, "grad_norm": 0.5, "tokens_per_second": 1234.0}
    progress.take(Event(1, 0.0, "metric", {"step": 12, "values": values}))
    progress.take(Event(2, 0.0, "progress", {"done": 12, "total": 60, "unit": "steps", "seconds_left": 200}))
    return progress


@pytest.mark.parametrize(
    ("room", "shown"),
    [
        (5, ""),
        (20, "3 min 20 s left"),
        (40, "3 min 20 s left, loss 0.6123"),
        (60, "3 min 20 s left, loss 0.6123, learning rate 1.0e-04"),
        (200, "3 min 20 s left, loss 0.6123, learning rate 1.0e-04, gradient norm 0.50, 1,234 tokens/s"),
    ],
)
def test_a_narrow_terminal_shows_the_time_left_and_the_loss_before_anything_else(room, shown):
    assert facts_that_fit(_training(), room) == shown


@pytest.mark.parametrize("view", [PlainView, TerminalView])
def test_training_samples_are_shown_and_those_of_an_evaluation_are_not(view, capsys):
    sample = {"line": 3, "masked_text": "\nFree [b]OCR.", "learnt_text": "old bank", "ends_with_eos": True}
    with view() as shown:
        shown.show(Event(1, 0.0, "sample", {**sample, "kind": "training"}))
        shown.show(Event(2, 0.0, "sample", {**sample, "kind": "evaluation", "line": 4}))
    printed = capsys.readouterr().out
    assert "Sample of line 3" in printed
    assert r'masked: "\nFree [b]OCR."' in printed
    assert "line 4" not in printed


def test_a_new_phase_ends_what_was_counted_before():
    progress = RunProgress()
    progress.take(Event(1, 0.0, "progress", {"done": 10, "total": 39, "unit": "pages"}))
    assert progress.position() == "10 of 39 pages"
    progress.take(Event(2, 0.0, "phase", {"name": "model", "message": "Loading the base model"}))
    assert progress.position() == "Loading the base model"
    assert progress.time_left() == ""
