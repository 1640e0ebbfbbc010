"""The sentence before a training starts; no window."""

from pathlib import Path

import pytest

from ocrstudio.domain.run import TrainMode
from ocrstudio.services.curve_pace import Pace
from ocrstudio.ui.training.plan import (
    DataFacts,
    DataSource,
    Preview,
    TrainingPlan,
    preview,
    resolve_config,
)


def sentence(mode: TrainMode = TrainMode.VISION, **training: object) -> str:
    """What is said of a training on 40 samples of a file."""
    plan = TrainingPlan(
        source=DataSource.FILE,
        dataset=Path("train.jsonl"),
        task="markdown",
        eval_fraction=0.0,
        embedded="",
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


def curve_of(samples: int, *, pace: Pace | None = None, **training: object) -> Preview:
    """What is said of a learning curve on a file, a quarter of which is held out."""
    plan = TrainingPlan(
        source=DataSource.FILE,
        dataset=Path("train.jsonl"),
        task="markdown",
        eval_fraction=0.0,
        embedded="",
        mode=TrainMode.VISION,
        overrides={f"training.{key}": value for key, value in ({"eval_fraction": 0.25} | training).items()},
        curve=True,
    )
    return preview(plan, resolve_config(plan), DataFacts(samples=samples, pace=pace or Pace()))


def test_a_learning_curve_says_its_trainings_and_how_long_they_take():
    said = curve_of(40, pace=Pace(step=2.0), max_steps=120)
    assert said.ready
    assert "a quarter, a half and all of 40 samples of train.jsonl" in said.text
    assert "three times 120 steps, about 3 \N{MULTIPLICATION SIGN} 4 min" in said.text
    assert said.text.endswith("Then it says what 100 more pages would bring.")


def test_a_learning_curve_counts_the_steps_of_all_pages():
    said = curve_of(
        40, max_steps=None, num_train_epochs=2, per_device_train_batch_size=3, gradient_accumulation_steps=1
    )
    assert "three times 20 steps, and" in said.text


def test_a_learning_curve_of_few_pages_is_refused_or_promises_nothing():
    refused = curve_of(9)
    assert refused.text == "A learning curve needs at least 8 pages to train on, and there are 7."
    assert not refused.ready
    assert "hold some out" in curve_of(40, eval_fraction=0.0).text
    assert "it needs 8 held-out pages" in curve_of(20).text
