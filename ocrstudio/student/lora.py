"""Which weights of the student a training mode adapts, and the adapter on them.

A mode names parts of the network; the configuration names layers inside them. Names are checked against the
network: a name that nothing answers to is an error, because training would silently leave that part as it is.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import peft
from peft import PeftModel
from peft.tuners.lora import LoraLayer
from torch import nn

from ocrstudio.domain.errors import ConfigError
from ocrstudio.domain.run import TrainMode
from ocrstudio.settings.train import LoraConfig
from ocrstudio.student.experts import is_fused_experts
from ocrstudio.student.experts_lora import ExpertsLora

VISION = "model.vision_model"
SAM = "model.sam_model"
PROJECTOR = "model.projector"
LANGUAGE = "model.language_model"
UNUSED = "model.vision_model.embeddings.patch_embedding"
VECTORS = ("model.image_newline", "model.view_separator")

_SAM_LAYERS = ("qkv", "proj", "lin1", "lin2")
_EXPERT_LAYERS = frozenset({"gate_proj", "up_proj", "down_proj"})


@dataclass(frozen=True)
class Targets:
    """What a run trains.

    Attributes:
        modules: Full names of the modules that get low-rank factors, in the network's order.
        vectors: Names of parameters that are trained as they are.
    """

    modules: tuple[str, ...]
    vectors: tuple[str, ...]


def select_targets(model: nn.Module, config: LoraConfig, mode: TrainMode) -> Targets:
    """Resolve a mode and a configuration against the network.

    Args:
        model: `DeepseekOcrForConditionalGeneration`, of any size, on any device.
        config: The ``lora`` section.
        mode: Vision, llm or both.

    Raises:
        ConfigError: A configured layer name does not exist in its part.
    """
    modules: list[str] = []
    vectors: tuple[str, ...] = ()
    if mode in (TrainMode.VISION, TrainMode.BOTH):
        modules += _layers(model, VISION, config.vision_target_modules, "lora.vision_target_modules")
        if config.train_sam:
            modules += _layers(model, SAM, _SAM_LAYERS, "lora.train_sam")
        if config.train_projector:
            modules.append(PROJECTOR)
        if config.train_newline_separator:
            vectors = VECTORS
    if mode in (TrainMode.LLM, TrainMode.BOTH):
        modules += _layers(model, LANGUAGE, config.llm_target_modules, "lora.llm_target_modules")
        if config.train_routed_experts and _EXPERT_LAYERS & set(config.llm_target_modules):
            modules += _routed_experts(model)
    order = {name: position for position, (name, _) in enumerate(model.named_modules())}
    return Targets(tuple(sorted(modules, key=order.__getitem__)), vectors)


def _layers(model: nn.Module, part: str, names: Sequence[str], setting: str) -> list[str]:
    linears = [
        f"{part}.{name}"
        for name, module in model.get_submodule(part).named_modules()
        if isinstance(module, nn.Linear)
    ]
    found = {name: [full for full in linears if full.rsplit(".", 1)[1] == name] for name in names}
    missing = [name for name, full_names in found.items() if not full_names]
    if missing or not names:
        known = ", ".join(sorted({full.rsplit(".", 1)[1] for full in linears}))
        problem = f"names layers that do not exist there: {', '.join(missing)}" if missing else "is empty"
        raise ConfigError(f"{setting} {problem}.", f"The linear layers of that part are: {known}.")
    return [full for full_names in found.values() for full in full_names]


def _routed_experts(model: nn.Module) -> list[str]:
    return [
        name
        for name, module in model.named_modules()
        if is_fused_experts(module) and name.startswith(LANGUAGE)
    ]


def attach_adapter(model: nn.Module, config: LoraConfig, targets: Targets) -> PeftModel:
    """Freeze the network and put a fresh adapter on the targets.

    Args:
        model: `DeepseekOcrForConditionalGeneration`; changed in place.
        config: The ``lora`` section.
        targets: From `select_targets`.

    Returns:
        The PEFT wrapper; its trainable parameters are the adapter and the vectors, in float32 whatever the
        base has: small steps on weights of 16 bits would be rounded away.
    """
    settings = peft.LoraConfig(
        r=config.r,
        lora_alpha=config.lora_alpha,
        lora_dropout=config.lora_dropout,
        target_modules=_as_pattern(targets.modules),
    )
    adapted = wrap(model, settings)
    for name in targets.vectors:
        vector = model.get_parameter(name).requires_grad_(True)
        vector.data = vector.data.float()
    return adapted


def wrap(model: nn.Module, settings: peft.LoraConfig) -> PeftModel:
    """Put an adapter with the given PEFT settings on the network, fused experts included."""
    experts = {type(module): ExpertsLora for module in model.modules() if is_fused_experts(module)}
    settings._register_custom_module(experts)  # noqa: SLF001 - PEFT's way to adapt another module type
    return PeftModel(model, settings)


def _as_pattern(modules: Iterable[str]) -> str:
    """One expression for module names that differ in layer numbers; PEFT matches it against whole names."""
    shapes = {re.sub(r"\\\.\d+(?=\\\.)", r"\\.\\d+", re.escape(name)): None for name in modules}
    return "|".join(shapes)


def train_everything(model: nn.Module) -> nn.Module:
    """Make every weight trainable, but for those that take no part in the forward pass.

    Args:
        model: `DeepseekOcrForConditionalGeneration`; changed in place.
    """
    model.requires_grad_(True)
    model.get_submodule(UNUSED).requires_grad_(False)
    return model


def plain_network(model: nn.Module) -> Any:  # noqa: ANN401 - the network's own class
    """The network inside a PEFT wrapper, with its adapter in place; the network itself without one."""
    return model.get_base_model() if isinstance(model, PeftModel) else model


def merged_network(model: nn.Module) -> Any:  # noqa: ANN401 - the network's own class
    """The network with its adapter added to the weights, and no wrapper."""
    return model.merge_and_unload() if isinstance(model, PeftModel) else model


def leave_casting_to_autocast(model: nn.Module) -> None:
    """Spare the conversions that adapters do by themselves."""
    for module in model.modules():
        if isinstance(module, LoraLayer):
            module.cast_input_dtype_enabled = False


def trainable_parameters(model: nn.Module) -> dict[str, nn.Parameter]:
    """Parameters that an optimiser would change, by name."""
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
