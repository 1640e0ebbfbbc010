"""Adapters in the public layout, read back by PEFT alone onto a network of that layout."""

import json

import pytest
import torch
from peft import LoraConfig
from safetensors.torch import load_file
from torch import nn

from ocrstudio.domain.errors import ModelError
from ocrstudio.imaging.presets import ImagePreset
from ocrstudio.settings.train import load_train_config
from ocrstudio.student.adapter_export import export_adapter, merge_adapter
from ocrstudio.student.adapters import AdapterInfo, save_adapter
from ocrstudio.student.inference import open_student
from ocrstudio.student.layout import layout_of
from ocrstudio.student.loading import load_student
from ocrstudio.student.lora import attach_adapter, select_targets, trainable_parameters
from tests.student.small_run import fast_config

VIEW = ImagePreset(64, 64, False)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """An adapter with random factors everywhere, as after a training."""
    student = load_student("micro", VIEW)
    config = load_train_config(overrides={"lora.r": 3, "lora.lora_alpha": 7, "lora.train_sam": True}).lora
    adapted = attach_adapter(student.model, config, select_targets(student.model, config, "both"))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for tensor in trainable_parameters(adapted).values():
            tensor.normal_(0.0, 0.2, generator=generator)
    folder = tmp_path_factory.mktemp("adapters") / "adapter"
    image = fast_config().image.model_dump()
    save_adapter(adapted, folder, AdapterInfo("micro", student.facts, "both", image, "plain"))
    return folder


def test_exported_factors_make_the_merged_weights(trained, tmp_path):
    target = tmp_path / "public"
    export_adapter(trained, target)
    factors = load_file(target / "adapter_model.safetensors")
    settings = LoraConfig.from_pretrained(str(target))
    scale = settings.lora_alpha / settings.r
    base, merged = (
        {name: piece.of(parameters[piece.native]) for name, piece in layout_of(parameters).items()}
        for parameters in (
            dict(open_student("micro", None, VIEW).model.named_parameters()),
            dict(open_student("micro", trained, VIEW).model.named_parameters()),
        )
    )
    changed = {name for name in base if not torch.equal(base[name], merged[name])}
    assert changed == {f"{module}.weight" for module in settings.target_modules}
    for name in changed:
        module = f"base_model.model.{name.removesuffix('.weight')}"
        delta = scale * factors[f"{module}.lora_B.weight"] @ factors[f"{module}.lora_A.weight"]
        torch.testing.assert_close(merged[name], base[name] + delta, atol=1e-4, rtol=1e-4)


def test_names_are_those_that_other_programs_know(trained, tmp_path):
    target = tmp_path / "public"
    export_adapter(trained, target)
    names = set(load_file(target / "adapter_model.safetensors"))
    assert "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight" in names
    assert "base_model.model.model.layers.1.mlp.experts.7.gate_proj.lora_B.weight" in names
    assert "base_model.model.model.layers.1.mlp.shared_experts.up_proj.lora_A.weight" in names
    assert any(name.startswith("base_model.model.model.sam_model.blocks.") for name in names)
    assert not any("language_model" in name for name in names)


def test_the_language_part_alone_has_only_names_that_servers_take(trained, tmp_path):
    modules = export_adapter(trained, tmp_path / "language", language_only=True)
    names = load_file(tmp_path / "language" / "adapter_model.safetensors")
    assert len(names) == 2 * modules > 0
    assert all(name.startswith("base_model.model.model.layers.") for name in names)


def test_peft_alone_can_load_the_export(trained, tmp_path):
    """PEFT finds a plain module for every name of the export and fills it."""
    from peft import PeftModel

    target = tmp_path / "public"
    export_adapter(trained, target)
    settings = json.loads((target / "adapter_config.json").read_text(encoding="utf-8"))
    factors = load_file(target / "adapter_model.safetensors")
    network = nn.Module()
    for module in settings["target_modules"]:
        rows = factors[f"base_model.model.{module}.lora_B.weight"].shape[0]
        columns = factors[f"base_model.model.{module}.lora_A.weight"].shape[1]
        parent = network
        for part in module.split(".")[:-1]:
            if not hasattr(parent, part):
                parent.add_module(part, nn.Module())
            parent = getattr(parent, part)
        parent.add_module(module.rsplit(".", 1)[1], nn.Linear(columns, rows, bias=False))
    loaded = PeftModel.from_pretrained(network, str(target))
    state = loaded.state_dict()
    for name, tensor in factors.items():
        assert torch.equal(state[name.replace(".weight", ".default.weight")], tensor)


def test_a_merged_model_is_a_model_folder_that_answers_as_the_adapter(trained, tmp_path):
    target = tmp_path / "merged"
    merge_adapter("micro", trained, target)
    merged = load_student(str(target), VIEW, dtype=torch.float32)
    adapted = open_student("micro", trained, VIEW)
    base = open_student("micro", None, VIEW)
    batch = merged.processor.collate([merged.processor.encode([], "Free OCR.")], with_labels=False)
    with torch.no_grad():
        logits = [student.model(**batch).logits for student in (merged, adapted, base)]
    torch.testing.assert_close(logits[0], logits[1], atol=1e-4, rtol=1e-4)
    assert (logits[0] - logits[2]).abs().max() > 0.01


def test_an_export_is_told_from_the_adapter_that_it_was_made_of(trained, tmp_path):
    export_adapter(trained, tmp_path / "public")
    with pytest.raises(ModelError, match="exported for other programs") as caught:
        open_student("micro", tmp_path / "public", VIEW)
    assert "folder 'adapter'" in caught.value.hint


def test_what_is_no_adapter_is_refused(tmp_path):
    with pytest.raises(ModelError, match="is not an adapter"):
        export_adapter(tmp_path, tmp_path / "out")
