"""What changes the weights: Muon for the matrices, AdamW for everything else.

With AdamW alone the reader was still guessing after 900 steps of 784 views (loss 4.3); with Muon it had begun
to read after 600 and was at 0.46 after 1,550 (one H100, docs/reader.md).
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ocrstudio.student.pretraining.muon import BatchedMuon

_WEIGHT_DECAY = 0.05
_MATRIX = 2
# Tables and output layers are no maps between hidden states: their rows are looked up one by one.
_TABLES = ("embed", "lm_head", "position", "rel_pos", "patch.", "token.", "slot.")


class Optimisers:
    """Several optimisers with one learning rate.

    Args:
        modules: Whose parameters are trained.
        learning_rate: The highest.
        warmup: Steps until it is reached.

    Attributes:
        matrices: What Muon changes.
        parameters: Everything that is changed.
    """

    def __init__(self, modules: Sequence[nn.Module], learning_rate: float, warmup: int) -> None:
        named = [pair for module in modules for pair in module.named_parameters()]
        matrices = [
            weight
            for name, weight in named
            if weight.dim() == _MATRIX and not any(t in name for t in _TABLES)
        ]
        chosen = set(map(id, matrices))
        rest = [weight for _, weight in named if id(weight) not in chosen]
        self.matrices: list[Tensor] = matrices
        self.parameters: list[Tensor] = [*matrices, *rest]
        self._learning_rate, self._warmup = learning_rate, warmup
        self._all: tuple[torch.optim.Optimizer, ...] = (
            BatchedMuon(matrices, learning_rate, _WEIGHT_DECAY),
            torch.optim.AdamW(
                [
                    {
                        "params": [weight for weight in rest if weight.dim() > 1],
                        "weight_decay": _WEIGHT_DECAY,
                    },
                    {"params": [weight for weight in rest if weight.dim() <= 1], "weight_decay": 0.0},
                ],
                lr=learning_rate,
                betas=(0.9, 0.98),
                fused=True,
            ),
        )

    def state(self) -> list[dict[str, Any]]:
        """What a checkpoint keeps, one entry an optimiser."""
        return [optimiser.state_dict() for optimiser in self._all]

    def restore(self, states: Sequence[dict[str, Any]]) -> None:
        """Go on with the state of a checkpoint."""
        for optimiser, state in zip(self._all, states, strict=True):
            optimiser.load_state_dict(state)

    def restart(self) -> None:
        """Forget what the gradients of earlier steps left behind, and the gradients."""
        for optimiser in self._all:
            optimiser.state.clear()
        self.forget()

    def forget(self) -> None:
        """Drop the gradients."""
        for optimiser in self._all:
            optimiser.zero_grad(set_to_none=True)

    def step(self, number: int, share: float) -> Tensor:
        """Change the weights by their gradients and forget these.

        Args:
            number: Steps done before, since the warm-up began.
            share: Of the highest learning rate, after the warm-up.

        Returns:
            The norm of the gradient before it was clipped to 1.
        """
        norm = nn.utils.clip_grad_norm_(self.parameters, 1.0)
        rate = self._learning_rate * min(1.0, (number + 1) / self._warmup) * share
        for optimiser in self._all:
            for group in optimiser.param_groups:
                group["lr"] = rate
            optimiser.step()
        self.forget()
        return norm
