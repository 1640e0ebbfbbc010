"""Which weights a mode adapts, the adapter on fused experts, and the proof that gradients arrive."""

import pytest
import torch

from ocrstudio.domain.errors import ConfigError, RunError
from ocrstudio.domain.run import TrainMode
from ocrstudio.settings.train import load_train_config
from ocrstudio.student.checkpointing import apply_checkpointing
from ocrstudio.student.configuration import DeepseekOcrConfig
from ocrstudio.student.gradient_check import check_gradients
from ocrstudio.student.library import enable_checkpointing
from ocrstudio.student.lora import attach_adapter, select_targets, trainable_parameters
from ocrstudio.student.modeling.model import DeepseekOcrForConditionalGeneration
from tests.student.tiny_network import tiny_batch, tiny_network

torch.set_num_threads(1)


def lora_config(**values):
    return load_train_config(overrides={f"lora.{name}": value for name, value in values.items()}).lora


def full_size_network() -> DeepseekOcrForConditionalGeneration:
    """The sizes of the public checkpoint, without memory for the weights."""
    config = DeepseekOcrConfig(
        sam_config={
            "hidden_size": 768,
            "output_channels": 256,
            "num_hidden_layers": 12,
            "num_attention_heads": 12,
            "image_size": 1024,
            "window_size": 14,
            "global_attn_indexes": [2, 5, 8, 11],
            "downsample_channels": [512, 1024],
        },
        text_config={
            "vocab_size": 129_280,
            "hidden_size": 1280,
            "intermediate_size": 6848,
            "num_hidden_layers": 12,
            "num_attention_heads": 10,
            "num_key_value_heads": 10,
            "n_routed_experts": 64,
            "n_shared_experts": 2,
            "num_experts_per_tok": 6,
            "moe_intermediate_size": 896,
            "n_group": 1,
            "topk_group": 1,
            "mlp_layer_types": ["dense"] + ["sparse"] * 11,
            "max_position_embeddings": 8192,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0},
        },
    )
    with torch.device("meta"):
        return DeepseekOcrForConditionalGeneration(config)


@pytest.mark.parametrize(
    ("mode", "experts", "parameters"),
    [
        (TrainMode.LLM, True, 77_509_632),  # what the public notebook's recipe reports
        (TrainMode.LLM, False, 3_978_240),
        (TrainMode.VISION, True, 6_291_456),
        (TrainMode.BOTH, True, 77_509_632 + 6_291_456),
    ],
)
def test_adapter_size_at_full_size(mode, experts, parameters):
    network = full_size_network()
    config = lora_config(train_routed_experts=experts)
    with torch.device("meta"):
        adapted = attach_adapter(network, config, select_targets(network, config, mode))
    assert sum(p.numel() for p in trainable_parameters(adapted).values()) == parameters


def test_adapter_sits_exactly_on_the_targets():
    network = tiny_network()
    config = lora_config(r=2, train_sam=True, train_projector=True, train_newline_separator=True)
    targets = select_targets(network, config, TrainMode.BOTH)
    adapted = attach_adapter(network, config, targets)
    names = {name.removeprefix("base_model.model.") for name in trainable_parameters(adapted)}
    assert {name.split(".lora_")[0] for name in names if ".lora_" in name} == set(targets.modules)
    assert {name for name in names if ".lora_" not in name} == {"model.image_newline", "model.view_separator"}
    assert "model.projector" in targets.modules
    assert any(name.startswith("model.sam_model") for name in targets.modules)
    assert "model.language_model.layers.1.mlp.experts" in targets.modules


def test_modes_leave_the_other_part_alone():
    network = tiny_network()
    config = lora_config()
    vision = select_targets(network, config, TrainMode.VISION).modules
    llm = select_targets(network, config, TrainMode.LLM).modules
    assert all(name.startswith("model.vision_model.") for name in vision)
    assert all(name.startswith("model.language_model.") for name in llm)


@pytest.mark.parametrize("names", [["qkv_proj", "fc3"], ["query"]])
def test_a_layer_name_that_nothing_answers_to_is_an_error(names):
    with pytest.raises(ConfigError, match=r"lora\.vision_target_modules") as caught:
        select_targets(tiny_network(), lora_config(vision_target_modules=names), TrainMode.VISION)
    assert "qkv_proj" in caught.value.hint


def fill_adapter(adapted) -> None:
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in trainable_parameters(adapted).values():
            parameter.normal_(0.0, 0.3, generator=generator)


def logits(model) -> torch.Tensor:
    batch = {name: value for name, value in tiny_batch().items() if name != "labels"}
    model.eval()
    with torch.no_grad():
        return model(**batch).logits


def adapted_network(mode=TrainMode.BOTH, **values):
    network = tiny_network()
    config = lora_config(r=2, **values)
    return attach_adapter(network, config, select_targets(network, config, mode))


def test_a_fresh_adapter_changes_nothing():
    torch.testing.assert_close(logits(adapted_network()), logits(tiny_network()))


