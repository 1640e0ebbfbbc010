"""Loss over answer positions.

The output layer of the full-size model has 129,280 rows: logits of every position of a batch, most of which
are image placeholders, would take gigabytes. Only positions with a label are projected, a chunk at a time,
and a chunk's logits are computed again in the backward pass instead of being kept.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 (the name everybody uses)
from torch.utils.checkpoint import checkpoint

IGNORE_INDEX = -100
LOSS_CHUNK = 1024
"""Positions whose logits exist at once."""


def labelled_positions(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Find the positions that predict a labelled token.

    Args:
        labels: [batch, length]; -100 where nothing is to be learnt.

    Returns:
        Flat indices into [batch * length] of the positions whose next token has a label, and those labels.
    """
    targets = F.pad(labels[:, 1:], (0, 1), value=IGNORE_INDEX).flatten()
    positions = (targets != IGNORE_INDEX).nonzero().squeeze(1)
    return positions, targets[positions]


def answer_loss(
    hidden_states: Tensor,
    targets: Tensor,
    output_layer: Callable[[Tensor], Tensor],
    items: Tensor | int | None = None,
) -> Tensor:
    """Cross-entropy of the labelled positions.

    Args:
        hidden_states: [positions, hidden], the labelled positions only.
        targets: [positions], their labels.
        output_layer: Maps hidden states to logits.
        items: Divisor of the summed loss: the labelled tokens of all micro-batches of an optimiser step. None
            means the positions given here.

    Returns:
        A scalar in float32; zero, with a gradient of zero, when there is no position.
    """

    def chunk_loss(hidden: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(output_layer(hidden).float(), labels, reduction="sum")

    if targets.numel() == 0:
        return output_layer(hidden_states).float().sum()
    total = hidden_states.new_zeros((), dtype=torch.float32)
    keep_nothing = torch.is_grad_enabled() and targets.numel() > LOSS_CHUNK
    for hidden, labels in zip(hidden_states.split(LOSS_CHUNK), targets.split(LOSS_CHUNK), strict=True):
        if keep_nothing:
            total = total + checkpoint(chunk_loss, hidden, labels, use_reentrant=False)
        else:
            total = total + chunk_loss(hidden, labels)
    if isinstance(items, Tensor):
        items = items.to(total.device)
    return total / (targets.numel() if items is None else items)
