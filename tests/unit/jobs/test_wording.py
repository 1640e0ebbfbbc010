import pytest

from ocrstudio.jobs.events import Event, EventType
from ocrstudio.jobs.wording import event_in_words, sample_in_words, values_in_words


@pytest.mark.parametrize(
    ("kind", "data", "words"),
    [
        ("started", {"attempt": 1}, "Started."),
        ("started", {"attempt": 3}, "Started again (attempt 3)."),
        ("phase", {"name": "load", "message": "Loading the model"}, "Loading the model"),
        ("stopping", {}, "Stopping: a checkpoint is saved first."),
        ("metric", {"step": 4, "values": {"loss": 0.5}}, "Step 4: loss 0.5000"),
        ("metric", {"step": 4, "values": {"token_accuracy": 0.8}}, "Step 4: token accuracy 80.0%"),
        ("finished", {"stopped": True}, "Stopped."),
        ("progress", {"done": 3}, ""),
        ("from_the_future", {}, ""),
    ],
)
def test_an_event_is_one_line_or_none(kind, data, words):
    assert event_in_words(Event(1, 0.0, kind, data)) == words


def test_values_that_are_missing_or_unknown_are_left_out():
    values = {"tokens_per_second": 12_345.6, "loss": None, "momentum": 0.9, "gpu_memory_gib": 11.04}
    assert values_in_words(values) == "12,346 tokens/s, 11.0 GiB of GPU memory"


def test_every_type_of_event_is_known():
    assert all(isinstance(event_in_words(Event(1, 0.0, kind, {})), str) for kind in EventType)


def test_a_sample_is_shown_with_what_is_masked_and_what_is_learnt():
    data = {
        "line": 7, "image": "/data/letter_p1.png",
        "image_tokens": 903, "prompt_tokens": 5, "answer_tokens": 3,
        "masked_text": "\nFree OCR.", "learnt_text": "x " * 500, "ends_with_eos": True,
    }  # fmt: skip
    first, masked, learnt = sample_in_words(data).splitlines()
    assert first.startswith("Sample of line 7, letter_p1.png: 903 positions of the picture, 5 tokens")
    assert masked == r'  masked: "\nFree OCR."'
    assert learnt.startswith('  learnt: "x x')
    assert len(learnt) < 220
    assert "NO end token" in sample_in_words({**data, "ends_with_eos": False})
