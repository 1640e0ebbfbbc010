"""How much memory a training will take, said before it is loaded; and the largest batch that fits."""

import pytest
import torch

from ocrstudio.domain.run import TrainMode
from ocrstudio.settings.train import load_train_config
from ocrstudio.student.configuration import DeepseekOcrConfig
from ocrstudio.student.memory import estimate_memory, fits
from ocrstudio.student.recipe import Recipe, train
from ocrstudio.student.step_choices import first_that_fits, step_choices
from tests.student.small_run import (
    context_of,
    events,
    fast_config,
    losses,
    training_folder,
    write_dataset,
)

GIB = 2**30


def at_full_size(mode=TrainMode.LLM, *, every=1, **overrides):
    values = {"training.optim": "adamw_8bit", **overrides}
    return estimate_memory(
        DeepseekOcrConfig(),
        load_train_config(overrides=values),
        mode,
        longest=1702,
        image_tokens=903,
        every=every,
    )


@pytest.mark.parametrize(
    ("mode", "every", "measured"),
    [  # docs/performance.md: peaks on an H100
        (TrainMode.LLM, 1, 9.6),
        (TrainMode.LLM, 0, 12.98),
        (TrainMode.BOTH, 1, 9.7),
    ],
)
def test_the_estimate_is_near_what_was_measured(mode, every, measured):
    assert at_full_size(mode, every=every).total / GIB == pytest.approx(measured, rel=0.1)


def test_what_the_advice_proposes_takes_less():
    usual = at_full_size()
    assert at_full_size(**{"training.per_device_train_batch_size": 1}).activations < usual.activations
    assert usual.total < at_full_size(every=2).total < at_full_size(every=0).total
    packed = at_full_size(**{"model.load_in_4bit": True})
    assert packed.weights / GIB == pytest.approx(2.61, rel=0.05)  # benchmarks/load_model.py --4bit
    assert packed.adapter == usual.adapter


def test_an_estimate_fits_when_a_little_room_is_left():
    estimate = at_full_size()
    assert fits(estimate, int(estimate.total * 1.1))
    assert not fits(estimate, estimate.total)


def test_a_run_that_may_not_fit_is_told_before_anything_is_loaded(tmp_path):
    config = fast_config(
        training__per_device_train_batch_size=1024, image__image_size=1024, image__base_size=1024
    )
    folder = training_folder(tmp_path / "runs", write_dataset(tmp_path), config)
    with context_of(folder) as context:
        recipe = Recipe(context)
        recipe.setup_data()
        recipe.estimate()
    (warning,) = [event["message"] for event in events(folder, "warning") if "fit" in event["message"]]
    assert "may not fit" in warning
    assert "per_device_train_batch_size 1 with gradient_accumulation_steps 8" in warning
    assert not any(event["name"] == "model" for event in events(folder, "phase"))


def test_batches_grow_while_the_pages_of_a_step_stay():
    config = load_train_config(overrides={"training.auto_batch": True})  # 2 x 4
    training = [choice.config.training for choice in step_choices(config, on_gpu=True)]
    sizes = [(one.per_device_train_batch_size, one.gradient_accumulation_steps) for one in training]
    assert sizes == [(8, 1), (4, 2), (2, 4), (1, 8)]


@pytest.mark.parametrize(
    ("setting", "on_gpu", "levels"),
    [
        ("auto", True, [0, 2, 1]),
        ("unsloth", True, [1]),
        (True, True, [1]),
        (False, True, [0]),
        ("auto", False, [0]),
    ],
)
def test_activations_are_kept_where_the_setting_allows_it(setting, on_gpu, levels):
    config = load_train_config(overrides={"model.use_gradient_checkpointing": setting})
    assert [choice.every for choice in step_choices(config, on_gpu=on_gpu)] == levels


def test_the_first_batch_that_fits_is_taken():
    tried = []

    def attempt(size):
        tried.append(size)
        return torch.empty(size, dtype=torch.uint8).numel()

    assert first_that_fits([2**50, 2**49, 1000], attempt) == (1000, 1000)
    assert tried == [2**50, 2**49, 1000]
    with pytest.raises(RuntimeError, match="allocate"):
        first_that_fits([2**50, 2**49], attempt)


def test_other_failures_are_no_reason_to_try_a_smaller_batch():
    def attempt(size):
        raise ValueError if size else RuntimeError("shapes differ")

    with pytest.raises(RuntimeError, match="shapes differ"):
        first_that_fits([0, 1], attempt)


def test_a_larger_batch_with_the_same_pages_a_step_learns_the_same(tmp_path):
    dataset = write_dataset(tmp_path)
    curves = {}
    for name, auto in (("fixed", False), ("auto", True)):
        config = fast_config(
            training__per_device_train_batch_size=1,
            training__gradient_accumulation_steps=3,
            training__max_steps=4,
            training__auto_batch=auto,
        )
        folder = training_folder(tmp_path / name, dataset, config)
        with context_of(folder) as context:
            summary = train(context)
        assert summary["batch"] == ([3, 1] if auto else [1, 3])
        curves[name] = list(losses(folder).values())
    assert curves["auto"] == pytest.approx(curves["fixed"], rel=1e-4)
    said = [event["message"] for event in events(folder, "phase")]
    assert "3 pages at once fit; 1 such batches make a step; all activations are kept" in said
