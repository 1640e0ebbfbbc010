"""The language model's matrices in 4 bits (NF4, bitsandbytes), for GPUs with little memory.

The vision tower, the router, the embedding table and the output layer keep their precision: together they are
less than a fifth of the model, and errors there spread everywhere. Routed experts, three quarters of the
model, are fused 3-D tensors: they are stored in 4 bits as a whole and unpacked, one layer at a time, when
they are used.
"""

import importlib

import torch
from torch import nn

from ocrstudio.domain.errors import ModelError
from ocrstudio.student.modeling.model import DeepseekOcrForConditionalGeneration

_EXPERT_PARAMETERS = ("gate_up_proj", "down_proj")


def quantise_4bit(model: DeepseekOcrForConditionalGeneration, device: torch.device) -> None:
    """Quantise the decoder layers and move the whole model to the device; changed in place.

    Args:
        model: In full precision, usually in the host's memory.
        device: A CUDA device.

    Raises:
        ModelError: The device is no GPU, or bitsandbytes is not installed.
    """
    if device.type != "cuda":
        raise ModelError(
            "Loading the weights in 4 bits needs a CUDA GPU.", "Set model.load_in_4bit to false."
        )
    try:
        layers = importlib.import_module("bitsandbytes.nn")
        parametrize = importlib.import_module("bitsandbytes.nn.parametrize")
    except ImportError as error:
        raise ModelError(
            f"Loading the weights in 4 bits needs bitsandbytes: {error}.",
            "Install it, or set model.load_in_4bit to false.",
        ) from error

    for layer in model.model.language_model.layers:
        for name, module in list(layer.named_modules()):
            if isinstance(module, nn.Linear):
                small = layers.Linear4bit(
                    module.in_features, module.out_features, bias=False, compute_dtype=module.weight.dtype,
                    quant_type="nf4", device="meta",
                )  # fmt: skip
                small.weight = layers.Params4bit(
                    module.weight.data, requires_grad=False, quant_type="nf4"
                ).to(device)
                layer.set_submodule(name, small)
            elif all(hasattr(module, parameter) for parameter in _EXPERT_PARAMETERS):
                module.to(device)
                for parameter in _EXPERT_PARAMETERS:
                    parametrize.replace_parameter_4bit(
                        module, parameter, compress_statistics=True, quant_type="nf4"
                    )
    model.to(device)