def test_merging_equals_applying_and_can_be_undone():
    adapted = adapted_network()
    fill_adapter(adapted)
    before = logits(adapted)
    adapted.merge_adapter()
    torch.testing.assert_close(logits(adapted), before, atol=1e-4, rtol=1e-4)
    adapted.unmerge_adapter()
    torch.testing.assert_close(logits(adapted), before, atol=1e-4, rtol=1e-4)
    with adapted.disable_adapter():
        torch.testing.assert_close(logits(adapted), logits(tiny_network()), atol=1e-4, rtol=1e-4)
    assert (before - logits(tiny_network())).abs().max() > 0.01


def test_expert_factors_equal_separate_matrices_for_gate_up_and_down():
    adapted = adapted_network(TrainMode.LLM)
    fill_adapter(adapted)
    layer = adapted.get_base_model().model.language_model.layers[1].mlp.experts
    generator = torch.Generator().manual_seed(2)
    tokens = torch.randn(5, 32, generator=generator)
    chosen = torch.tensor([[0, 2], [2, 0], [1, 2], [0, 1], [2, 1]])  # nobody chooses expert 3
    weights = torch.rand(5, 2, generator=generator)
    base, expected = layer.get_base_layer(), torch.zeros(5, 32)
    scale = layer.scaling["default"]
    for token, experts in enumerate(chosen.tolist()):
        for position, expert in enumerate(experts):
            gate_a, up_a = layer.lora_gate_up_A["default"][expert].chunk(2)
            gate_w, up_w = base.gate_up_proj[expert].chunk(2)
            gate = (gate_w + scale * layer.lora_gate_B["default"][expert] @ gate_a) @ tokens[token]
            up = (up_w + scale * layer.lora_up_B["default"][expert] @ up_a) @ tokens[token]
            down = layer.lora_down_B["default"][expert] @ layer.lora_down_A["default"][expert]
            output = (base.down_proj[expert] + scale * down) @ (torch.nn.functional.silu(gate) * up)
            expected[token] += weights[token, position] * output
    torch.testing.assert_close(layer(tokens, chosen, weights), expected, atol=1e-4, rtol=1e-4)


def loss_of(model, batch):
    return lambda: model(**batch).loss


def test_every_adapter_matrix_gets_a_gradient_and_nothing_is_left_behind():
    adapted = adapted_network(train_sam=True, train_projector=True, train_newline_separator=True)
    before = {name: tensor.clone() for name, tensor in trainable_parameters(adapted).items()}
    random_state = torch.get_rng_state()
    report = check_gradients(adapted, loss_of(adapted, tiny_batch()))
    assert report.unreached == ()
    assert report.warnings() == []
    assert 0 < report.experts <= report.all_experts == 5 * 4
    assert report.tensors.keys() == {
        "vision encoder", "SAM encoder", "projector", "language model", "newline and separator"
    }  # fmt: skip
    assert torch.equal(torch.get_rng_state(), random_state)
    for name, tensor in trainable_parameters(adapted).items():
        assert torch.equal(tensor, before[name])
        assert tensor.grad is None


def test_a_part_without_gradient_is_an_error():
    adapted = adapted_network(TrainMode.VISION)
    with pytest.raises(RunError, match="No gradient reaches the vision encoder"):
        check_gradients(adapted, loss_of(adapted, tiny_batch(text_only=True)))


def test_single_tensors_without_gradient_are_named():
    adapted = adapted_network(TrainMode.LLM)
    layer = adapted.get_base_model().model.language_model.layers[0].self_attn.v_proj
    layer.lora_A["default"].register_forward_hook(lambda _module, _inputs, output: output.detach())
    report = check_gradients(adapted, loss_of(adapted, tiny_batch()))
    assert report.unreached == ("model.language_model.layers.0.self_attn.v_proj.lora_A.weight",)
    assert "1 trainable tensors got no gradient" in report.warnings()[0]


def test_nothing_trainable_is_an_error():
    network = tiny_network().requires_grad_(False)
    with pytest.raises(RunError, match="Nothing in the model is trainable"):
        check_gradients(network, loss_of(network, tiny_batch()))


@pytest.mark.parametrize("mode", [TrainMode.LLM, TrainMode.VISION])
@pytest.mark.parametrize("every", [1, 2])
def test_checkpointing_sends_no_gradient_through_what_is_frozen(mode, every):
    adapted = adapted_network(mode)
    network = adapted.get_base_model()
    batch = tiny_batch()
    expected = gradients(adapted, batch)
    enable_checkpointing(network, {})  # as an engine may have done
    apply_checkpointing(adapted, every, has_dropout=False)
    seen = {}
    for name in ("sam_model", "vision_model", "language_model.embed_tokens"):
        network.model.get_submodule(name).register_forward_hook(
            lambda _module, _inputs, output, name=name: seen.update({name: _needs_gradient(output)})
        )
    found = gradients(adapted, batch)
    assert seen == {
        "sam_model": False, "vision_model": mode is TrainMode.VISION, "language_model.embed_tokens": False
    }  # fmt: skip
    assert found.keys() == expected.keys()
    for name, gradient in found.items():
        torch.testing.assert_close(gradient, expected[name])


def _needs_gradient(output) -> bool:
    return bool(getattr(output, "last_hidden_state", output).requires_grad)


def gradients(adapted, batch) -> dict[str, torch.Tensor]:
    adapted.train()
    fill_adapter(adapted)
    adapted.zero_grad()
    adapted(**batch).loss.backward()
    return {name: tensor.grad.clone() for name, tensor in trainable_parameters(adapted).items()}
