"""Training runs of the micro student, from the dataset file to the adapter folder."""

import math
import shutil

import pytest
import torch
from safetensors.torch import load_file

from ocrstudio.domain.errors import DatasetError, OcrStudioError, RunError
from ocrstudio.domain.picture_check import read_check
from ocrstudio.imaging.presets import ImagePreset
from ocrstudio.student.adapters import read_info
from ocrstudio.student.inference import open_student
from ocrstudio.student.recipe import train
from tests.student.small_run import (
    context_of,
    draw,
    events,
    fast_config,
    losses,
    record,
    training_folder,
    write_dataset,
)

VIEW = ImagePreset(64, 64, False)


def run(folder, **options):
    with context_of(folder, **options) as context:
        return train(context)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """One run of twelve steps that several tests look at."""
    root = tmp_path_factory.mktemp("finished")
    dataset = write_dataset(root / "data")
    config = fast_config(training__max_steps=12, training__save_steps=6)
    folder = training_folder(root / "runs", dataset, config)
    return folder, run(folder), root


def test_the_loss_falls_clearly(finished):
    curve = losses(finished[0])
    assert sorted(curve) == list(range(1, 13))
    assert curve[12] < 0.7 * curve[1]


def test_every_step_is_measured(finished):
    values = events(finished[0], "metric")[0]["values"]
    assert {"loss", "learning_rate", "grad_norm", "token_accuracy"} <= values.keys()
    assert values["tokens_per_second"] > 0
    assert values["pages_per_second"] > 0


def test_progress_tells_the_time_left(finished):
    progress = [event for event in events(finished[0], "progress") if event["unit"] == "steps"]
    assert progress.pop() == {"done": 12, "total": 12, "unit": "steps"}, "what lists show at the end"
    assert [event["done"] for event in progress] == list(range(13))
    assert {event["total"] for event in progress} == {12}
    assert progress[1]["seconds_left"] > 0
    assert progress[-1]["seconds_left"] == 0


def test_checkpoints_are_announced_and_resumable(finished):
    folder = finished[0]
    assert [event["step"] for event in events(folder, "checkpoint")] == [6, 12]
    assert folder.newest_checkpoint() == folder.checkpoints / "checkpoint-12"
    assert (folder.checkpoints / "checkpoint-12" / "optimizer.pt").is_file()


def test_the_summary_says_what_happened(finished):
    folder, summary, _ = finished
    assert summary["steps"] == 12
    assert summary["stopped"] is False
    assert summary["samples"] == 6
    assert summary["adapter"] == str(folder.adapter)
    assert summary["last_loss"] == losses(folder)[12]


def test_the_adapter_says_what_it_belongs_to(finished):
    folder = finished[0]
    info = read_info(folder.adapter)
    assert info.base_model == "micro"
    assert info.base["seed"] == 3407
    assert info.mode == "both"
    assert info.image["image_size"] == 64
    assert info.image["max_tiles"] == 9
    assert info.step == 12
    assert info.run == folder.id


def test_three_samples_are_shown_as_the_model_sees_them(finished):
    samples = events(finished[0], "sample")
    assert len(samples) == 3
    first = samples[0]
    assert first["masked_text"] == "\nFree OCR."
    assert first["learnt_text"] == "total amount"
    assert first["ends_with_eos"] is True
    assert first["image_tokens"] == 3  # one feature, its newline, the separator


def test_a_reloaded_adapter_answers_as_it_was_trained(finished, tmp_path):
    student = open_student("micro", finished[0].adapter, VIEW)
    base = open_student("micro", None, VIEW)
    prompt = student.processor.encode([], "Free OCR.")
    batch = student.processor.collate([prompt], with_labels=False)
    with torch.no_grad():
        difference = student.model(**batch).logits - base.model(**batch).logits
    assert difference.abs().max() > 0.1


