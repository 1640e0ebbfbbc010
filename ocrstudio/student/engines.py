"""Training engines: who prepares torch before the model is loaded.

Both train the same network with the same recipe. ``unsloth`` exists only where there is a CUDA GPU, so it is
imported when it is chosen.

Its own gradient checkpointing is not taken: it is torch's reentrant kind, which needs a gradient at whatever
goes into a layer, and so a backward pass through a frozen vision tower (see `checkpointing`). What it moves
to the CPU, the input of each layer, is 0.1 GiB of a step at full size.
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
        prepare_model: What the engine does to the adapted network before training.
    """

    name: str
    remark: str
    prepare_model: Callable[[nn.Module], object]


_ModelStep = Callable[[nn.Module], object]


def _prepare_transformers() -> _ModelStep:
    """Nothing to prepare."""
    return nn.Module.train


def _prepare_unsloth() -> _ModelStep:
    """Import unsloth, which changes the libraries that it knows."""
    step: _ModelStep = importlib.import_module("unsloth").FastVisionModel.for_training
    return step


ENGINES: Mapping[str, Callable[[], _ModelStep]] = {
    "transformers": _prepare_transformers,
    "unsloth": _prepare_unsloth,
}


def choose_engine(config: ModelConfig) -> Engine:
    """Resolve ``auto``, prepare the engine, and fall back where unsloth cannot be used."""
    cuda = torch.cuda.is_available()
    name = config.engine if config.engine != "auto" else ("unsloth" if cuda else "transformers")
    remark = ""
    if name == "unsloth" and not cuda:
        name, remark = "transformers", "Unsloth needs a CUDA GPU; training with transformers."
    try:
        prepare_model = ENGINES[name]()
    except _UNAVAILABLE as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        name, remark = "transformers", f"Unsloth cannot be used ({reason}); training with transformers."
        prepare_model = ENGINES[name]()
    return Engine(name, remark, prepare_model)
