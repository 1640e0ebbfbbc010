"""Weights in 4 bits for experts that are fused in 3-D tensors (NF4 of QLoRA, Dettmers et al. 2023).

bitsandbytes has a layer for matrices; its way for other tensors unpacks a parameter whenever it is read and
lets autograd keep the result, which for the experts of eleven layers is as much as the weights themselves.
"""

import importlib
from typing import Any

import torch
from torch import Tensor, nn

from ocrstudio.student.experts import apply_experts

QUANTISATION = "nf4"


class PackedWeight(nn.Module):
    """A frozen tensor in 4 bits, with its scales in 8.

    Everything is a buffer or a parameter, so that it goes along when the network changes its device.

    Args:
        weight: Float tensor of any shape on the device where it is to stay.
    """

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        functional = importlib.import_module("bitsandbytes.functional")
        packed, state = functional.quantize_4bit(
            weight.detach(), quant_type=QUANTISATION, compress_statistics=True
        )
        self.packed = nn.Parameter(packed, requires_grad=False)
        self.register_buffer("scales", state.absmax)
        self.register_buffer("code", state.code)
        self.register_buffer("offset", state.offset)
        self.register_buffer("outer_scales", state.state2.absmax)
        self.register_buffer("outer_code", state.state2.code)
        self._blocks = (state.blocksize, state.state2.blocksize)
        self._shape, self.dtype = weight.shape, weight.dtype

    @property
    def shape(self) -> torch.Size:
        """Of the weight."""
        return self._shape

    @property
    def device(self) -> torch.device:
        """Where it is."""
        return self.packed.device

    def unpack(self) -> Tensor:
        """The weight as a float tensor of its shape and first type."""
        functional = importlib.import_module("bitsandbytes.functional")
        outer = functional.QuantState(
            absmax=self.outer_scales, code=self.outer_code, blocksize=self._blocks[1], dtype=torch.float32
        )
        state = functional.QuantState(
            absmax=self.scales,
            shape=self._shape,
            code=self.code,
            blocksize=self._blocks[0],
            quant_type=QUANTISATION,
            dtype=self.dtype,
            offset=self.offset,
            state2=outer,
        )
        unpacked: Tensor = functional.dequantize_4bit(self.packed, state)
        return unpacked


class PackedExperts(nn.Module):
    """Takes the place of a layer's routed experts, with both weights in 4 bits.

    Args:
        experts: The library's module, on the device where its weights are to stay.
    """

    def __init__(self, experts: Any) -> None:  # noqa: ANN401 - the library's module
        super().__init__()
        self.num_experts = experts.num_experts
        self.act_fn = experts.act_fn
        self.gate_up_proj = PackedWeight(experts.gate_up_proj)
        self.down_proj = PackedWeight(experts.down_proj)

    def forward(self, hidden_states: Tensor, top_k_index: Tensor, top_k_weights: Tensor) -> Tensor:
        """[tokens, hidden] to the same shape; see `apply_experts`."""
        return apply_experts(self, hidden_states, top_k_index, top_k_weights)
