"""Training pages that are degraded on the fly: others in each pass, the same again, never in an evaluation.

Runs that look at pictures take steps too small to be felt, so that a loss tells one picture from another.
"""

import json
from dataclasses import replace

import pytest
import torch
from accelerate.data_loader import BatchSamplerShard, SkipBatchSampler
from PIL import Image
from safetensors.torch import load_file
from torch.utils.data import BatchSampler, DataLoader
from transformers import TrainerState

from ocrstudio.imaging.augmentation import Augmentation
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.student.adapters import read_info
from ocrstudio.student.callbacks import EpochCallback
from ocrstudio.student.collator import Collator
from ocrstudio.student.examples import Example
from ocrstudio.student.loader_workers import end_loaders
from ocrstudio.student.loading import load_processor
from ocrstudio.student.recipe import train
from ocrstudio.student.request import read_config
from ocrstudio.student.sampler import StepSampler
from ocrstudio.student.turns import TrainingExamples
from tests.student.small_run import (
    PROMPT,
    context_of,
    draw,
    events,
    fast_config,
    losses,
    record,
    training_folder,
    write_dataset,
)

STILL = {"training__learning_rate": 1e-9, "training__per_device_train_batch_size": 1}


def run(parent, dataset, *, request=None, **overrides):
    folder = training_folder(parent, dataset, fast_config(**overrides), **(request or {}))
    with context_of(folder) as context:
        return folder, train(context)


def rounded(values):
    return [round(value, 4) for value in values]


def said(folder, name):
    return [event["message"] for event in events(folder, "phase") if event["name"] == name]


def eval_losses(folder):
    values = [event["values"] for event in events(folder, "metric")]
    return rounded(one["eval_loss"] for one in values if "eval_loss" in one)


@pytest.fixture(scope="module")
def one_page(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("one"), ["total amount"])


def test_without_it_a_page_is_the_same_in_each_pass(one_page, tmp_path):
    folder, summary = run(tmp_path, one_page, **STILL)
    assert len(set(rounded(losses(folder).values()))) == 1
    assert summary["augment"] == "off"
    assert not any("degraded" in message for message in said(folder, "data"))


@pytest.mark.parametrize("engine", ["transformers", "unsloth"])
def test_a_page_is_another_one_in_each_pass_and_the_evaluation_sees_it_as_it_is(engine, one_page, tmp_path):
    """Both engines train with the same recipe; without a GPU unsloth hands over to transformers."""
    clean, _ = run(
        tmp_path, one_page, request={"eval_dataset": str(one_page)}, **STILL, training__eval_steps=2
    )
    folder, summary = run(
        tmp_path,
        one_page,
        request={"eval_dataset": str(one_page)},
        **STILL,
        training__eval_steps=2,
        training__augment="strong",
        model__engine=engine,
    )
    assert len(set(rounded(losses(folder).values()))) >= 5
    assert eval_losses(folder) == eval_losses(clean)
    assert set(eval_losses(folder)) == set(rounded(losses(clean).values()))
    assert "Training pages are degraded" in said(folder, "data")[-1]
    assert summary["augment"] == read_info(folder.adapter).augment == "strong"
    assert folder.spec.config["training"]["augment"] == "strong"
    seen = events(folder, "sample")[0]["augmentation"]
    assert Augmentation(**seen) == Augmentation("strong", 3407, 0, 1)


