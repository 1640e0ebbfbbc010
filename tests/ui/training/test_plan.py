"""The sentence before a training starts; no window."""

from pathlib import Path

import pytest

from ocrstudio.domain.run import TrainMode
from ocrstudio.ui.training.plan import DataFacts, DataSource, TrainingPlan, preview, resolve_config


def sentence(mode: TrainMode = TrainMode.VISION, **training: object) -> str:
    """What is said of a training on 40 samples of a file."""
    plan = TrainingPlan(
        source=DataSource.FILE,
        dataset=Path("train.jsonl"),
        task="markdown",
        eval_fraction=0.0,
        micro=False,
        mode=mode,
        overrides={f"training.{key}": value for key, value in ({"eval_fraction": 0.0} | training).items()},
    )
    return preview(plan, resolve_config(plan), DataFacts(samples=40)).text


def test_a_step_takes_the_pages_of_all_processes():
    text = sentence(
        max_steps=10, per_device_train_batch_size=2, gradient_accumulation_steps=2, num_processes=4
    )
    assert "10 steps of 16 pages, about 4.0 passes over them" in text


def test_a_length_in_passes_is_told_in_steps():
    text = sentence(
        max_steps=None, num_train_epochs=1, per_device_train_batch_size=1, gradient_accumulation_steps=1
    )
    assert "1 pass over them, about 40 steps of 1 page." in text


def test_what_the_worker_holds_out_of_a_file_is_not_trained_on():
    text = sentence(
        eval_fraction=0.5, max_steps=10, per_device_train_batch_size=2, gradient_accumulation_steps=1
    )
    assert "40 samples of train.jsonl, about 50% of them held out" in text
    assert "about 1 pass over them" in text


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        (TrainMode.VISION, "Trains the vision part of DeepSeek-OCR"),
        (TrainMode.LLM, "Trains the language model of DeepSeek-OCR"),
        (TrainMode.BOTH, "Trains both parts of DeepSeek-OCR"),
        (TrainMode.FULL, "Trains every weight of DeepSeek-OCR"),
    ],
)
def test_the_sentence_says_what_changes(mode, words):
    assert words in sentence(mode)
