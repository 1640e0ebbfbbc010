"""Training on weights of 16 bits, as every real folder has them: what is trained has to move, exactly."""

import re

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from ocrstudio.domain.run import TrainMode
from ocrstudio.evaluation.report import read
from ocrstudio.imaging.presets import ImagePreset
from ocrstudio.jobs.events import read_events
from ocrstudio.settings.train import load_train_config
from ocrstudio.student.adapter_export import merge_adapter
from ocrstudio.student.evaluate import evaluate
from ocrstudio.student.export import save_model
from ocrstudio.student.first_steps import FirstStepsCallback
from ocrstudio.student.inference import open_student
from ocrstudio.student.lora import VECTORS, attach_adapter, select_targets, trainable_parameters
from ocrstudio.student.micro import build_micro
from ocrstudio.student.recipe import train
from tests.student.small_run import (
    context_of,
    evaluation_folder,
    events,
    fast_config,
    losses,
    training_folder,
    write_dataset,
)
from tests.student.tiny_network import tiny_batch, tiny_network

VIEW = ImagePreset(64, 64, False)
WHOLE = {"lora__train_projector": True, "lora__train_newline_separator": True}
SMALL_STEPS = {"training__learning_rate": 1e-5, "training__max_steps": 4, "training__save_steps": 2}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The micro student as a folder of bfloat16 weights."""
    network, processor = build_micro()
    folder = tmp_path_factory.mktemp("weights") / "model"
    save_model(network, processor.tokenizer, folder, dtype=torch.bfloat16)
    return folder


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("pages"))


def run(folder):
    with context_of(folder) as context:
        return train(context)


@pytest.fixture(scope="module")
def finished(tmp_path_factory, model, dataset):
    runs = tmp_path_factory.mktemp("runs")
    folder = training_folder(runs, dataset, fast_config(**WHOLE, **SMALL_STEPS), model=str(model))
    run(folder)
    return folder


def test_steps_of_a_hundred_thousandth_move_every_value_of_a_base_in_16_bits(finished, model):
    said = [event["message"] for event in events(finished, "phase")]
    proof = [message for message in said if "moved after step" in message]
    assert len(proof) == 1
    assert proof[0].startswith("Every trained tensor has moved after step 3: ")
    assert "2 in the newline and separator" in proof[0]
    moved = re.search(r"; (\d+) of 384 values of newline and separator$", proof[0])
    assert int(moved[1]) >= 380
    assert not [event for event in events(finished, "warning") if "not moved" in event["message"]]
    told = [event for event in read_events(finished.events_path) if event.type in ("phase", "progress")]
    (place,) = [number for number, event in enumerate(told) if event.data.get("message") == proof[0]]
    assert told[place + 1].data["done"] == 3, "whoever watches goes on counting at once"
    trained = load_file(finished.adapter / "vectors.safetensors")
    base = open_student(str(model), None, VIEW).model
    for name in VECTORS:
        start = base.get_parameter(name)
        assert start.dtype == torch.bfloat16
        moved = (trained[name] - start.float()).abs()
        assert trained[name].dtype == torch.float32
        assert int((moved > 0).sum()) >= 190
        assert moved.max() <= 4.1e-5


def test_a_resumed_run_on_such_a_base_equals_one_that_was_never_interrupted(
    finished, model, dataset, tmp_path
):
    checkpoint = finished.checkpoints / "checkpoint-2"
    config = fast_config(**WHOLE, **SMALL_STEPS)
    resumed = training_folder(tmp_path, dataset, config, model=str(model), resume_from=str(checkpoint))
    run(resumed)
    assert losses(resumed) == {step: loss for step, loss in losses(finished).items() if step > 2}
    for name in ("vectors.safetensors", "adapter_model.safetensors"):
        expected, found = (load_file(folder.adapter / name) for folder in (finished, resumed))
        assert all(torch.equal(expected[key], found[key]) for key in expected)
    assert any("moved after step 4" in event["message"] for event in events(resumed, "phase"))


def test_such_an_adapter_is_evaluated_and_merged_in_16_bits(finished, model, dataset, tmp_path):
    results = tmp_path / "results.json"
    asked = {"model": str(model), "adapter": str(finished.adapter), "output": str(results)}
    with context_of(evaluation_folder(tmp_path / "runs", dataset, fast_config(), **asked)) as context:
        evaluate(context)
    assert read(results).overall.pages == 6
    merge_adapter(str(model), finished.adapter, tmp_path / "merged")
    shard = load_file(next((tmp_path / "merged").glob("*.safetensors")))
    assert {tensor.dtype for tensor in shard.values()} == {torch.bfloat16}


@pytest.mark.parametrize("mode", [TrainMode.LLM, TrainMode.VISION, TrainMode.BOTH])
def test_everything_that_is_trained_on_16_bits_has_32(mode):
    network = tiny_network().to(torch.bfloat16)
    everything = dict.fromkeys(("train_sam", "train_projector", "train_newline_separator"), True)
    config = load_train_config(overrides={f"lora.{name}": value for name, value in everything.items()}).lora
    adapted = attach_adapter(network, config, select_targets(network, config, mode))
    assert {tensor.dtype for tensor in trainable_parameters(adapted).values()} == {torch.float32}
    assert network.dtype == network.model.dtype == torch.bfloat16
    assert network(**tiny_batch()).logits is None, "mixed types still fit"


class _Pair(nn.Module):
    def __init__(self, dtype=torch.float32):
        super().__init__()
        self.used = nn.Parameter(torch.ones(4, dtype=dtype))
        self.unused = nn.Parameter(torch.ones(4))


def _first_steps(module, optimizer, steps=3, reached=("used", "unused")):
    found = []
    callback = FirstStepsCallback(module, found.append)
    callback.on_train_begin(None, None, None)
    for step in range(1, steps + 1):
        for name in ("used", "unused"):
            parameter = module.get_parameter(name)
            parameter.grad = torch.full_like(parameter, 1.0 if name in reached else 0.0)
        callback.on_pre_optimizer_step(None, None, None, optimizer=optimizer)
        optimizer.step()
        callback.on_step_end(None, _At(step), None)
    callback.on_train_end(None, _At(steps), None)
    return found


class _At:
    def __init__(self, step):
        self.global_step = step


def test_weight_decay_without_a_gradient_is_no_training():
    module = _Pair()
    optimizer = torch.optim.AdamW(module.parameters(), lr=0.1, weight_decay=0.1)
    (found,) = _first_steps(module, optimizer, reached=("used",))
    assert not torch.equal(module.unused, torch.ones(4)), "decay alone moves it"
    assert found.still == ("unused",)
    assert "1 trained tensors have not moved after step 3: unused." in found.warning()
    assert found.sentence().startswith("Not every trained tensor has moved after step 3")


def test_steps_that_are_rounded_away_are_no_training():
    module = _Pair(torch.bfloat16)
    (found,) = _first_steps(module, torch.optim.SGD(module.parameters(), lr=1e-5))
    assert found.still == ("used",)


def test_steps_without_length_do_not_count_and_a_short_training_is_compared_at_its_end():
    module = _Pair()
    assert _first_steps(module, torch.optim.SGD(module.parameters(), lr=0.0)) == []
    (found,) = _first_steps(module, torch.optim.SGD(module.parameters(), lr=1e-3), steps=2)
    assert (found.step, found.still, found.warning()) == (2, (), "")