def test_a_resumed_run_sees_what_the_uninterrupted_one_sees(tmp_path):
    dataset = write_dataset(tmp_path / "data")
    # Three steps are an epoch: the run is taken up within the second one and goes on into the third.
    settings = {"training__max_steps": 8, "training__save_steps": 4, "training__augment": "strong"}
    settings["training__check_pictures"] = False  # this student would be warned of
    whole, _ = run(tmp_path / "runs", dataset, **settings)
    checkpoint = whole.checkpoints / "checkpoint-4"
    resumed, _ = run(tmp_path / "runs", dataset, request={"resume_from": str(checkpoint)}, **settings)
    expected, found = losses(whole), losses(resumed)
    assert found == {step: expected[step] for step in (5, 6, 7, 8)}
    weights = [load_file(folder.adapter / "adapter_model.safetensors") for folder in (whole, resumed)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert events(resumed, "warning") == []
    other, _ = run(
        tmp_path / "runs",
        dataset,
        request={"resume_from": str(checkpoint)},
        **{**settings, "training__augment": "light"},
    )
    (warning,) = events(other, "warning")
    assert "training.augment strong, and this run goes on with light" in warning["message"]
    assert losses(other)[5] != found[5]


def test_kept_features_are_given_up_and_the_run_says_so(tmp_path):
    dataset = write_dataset(tmp_path / "data")
    settings = {"training__augment": "strong", "training__max_steps": 6}
    folder, _ = run(tmp_path, dataset, request={"mode": "llm"}, **settings)
    (message,) = said(folder, "features")
    assert "different in each pass" in message
    assert "encoded each time" in message
    anew, _ = run(tmp_path, dataset, request={"mode": "llm"}, **settings, training__keep_image_features=False)
    assert said(anew, "features") == []
    assert losses(anew) == losses(folder)
    plain, _ = run(tmp_path, dataset, request={"mode": "llm"}, training__max_steps=6)
    assert losses(plain) != losses(folder)


def test_processes_that_prepare_pages_make_the_same_ones_in_every_pass(tmp_path):
    """They keep the copy of the data that they were started with, whatever pass it is."""
    config = fast_config(training__augment="strong", image__crop_mode=True)
    names = [draw(tmp_path / f"a_p{number}.png", "word", (90 + number, 200)) for number in range(5)]
    examples = [Example(PROMPT, "word", name, name.name, line) for line, name in enumerate(names, start=1)]

    def passes(workers):
        sampler = StepSampler([1] * len(examples), 2, shuffle=True, seed=1)
        loader = DataLoader(
            TrainingExamples(examples, config.training),
            sampler=sampler,
            batch_size=2,
            collate_fn=Collator(load_processor("micro", config.image, max_length=1024)),
            num_workers=workers,
            persistent_workers=workers > 0,
        )
        seen = []
        for epoch in (0, 1, 4):
            sampler.set_epoch(epoch)
            seen.append(torch.cat([batch["pixel_values_global"] for batch in loader]))
        end_loaders([loader])
        return seen

    alone, together = passes(0), passes(2)
    assert all(torch.equal(mine, theirs) for mine, theirs in zip(alone, together, strict=True))
    assert not torch.equal(alone[0].sort(0).values, alone[1].sort(0).values)


def test_several_processes_go_on_in_the_pass_that_was_interrupted():
    """The library tells the sampler the pass, but not through the wrappers of two processes and a resume."""
    sampler = StepSampler([1] * 12, 4, shuffle=True, seed=1)
    batches = BatchSampler(sampler, 2, drop_last=False)
    parts = [SkipBatchSampler(BatchSamplerShard(batches, 2, process), skip_batches=1) for process in range(2)]
    # Three steps are a pass; four are done.
    state = TrainerState(global_step=4)
    EpochCallback(sampler.set_epoch, 3).on_epoch_begin(None, state, None)
    left = [turn for part in parts for batch in part for turn in batch]
    expected = StepSampler([1] * 12, 4, shuffle=True, seed=1)
    expected.set_epoch(1)
    assert sorted(left) == sorted(list(expected)[4:])


def test_no_picture_ends_the_run(tmp_path):
    pictures = {
        "dot.png": Image.new("RGB", (1, 1), "black"),
        "hair.png": Image.new("L", (1, 900), "white"),
        "strip.png": Image.new("L", (2_000, 1), "grey"),
        "clear.png": Image.new("RGBA", (120, 80), (10, 20, 30, 90)),
        "grey.png": Image.new("LA", (80, 120), (200, 90)),
        "bits.png": Image.new("1", (300, 200), 1),
        "large.png": Image.new("L", (5_300, 5_000), "white"),
    }
    for name, picture in pictures.items():
        picture.save(tmp_path / name)
    lines = [record(name, name) for name in pictures]
    text = {"role": "<|User|>", "content": "Say yes."}
    lines.append(json.dumps({"messages": [text, {"role": "<|Assistant|>", "content": "yes"}]}))
    dataset = tmp_path / "data.jsonl"
    dataset.write_text("\n".join(lines) + "\n", encoding="utf-8")
    folder, summary = run(
        tmp_path, dataset, training__augment="strong", training__max_steps=8, image__crop_mode=True
    )
    assert summary["steps"] == 8
    assert summary["samples"] + summary["skipped_samples"] == len(lines)
    assert summary["samples"] >= len(pictures)
    assert sorted(losses(folder)) == list(range(1, 9))


def test_a_run_of_a_version_without_it_goes_on_without_it(tmp_path):
    folder = training_folder(tmp_path, tmp_path / "data.jsonl", fast_config(training__augment="strong"))
    written = dict(folder.spec.config)
    written["training"] = {name: value for name, value in written["training"].items() if name != "augment"}
    older = RunFolder.create(tmp_path / "older", replace(folder.spec, config=written))
    assert read_config(older).training.augment == "off"
    assert read_config(folder).training.augment == "strong"
