"""The language model in 4 bits: what it stores, what it computes, and that its whole adapter learns."""

import pytest
import torch
from PIL import Image

from ocrstudio.domain.run import TrainMode
from ocrstudio.evaluation.report import read
from ocrstudio.settings.train import load_train_config
from ocrstudio.student.evaluate import evaluate
from ocrstudio.student.experts import Routing
from ocrstudio.student.gradient_check import check_gradients
from ocrstudio.student.inference import open_student
from ocrstudio.student.lora import attach_adapter, select_targets, trainable_parameters
from ocrstudio.student.micro import MICRO_IMAGE, build_micro
from ocrstudio.student.packed_weights import PackedExperts, PackedWeight
from ocrstudio.student.quantisation import quantise_4bit
from ocrstudio.student.recipe import train
from tests.student.small_run import (
    PROMPT,
    context_of,
    evaluation_folder,
    events,
    fast_config,
    losses,
    training_folder,
    write_dataset,
)

pytest.importorskip("bitsandbytes")

CPU = torch.device("cpu")
IN_4_BITS = {"model__load_in_4bit": True}


def packed_micro():
    model, processor = build_micro()
    quantise_4bit(model, CPU)
    return model, processor


def batch_of(processor):
    page = Image.linear_gradient("L").resize((200, 300)).convert("RGB")
    answer = "The harbour office keeps a ledger of every vessel, its cargo and 27 crates. " * 3
    samples = [processor.encode([page], PROMPT, answer), processor.encode([], "Say it.", "Yes, sir.")]
    return processor.collate(samples)


def test_a_packed_weight_takes_a_quarter_of_16_bits_and_stays_near():
    weight = torch.randn(8, 192, 128, generator=torch.Generator().manual_seed(0)).to(torch.bfloat16)
    packed = PackedWeight(weight)
    stored = sum(tensor.nbytes for tensor in [*packed.parameters(), *packed.buffers()])
    assert stored < 0.28 * weight.nbytes
    restored = packed.unpack()
    assert restored.shape == packed.shape == weight.shape
    assert restored.dtype == torch.bfloat16
    assert (restored - weight).abs().mean() < 0.11 * weight.abs().mean()


def test_a_packed_product_and_its_gradient_are_those_of_the_unpacked_weight():
    generator = torch.Generator().manual_seed(0)
    packed = PackedWeight(torch.randn(4, 96, 64, generator=generator))
    routing = Routing.of(torch.tensor([[0, 2], [2, 0], [3, 2]]), experts=4)  # nobody chooses expert 1
    ours = torch.randn(6, 64, generator=generator, requires_grad=True)
    theirs = ours.detach().clone().requires_grad_()
    product, expected = routing.linear(ours, packed), routing.linear(theirs, packed.unpack())
    torch.testing.assert_close(product, expected)
    weights = torch.randn(6, 96, generator=generator)
    (product * weights).sum().backward()
    (expected * weights).sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_the_quantised_student_computes_nearly_the_same_with_less_memory():
    model, processor = build_micro()
    batch = batch_of(processor)
    text = model.model.language_model.layers
    full_bytes = sum(parameter.nbytes for parameter in text.parameters())
    with torch.no_grad():
        expected = model(**batch).loss
        quantise_4bit(model, CPU)
        found = model(**batch).loss
    assert isinstance(text[1].mlp.experts, PackedExperts)
    assert sum(p.nbytes for p in [*text.parameters(), *text.buffers()]) < 0.2 * full_bytes  # of 32 bits
    assert found != expected
    torch.testing.assert_close(found, expected, atol=0, rtol=0.05)


@pytest.mark.parametrize("mode", [TrainMode.VISION, TrainMode.LLM, TrainMode.BOTH])
def test_every_adapter_matrix_learns_on_a_quantised_student(mode):
    model, processor = packed_micro()
    batch = batch_of(processor)
    config = load_train_config(overrides={"lora.r": 4}).lora
    adapted = attach_adapter(model, config, select_targets(model, config, mode))
    names = set(trainable_parameters(adapted))
    full, _ = build_micro()
    assert names == set(
        trainable_parameters(attach_adapter(full, config, select_targets(full, config, mode)))
    )
    report = check_gradients(adapted, lambda: adapted(**batch).loss)
    assert report.unreached == ()
    assert report.experts >= 0.9 * report.all_experts  # the rest were not chosen by any of a few tokens


def test_an_adapter_is_never_merged_into_four_bits():
    model, _ = packed_micro()
    config = load_train_config(overrides={"lora.r": 4}).lora
    adapted = attach_adapter(model, config, select_targets(model, config, TrainMode.LLM))
    experts = adapted.get_base_model().model.language_model.layers[1].mlp.experts
    with pytest.raises(ValueError, match="4 bits cannot take an adapter in"):
        experts.merge()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    root = tmp_path_factory.mktemp("packed")
    dataset = write_dataset(root)
    config = fast_config(training__max_steps=12, training__save_steps=6, **IN_4_BITS)
    folder = training_folder(root / "runs", dataset, config)
    with context_of(folder) as context:
        train(context)
    return folder, dataset


def test_a_run_in_four_bits_learns_without_a_warning(trained):
    folder, _ = trained
    curve = losses(folder)
    assert curve[12] < 0.7 * curve[1]
    warnings = [event["message"] for event in events(folder, "warning")]
    assert [words for words in warnings if "depends on the picture" not in words] == []


def test_its_adapter_is_measured_on_a_quantised_and_on_a_full_student(trained, tmp_path):
    folder, dataset = trained
    predictions = {}
    for name, overrides in (("packed", IN_4_BITS), ("full", {})):
        output = tmp_path / f"{name}.json"
        run = evaluation_folder(
            tmp_path / "runs",
            dataset,
            fast_config(**overrides),
            adapter=str(folder.adapter),
            output=str(output),
        )
        with context_of(run) as context:
            evaluate(context)
        report = read(output)
        predictions[name] = [page.prediction for page in report.pages]
        assert report.overall.pages == 6
    assert all(predictions["packed"])
    assert all(predictions["full"])


def test_an_adapter_changes_the_answers_of_a_quantised_student(trained):
    folder, _ = trained
    _, processor = build_micro()
    batch = batch_of(processor)
    with torch.no_grad():
        plain = open_student("micro", None, MICRO_IMAGE, load_in_4bit=True).model(**batch).loss
        adapted = open_student("micro", folder.adapter, MICRO_IMAGE, load_in_4bit=True).model(**batch).loss
    assert abs(plain - adapted) > 0.05
