"""Routed experts: tokens sorted by expert, and one product for all experts at once.

A weight here is a float tensor [experts, outputs, inputs], or anything with `unpack` that makes one
(`packed_weights.PackedWeight`): packed weights are unpacked for the moment of a product, in the backward pass
once more, and never kept.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn import functional

_GEMM_ALIGNMENT = (
    16  # bytes; CUDA's grouped product wants every row of its operands to start at such a multiple
)
_DIMENSIONS = 3  # experts, outputs, inputs


@runtime_checkable
class Packed(Protocol):
    """A weight that is stored smaller than it is used."""

    @property
    def shape(self) -> torch.Size:
        """[experts, outputs, inputs]."""

    def unpack(self) -> Tensor:
        """The weight as a float tensor."""


Weight: TypeAlias = Tensor | Packed
Delta: TypeAlias = Callable[["Routing", Tensor], Tensor]
"""What an adapter adds to a product, given the rows that went in."""


@dataclass(frozen=True)
class Routing:
    """Token-expert pairs sorted by expert, so that each expert reads one contiguous block.

    Attributes:
        order: int64 [pairs]; positions of the sorted pairs in the flattened routing table.
        ends: int32 [experts]; one past the last row of each expert.
    """

    order: Tensor
    ends: Tensor

    @classmethod
    def of(cls, expert_index: Tensor, experts: int) -> "Routing":
        """Sort a routing table, int64 [tokens, chosen experts]."""
        flat = expert_index.reshape(-1)
        counts = torch.zeros(experts, dtype=torch.int64, device=flat.device)
        counts.scatter_add_(0, flat, torch.ones_like(flat))
        return cls(torch.argsort(flat, stable=True), counts.cumsum(0).to(torch.int32))

    def linear(self, rows: Tensor, weight: Weight) -> Tensor:
        """Multiply each expert's rows by its own matrix.

        Args:
            rows: float [pairs, inputs], sorted by expert.
            weight: [experts, outputs, inputs].

        Returns:
            float [pairs, outputs].
        """
        if isinstance(weight, Tensor):
            return self._multiply(rows, weight.to(rows.dtype).transpose(-2, -1))
        return _PackedProduct.apply(rows, self, weight)

    def _multiply(self, rows: Tensor, matrices: Tensor) -> Tensor:
        """[pairs, inputs] by [experts, inputs, outputs]."""
        if rows.is_cuda and _is_aligned(matrices):
            return functional.grouped_mm(rows, matrices, offs=self.ends)
        counts = torch.diff(self.ends, prepend=self.ends.new_zeros(1)).tolist()
        blocks = rows.split(counts)
        return torch.cat([block @ matrix for block, matrix in zip(blocks, matrices, strict=True)])


def _is_aligned(matrices: Tensor) -> bool:
    if matrices.dtype not in (torch.bfloat16, torch.float16):
        return False
    return all(side * matrices.element_size() % _GEMM_ALIGNMENT == 0 for side in matrices.shape[1:])


class _PackedProduct(torch.autograd.Function):
    """`Routing.linear` with a packed weight, which is frozen."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, routing: Routing, weight: Packed) -> Tensor:  # noqa: ANN401
        ctx.routing, ctx.weight = routing, weight
        return routing._multiply(rows, weight.unpack().to(rows.dtype).transpose(-2, -1))  # noqa: SLF001

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:  # noqa: ANN401
        matrices = ctx.weight.unpack().to(gradient.dtype)
        return ctx.routing._multiply(gradient.contiguous(), matrices), None, None  # noqa: SLF001


def is_fused_experts(module: nn.Module) -> bool:
    """Whether a module holds the experts of a layer as ``gate_up_proj`` and ``down_proj``."""
    weights = (getattr(module, "gate_up_proj", None), getattr(module, "down_proj", None))
    return all(
        isinstance(weight, nn.Parameter | Packed) and len(weight.shape) == _DIMENSIONS for weight in weights
    )


def apply_experts(
    experts: Any,  # noqa: ANN401 - any module that `is_fused_experts`
    hidden_states: Tensor,
    top_k_index: Tensor,
    top_k_weights: Tensor,
    gate_up_delta: Delta | None = None,
    down_delta: Delta | None = None,
) -> Tensor:
    """Apply the chosen experts to each token.

    Args:
        experts: Has ``num_experts``, ``act_fn``, ``gate_up_proj`` [experts, 2 * intermediate, hidden] and
            ``down_proj`` [experts, hidden, intermediate].
        hidden_states: float [tokens, hidden].
        top_k_index: int64 [tokens, chosen].
        top_k_weights: float [tokens, chosen].
        gate_up_delta: Added to the first product.
        down_delta: Added to the second product.

    Returns:
        float [tokens, hidden]: the weighted sum of the chosen experts' outputs.
    """
    routing = Routing.of(top_k_index, experts.num_experts)
    rows = hidden_states[routing.order // top_k_index.shape[-1]]
    gate_up = routing.linear(rows, experts.gate_up_proj)
    if gate_up_delta is not None:
        gate_up = gate_up + gate_up_delta(routing, rows)
    gate, up = gate_up.chunk(2, dim=-1)
    inner = experts.act_fn(gate) * up
    output = routing.linear(inner, experts.down_proj)
    if down_delta is not None:
        output = output + down_delta(routing, inner)
    weighted = output * top_k_weights.reshape(-1)[routing.order, None]
    # Undone by a gather and a sum instead of index_add: the same result every time on CUDA.
    unsorted = weighted[torch.argsort(routing.order)]
    return unsorted.view(*top_k_index.shape, -1).sum(dim=-2).to(hidden_states.dtype)
