"""How far each part moved, against the plain computation on merged weights."""

import copy
import math

import pytest
import torch

from ocrstudio.domain.run import TrainMode
from ocrstudio.settings.train import load_train_config
from ocrstudio.student.export import save_model
from ocrstudio.student.lora import attach_adapter, merged_network, select_targets, trainable_parameters
from ocrstudio.student.micro import build_micro
from ocrstudio.student.movement import Movement, part_of
from ocrstudio.student.quantisation import quantise_4bit
from ocrstudio.student.weights import beside_checkpoint, load_model

EVERYTHING = {"lora.r": 4, "lora.train_sam": True, "lora.train_projector": True}
LORA = load_train_config(overrides={**EVERYTHING, "lora.train_newline_separator": True}).lora


def no_base():
    raise AssertionError("the base model is not needed")


def adapted(model):
    torch.manual_seed(0)  # an adapter begins at random: two of them are to begin alike
    return attach_adapter(model, LORA, select_targets(model, LORA, TrainMode.BOTH))


def stir(model):
    """What a training does: nothing stays at zero."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in trainable_parameters(model).values():
            parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.02)


def relative_changes(before, after):
    """By part, over the weights that are different."""
    sums = {}
    for name, start in before.items():
        change = (after[name].double() - start.double()).square().sum().item()
        if change:
            old, norm = sums.get(part_of(name), (0.0, 0.0))
            sums[part_of(name)] = (old + change, norm + start.double().square().sum().item())
    return {part: math.sqrt(change / norm) for part, (change, norm) in sums.items()}


def test_a_fresh_adapter_has_not_moved():
    moved = Movement(adapted(build_micro()[0])).measure(no_base)
    assert list(moved) == [
        "vision encoder", "SAM encoder", "projector", "newline and separator", "attention",
        "routed experts", "MLP",
    ]  # fmt: skip
    assert set(moved.values()) == {0.0}


def test_an_adapter_moved_as_far_as_the_weights_it_merges_into():
    model, _ = build_micro()
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    trained = adapted(model)
    movement = Movement(trained)
    stir(trained)
    found = movement.measure(no_base)
    after = dict(merged_network(trained).named_parameters())
    expected = relative_changes(before, after)
    assert found == pytest.approx(expected, rel=1e-3)
    assert len({round(change, 6) for change in found.values()}) == len(found), "each part has its own"


def test_weights_in_four_bits_are_unpacked_for_it():
    pytest.importorskip("bitsandbytes")
    found = []
    for packed in (False, True):
        model, _ = build_micro()
        if packed:
            quantise_4bit(model, torch.device("cpu"))
        trained = adapted(model)
        movement = Movement(trained)
        stir(trained)
        found.append(movement.measure(no_base))
    assert found[1] == pytest.approx(found[0], rel=0.03)


def test_vectors_that_started_at_zero_have_no_relative_change():
    model, _ = build_micro()
    for name in ("image_newline", "view_separator"):
        model.model.get_parameter(name).detach().zero_()
    trained = adapted(model)
    movement = Movement(trained)
    stir(trained)
    assert movement.measure(no_base)["newline and separator"] is None


def test_every_weight_is_compared_with_the_folder_that_it_came_from(tmp_path):
    model, processor = build_micro()
    save_model(model, processor.tokenizer, tmp_path / "base", max_shard_bytes=4_000_000)
    trained = load_model(tmp_path / "base", dtype=torch.float32)
    before = copy.deepcopy(dict(trained.named_parameters()))
    stir(trained)
    moved = Movement(trained).measure(lambda: beside_checkpoint(trained, tmp_path / "base"))
    assert moved == pytest.approx(relative_changes(before, dict(trained.named_parameters())), rel=1e-3)
    assert {"router", "embeddings", "output layer", "norms"} <= set(moved)
