"""Training engines: who prepares torch before the model is loaded.

Both train the same network with the same recipe. ``unsloth`` brings its gradient checkpointing, which moves
activations to the CPU; it exists only where there is a CUDA GPU, so it is imported when it is chosen.
"""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import nn

from ocrstudio.settings.train import ModelConfig

# Unsloth raises the last two on a machine without a GPU, and the first with a torchvision that does not fit.
_UNAVAILABLE = (ImportError, NotImplementedError, AssertionError, RuntimeError)


@dataclass(frozen=True)
class Engine:
    """An engine that is ready.

    Attributes:
        name: ``unsloth`` or ``transformers``.
        remark: Why it was taken although another was asked for, or empty.
        checkpointing: Whether activations are computed again in the backward pass.
        prepare_model: What the engine does to the adapted network before training.
    """

    name: str
    remark: str
    checkpointing: bool
    prepare_model: Callable[[nn.Module], object]


_ModelStep = Callable[[nn.Module], object]


def _prepare_transformers(_config: ModelConfig) -> _ModelStep:
    """Nothing to prepare."""
    return nn.Module.train


def _prepare_unsloth(config: ModelConfig) -> _ModelStep:
    """Import unsloth, and let it take over gradient checkpointing when the configuration says so."""
    unsloth = importlib.import_module("unsloth")
    if config.use_gradient_checkpointing == "unsloth" and config.load_in_4bit:
        # It moves activations to the CPU, which recorded steps neither can nor need do.
        checkpointing = importlib.import_module("unsloth_zoo.gradient_checkpointing")
        checkpointing.patch_unsloth_smart_gradient_checkpointing(dtype=torch.bfloat16)
    return unsloth.FastVisionModel.for_training


ENGINES: Mapping[str, Callable[[ModelConfig], _ModelStep]] = {
    "transformers": _prepare_transformers,
    "unsloth": _prepare_unsloth,
}


def choose_engine(config: ModelConfig) -> Engine:
    """Resolve ``auto``, prepare the engine, and fall back where unsloth cannot be used."""
    cuda = torch.cuda.is_available()
    # Without a GPU memory is not what is short, and computing twice is only slow.
    checkpointing = bool(config.use_gradient_checkpointing) and cuda
    name = config.engine if config.engine != "auto" else ("unsloth" if cuda else "transformers")
    remark = ""
    if name == "unsloth" and not cuda:
        name, remark = "transformers", "Unsloth needs a CUDA GPU; training with transformers."
    try:
        prepare_model = ENGINES[name](config)
    except _UNAVAILABLE as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        name, remark = "transformers", f"Unsloth cannot be used ({reason}); training with transformers."
        prepare_model = ENGINES[name](config)
    return Engine(name, remark, checkpointing, prepare_model)
