"""Mode full: every weight is trained, and the result goes wherever an adapter goes."""

import json

import pytest
import torch

from ocrstudio.domain.errors import ModelError, RunError
from ocrstudio.domain.picture_check import read_check, read_movement
from ocrstudio.evaluation.report import read
from ocrstudio.student.adapter_export import export_adapter, merge_adapter
from ocrstudio.student.evaluate import evaluate
from ocrstudio.student.inference import open_student
from ocrstudio.student.micro import MICRO_IMAGE, build_micro
from ocrstudio.student.recipe import train
from tests.student.small_run import (
    WORDS,
    context_of,
    evaluation_folder,
    events,
    fast_config,
    losses,
    training_folder,
    write_dataset,
)


def run(folder, **options):
    with context_of(folder, **options) as context:
        return train(context)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory, dataset):
    config = fast_config(
        training__max_steps=60, training__save_steps=20, training__per_device_train_batch_size=6,
        training__learning_rate=0.0005,
    )  # fmt: skip
    folder = training_folder(tmp_path_factory.mktemp("runs"), dataset, config, mode="full")
    return folder, run(folder)


def test_every_weight_that_counts_is_trained(trained):
    folder, summary = trained
    model, _ = build_micro()
    unused = model.model.vision_model.embeddings.patch_embedding.weight.numel()
    assert summary["trainable_parameters"] == sum(p.numel() for p in model.parameters()) - unused
    checks = [event["message"] for event in events(folder, "phase") if event["name"] == "check"]
    assert all(
        part in checks[-1] for part in ("SAM encoder", "vision encoder", "projector", "language model")
    )


def test_it_learns_its_pages_by_heart(trained, dataset, tmp_path):
    folder, _ = trained
    assert losses(folder)[60] < 0.1
    output = tmp_path / "results.json"
    run_folder = evaluation_folder(
        tmp_path / "runs", dataset, fast_config(), adapter=str(folder.adapter), output=str(output)
    )
    with context_of(run_folder) as context:
        evaluate(context)
    report = read(output)
    assert report.overall.cer.corpus < 0.05
    assert {page.prediction for page in report.pages} == set(WORDS)


def test_it_looks_at_the_pages_that_it_knows_by_heart(trained):
    folder, summary = trained
    check = read_check(summary)
    assert check.looks
    assert check.own_loss < 0.1
    assert check.dependence > 1, "with another picture it says what belongs to that one"
    assert (check.pages, check.held_out) == (6, False)
    said = [event["message"] for event in events(folder, "phase") if event["name"] == "pictures"]
    assert said[-1].startswith(
        f"The answer depends on the picture: {check.dependence:.1f} nats a token. Loss"
    )
    assert not [event for event in events(folder, "warning") if "picture" in event["message"]]


def test_every_part_has_moved(trained):
    moved = read_movement(trained[1])
    assert {"vision encoder", "SAM encoder", "projector", "newline and separator"} < moved.keys()
    assert {"attention", "routed experts", "router", "MLP", "embeddings", "output layer"} < moved.keys()
    assert all(change > 0 for change in moved.values())


def test_a_resumed_run_equals_one_that_was_never_interrupted(dataset, tmp_path):
    config = fast_config(training__max_steps=4, training__save_steps=2)
    whole = training_folder(tmp_path / "whole", dataset, config, mode="full")
    run(whole)
    first = training_folder(tmp_path / "first", dataset, config, mode="full")
    run(first, stop_after=2)
    second = training_folder(
        tmp_path / "second", dataset, config, mode="full", resume_from=str(first.newest_checkpoint())
    )
    run(second)
    assert losses(second) == {step: loss for step, loss in losses(whole).items() if step > 2}


def test_it_merges_into_a_model_folder_that_answers_alike(trained, tmp_path):
    folder, _ = trained
    merge_adapter("micro", folder.adapter, tmp_path / "model")
    _, processor = build_micro(image=MICRO_IMAGE)
    batch = processor.collate([processor.encode([], "Say it.", "A word.")])
    with torch.no_grad():
        ours = open_student("micro", folder.adapter, MICRO_IMAGE).model(**batch).loss
        merged = open_student(str(tmp_path / "model"), None, MICRO_IMAGE).model(**batch).loss
    torch.testing.assert_close(ours, merged, rtol=0.02, atol=0.02)  # the folder is loaded in 16 bits


def test_there_is_no_adapter_to_export(trained, tmp_path):
    with pytest.raises(ModelError, match="every weight of a model") as caught:
        export_adapter(trained[0].adapter, tmp_path / "peft")
    assert "Merge it" in caught.value.hint
    assert json.loads((trained[0].adapter / "ocrstudio.json").read_text())["mode"] == "full"


def test_it_can_be_packed_for_answering(trained):
    pytest.importorskip("bitsandbytes")
    student = open_student("micro", trained[0].adapter, MICRO_IMAGE, load_in_4bit=True)
    assert any(parameter.dtype == torch.uint8 for parameter in student.model.parameters())


def test_weights_in_four_bits_cannot_be_trained(dataset, tmp_path):
    folder = training_folder(tmp_path / "runs", dataset, fast_config(model__load_in_4bit=True), mode="full")
    with pytest.raises(RunError, match="weights in 4 bits cannot be trained"):
        run(folder)
