"""Muon with all matrices of one shape in one product.

The update is `torch.optim.Muon`'s (momentum, Nesterov, five Newton-Schulz steps in bfloat16, a learning rate
matched to AdamW's; https://kellerjordan.github.io/posts/muon/, arXiv 2502.16982), which takes one matrix
after the other: some 2,000 kernels for the reader's 86 matrices. They have a dozen shapes. A test holds the
result against the library's.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_STEPS = 5
_SMALLEST_NORM = 1e-7


class BatchedMuon(torch.optim.Optimizer):
    """Muon for many matrices.

    Args:
        parameters: Matrices; each of them has a gradient at every step.
        lr: Learning rate.
        weight_decay: Decoupled.
        momentum: Of the gradients.
    """

    def __init__(
        self, parameters: Iterable[Tensor], lr: float, weight_decay: float, momentum: float = 0.95
    ) -> None:
        super().__init__(parameters, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:
        """Change the weights by their gradients."""
        if closure is not None:
            raise NotImplementedError("Muon takes the gradients that are there.")
        for group in self.param_groups:
            weights = group["params"]
            gradients = [weight.grad for weight in weights]
            buffers = [self._buffer(weight) for weight in weights]
            torch._foreach_lerp_(buffers, gradients, 1 - group["momentum"])
            updates = torch._foreach_lerp(gradients, buffers, group["momentum"])  # noqa: SLF001 (no other name)
            torch._foreach_mul_(weights, 1 - group["lr"] * group["weight_decay"])
            for rows, columns, members in _by_shape(weights):
                changes = orthogonalise(torch.stack([_wide(updates[index]) for index in members]))
                rate = group["lr"] * 0.2 * max(rows, columns) ** 0.5
                torch._foreach_add_(
                    [_wide(weights[index]) for index in members], list(changes.unbind()), alpha=-rate
                )

    def _buffer(self, weight: Tensor) -> Tensor:
        state = self.state[weight]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(weight)
        buffer: Tensor = state["momentum_buffer"]
        return buffer


def orthogonalise(matrices: Tensor) -> Tensor:
    """Replace the singular values of wide matrices [count, rows, columns] by about 1; in bfloat16."""
    a, b, c = _COEFFICIENTS
    matrices = matrices.bfloat16()
    matrices = matrices / matrices.flatten(1).norm(dim=1).clamp(min=_SMALLEST_NORM)[:, None, None]
    for _ in range(_STEPS):
        gram = matrices @ matrices.mT
        gram = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
        matrices = torch.baddbmm(matrices, gram, matrices, beta=a)
    return matrices


def _wide(matrix: Tensor) -> Tensor:
    return matrix.T if matrix.shape[0] > matrix.shape[1] else matrix


def _by_shape(weights: Sequence[Tensor]) -> list[tuple[int, int, list[int]]]:
    """Numbers of the weights of each shape, whichever way they lie."""
    groups: dict[tuple[int, int], list[int]] = {}
    for index, weight in enumerate(weights):
        shorter, longer = sorted(weight.shape)
        groups.setdefault((shorter, longer), []).append(index)
    return [(rows, columns, members) for (rows, columns), members in groups.items()]