def test_a_resumed_run_equals_one_that_was_never_interrupted(tmp_path):
    dataset = write_dataset(tmp_path / "data")
    # Three steps are an epoch: the run is taken up within the second one and goes on into the third.
    config = fast_config(lora__lora_dropout=0.1, training__max_steps=8, training__save_steps=4)
    whole = training_folder(tmp_path / "runs", dataset, config)
    run(whole)
    checkpoint = whole.checkpoints / "checkpoint-4"
    resumed = training_folder(tmp_path / "runs", dataset, config, resume_from=str(checkpoint))
    run(resumed)
    expected, found = losses(whole), losses(resumed)
    assert sorted(found) == [5, 6, 7, 8]
    assert found == {step: expected[step] for step in found}
    weights = [load_file(folder.adapter / "adapter_model.safetensors") for folder in (whole, resumed)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_a_run_that_ended_behind_its_last_step_takes_none_more(finished, tmp_path):
    whole, summary, root = finished
    checkpoint = whole.checkpoints / "checkpoint-12"
    config = fast_config(training__max_steps=12, training__save_steps=6)
    again = training_folder(
        tmp_path / "runs", root / "data" / "data.jsonl", config, resume_from=str(checkpoint)
    )
    repeated = run(again)
    assert losses(again) == {}
    assert (repeated["steps"], repeated["last_loss"]) == (12, summary["last_loss"])
    assert repeated["picture_check"]["own_loss"] == pytest.approx(summary["picture_check"]["own_loss"])
    weights = [load_file(folder.adapter / "adapter_model.safetensors") for folder in (whole, again)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_a_stop_request_saves_a_checkpoint_and_ends(tmp_path):
    folder = training_folder(tmp_path / "runs", write_dataset(tmp_path / "data"), fast_config())
    summary = run(folder, stop_after=2)
    assert summary["stopped"] is True
    assert summary["steps"] == 2
    assert folder.newest_checkpoint() == folder.checkpoints / "checkpoint-2"
    assert (folder.adapter / "adapter_model.safetensors").is_file()


def test_the_best_adapter_is_kept_and_patience_ends_the_run(tmp_path):
    dataset = write_dataset(tmp_path / "data")
    held_out = write_dataset(tmp_path / "held", ["0123456789 %% $$ 987"], "held.jsonl")
    config = fast_config(
        training__max_steps=30,
        training__eval_steps=2,
        training__early_stopping_patience=2,
        training__learning_rate=0.05,
        training__save_steps=30,
    )
    folder = training_folder(tmp_path / "runs", dataset, config, eval_dataset=str(held_out))
    summary = run(folder)
    curve = dict(summary["eval_losses"])
    best = min(curve, key=curve.get)
    assert summary["stopped_early"] is True
    assert summary["steps"] == best + 4
    assert summary["adapter_step"] == best
    assert read_info(folder.adapter).eval_loss == pytest.approx(curve[best])
    check = read_check(summary)
    assert check.own_loss == pytest.approx(curve[best], rel=1e-4), "it is the adapter that is kept"
    assert (check.pages, check.held_out, check.borrowed) == (1, True, True)
    kept = load_file(folder.checkpoints / f"best-{best}" / "adapter_model.safetensors")
    final = load_file(folder.adapter / "adapter_model.safetensors")
    assert all(torch.equal(kept[name], final[name]) for name in kept)
    evaluation = [event for event in events(folder, "metric") if "eval_loss" in event["values"]]
    assert 0 <= evaluation[0]["values"]["eval_token_accuracy"] <= 1


def test_projector_and_vectors_survive_saving_and_resuming(tmp_path):
    dataset = write_dataset(tmp_path / "data")
    config = fast_config(lora__train_projector=True, lora__train_newline_separator=True)
    folder = training_folder(tmp_path / "runs", dataset, config, mode="vision")
    run(folder)
    vectors = load_file(folder.adapter / "vectors.safetensors")
    assert set(vectors) == {"model.image_newline", "model.view_separator"}
    checkpoint = folder.checkpoints / "checkpoint-3"
    resumed = training_folder(tmp_path / "runs", dataset, config, mode="vision", resume_from=str(checkpoint))
    run(resumed)
    again = load_file(resumed.adapter / "vectors.safetensors")
    assert all(torch.equal(vectors[name], again[name]) for name in vectors)
    student = open_student("micro", folder.adapter, VIEW)
    assert torch.equal(student.model.get_parameter("model.image_newline"), vectors["model.image_newline"])


def test_a_diverging_run_ends_with_a_sentence_and_without_a_broken_checkpoint(tmp_path):
    dataset = write_dataset(tmp_path / "data")
    config = fast_config(training__max_steps=6, training__save_steps=1)
    healthy = training_folder(tmp_path / "runs", dataset, config)
    run(healthy)
    start = tmp_path / "checkpoint-4"
    shutil.copytree(healthy.checkpoints / "checkpoint-4", start)
    # A step of this momentum is so long that numbers overflow behind it, on any processor.
    state = torch.load(start / "optimizer.pt", weights_only=True)
    for moments in state["state"].values():
        moments["exp_avg"].fill_(1e30)
    torch.save(state, start / "optimizer.pt")
    folder = training_folder(tmp_path / "runs", dataset, config, resume_from=str(start))
    with pytest.raises(RunError, match="diverged") as caught:
        run(folder)
    assert "learning_rate" in caught.value.hint
    weights = load_file(folder.newest_checkpoint() / "adapter_model.safetensors")
    assert all(bool(tensor.isfinite().all()) for tensor in weights.values())


def test_a_dataset_without_a_usable_sample_is_an_error(tmp_path):
    draw(tmp_path / "a.png", "a")
    dataset = tmp_path / "data.jsonl"
    dataset.write_text(record("a.png", "word " * 400) + "\n", encoding="utf-8")
    folder = training_folder(tmp_path / "runs", dataset, fast_config(training__max_length=64))
    with pytest.raises(DatasetError, match="no sample that can be used"):
        run(folder)
    assert "takes" in events(folder, "warning")[0]["message"]


def test_resuming_from_a_missing_checkpoint_is_an_error(tmp_path):
    folder = training_folder(
        tmp_path / "runs", write_dataset(tmp_path / "data"), fast_config(), resume_from="checkpoints/none"
    )
    with pytest.raises(RunError, match="does not exist"):
        run(folder)


@pytest.mark.parametrize(
    ("change", "request_fields", "settings", "words"),
    [
        ("optimizer.pt", {}, {}, "optimizer.pt"),
        ("trainer_state.json", {}, {}, "trainer_state.json cannot be read"),
        ("adapter_model.safetensors", {}, {}, "adapter_model.safetensors"),
        ("ocrstudio.json", {}, {}, "ocrstudio.json"),
        (None, {"mode": "vision"}, {}, "mode both, not vision"),
        (None, {}, {"lora__r": 8}, "lora.r 4, not 8"),
        (None, {}, {"lora__lora_alpha": 2}, "lora.lora_alpha"),
        (None, {}, {"training__max_steps": 5}, "at step 6, and this training has 5 steps"),
    ],
)
def test_a_checkpoint_that_cannot_be_gone_on_from_is_said_before_anything_is_loaded(
    finished, tmp_path, change, request_fields, settings, words
):
    checkpoint = tmp_path / "checkpoint-6"
    shutil.copytree(finished[0].checkpoints / "checkpoint-6", checkpoint)
    if change in ("optimizer.pt", "adapter_model.safetensors"):
        (checkpoint / change).unlink()
    elif change is not None:
        (checkpoint / change).write_text("{")
    config = fast_config(**{"training__max_steps": 12, **settings})
    folder = training_folder(
        tmp_path / "runs",
        finished[2] / "data" / "data.jsonl",
        config,
        resume_from=str(checkpoint),
        **request_fields,
    )
    with pytest.raises(OcrStudioError, match=words):
        run(folder)
    assert not [event for event in events(folder, "phase") if event["name"] == "model"]


def test_losses_are_numbers(finished):
    assert all(math.isfinite(loss) for loss in losses(finished[0]).values())


def test_how_a_step_is_divided_into_batches_changes_nothing(tmp_path):
    """Pages are sorted by length within a step; its loss and gradient are those of all of its pages."""
    answers = ["a" * length for length in (3, 40, 9, 70, 22, 5, 31, 12)]
    dataset = write_dataset(tmp_path / "data", answers)
    measured = []
    for batch, accumulation in ((4, 1), (2, 2), (1, 4)):
        config = fast_config(
            training__max_steps=2,
            training__per_device_train_batch_size=batch,
            training__gradient_accumulation_steps=accumulation,
        )
        folder = training_folder(tmp_path / f"runs{batch}", dataset, config)
        run(folder)
        measured.append([event["values"] for event in events(folder, "metric")])
    expected = measured[0]
    for values in measured[1:]:
        for step, wanted in zip(values, expected, strict=True):
            assert step["loss"] == pytest.approx(wanted["loss"], rel=1e-3)
            assert step["grad_norm"] == pytest.approx(wanted["grad_norm"], rel=1e-2)
