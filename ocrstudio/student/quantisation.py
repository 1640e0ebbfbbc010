"""The language model's matrices in 4 bits, for GPUs with little memory.

The vision tower, the router, the embedding table and the output layer keep their precision: together they are
less than a fifth of the model, and errors there spread everywhere. Routed experts, three quarters of the
model, are stored in 4 bits as a whole and unpacked, one layer at a time, when they are used.
"""

import importlib

import torch
from torch import nn

from ocrstudio.domain.errors import ModelError
from ocrstudio.student.experts import is_fused_experts
from ocrstudio.student.modeling.model import DeepseekOcrForConditionalGeneration
from ocrstudio.student.packed_weights import QUANTISATION, PackedExperts


def quantise_4bit(model: DeepseekOcrForConditionalGeneration, device: torch.device) -> None:
    """Quantise the decoder layers and move the whole model to the device; changed in place.

    Args:
        model: In full precision, usually in the host's memory.
        device: A CUDA device; the CPU works too, slowly.

    Raises:
        ModelError: bitsandbytes is not installed, or does not work here.
    """
    try:
        layers = importlib.import_module("bitsandbytes.nn")
    except (ImportError, OSError, RuntimeError) as error:
        raise ModelError(
            f"Loading the weights in 4 bits needs bitsandbytes: {error}.",
            "Install it, or set model.load_in_4bit to false.",
        ) from error

    for layer in model.model.language_model.layers:
        for name, module in list(layer.named_modules()):
            if isinstance(module, nn.Linear):
                small = layers.Linear4bit(
                    module.in_features, module.out_features, bias=False, compute_dtype=module.weight.dtype,
                    quant_type=QUANTISATION, device="meta",
                )  # fmt: skip
                small.weight = layers.Params4bit(
                    module.weight.data, requires_grad=False, quant_type=QUANTISATION
                ).to(device)
                layer.set_submodule(name, small)
            elif is_fused_experts(module):
                layer.set_submodule(name, PackedExperts(module.to(device)))
    model.to(device)
