"""Gradient checkpointing: how many layers compute their activations again instead of keeping them.

Torch's non-reentrant kind, set on the network directly. The library's own switch (in its trainer's
arguments) also makes the outputs of the embeddings ask for a gradient, which the reentrant kind needs. Here
it would only send a whole backward pass through a frozen vision tower, which at full size is more work than
the step of the language model.
"""

from typing import Any, Literal

from torch import nn

from ocrstudio.student.library import disable_checkpointing, enable_checkpointing
from ocrstudio.student.lora import plain_network

Setting = Literal["auto", "unsloth"] | bool
KEEP_ALL = 0
"""In place of "every n-th layer": no layer computes anything again."""

_EVERY_LAYER = 1
_EVERY_OTHER = 2


def levels(setting: Setting, *, on_gpu: bool) -> tuple[int, ...]:
    """What a setting allows, the fastest first; each means "every n-th layer computes again".

    Args:
        setting: ``model.use_gradient_checkpointing``.
        on_gpu: Elsewhere memory is not what is short, and computing twice is only slow.
    """
    if not on_gpu or setting is False:
        return (KEEP_ALL,)
    return (KEEP_ALL, _EVERY_OTHER, _EVERY_LAYER) if setting == "auto" else (_EVERY_LAYER,)


def apply_checkpointing(model: nn.Module, every: int, *, has_dropout: bool) -> None:
    """Switch a network to a level.

    Args:
        model: The network, with or without an adapter.
        every: Every n-th layer computes again, or `KEEP_ALL`.
        has_dropout: Whether computing again has to repeat random numbers.
    """
    network = plain_network(model)
    # Once before, too: the library forgets the hooks of earlier calls, and an engine may have made one.
    network.disable_input_require_grads()
    if every == KEEP_ALL:
        disable_checkpointing(network)
    else:
        how: dict[str, Any] = {"use_reentrant": False, "preserve_rng_state": has_dropout}
        enable_checkpointing(network, how, every=every)
        network.disable_input_require_grads()


def in_words(every: int) -> str:
    """What a level means."""
    if every == KEEP_ALL:
        return "all activations are kept"
    return "every layer computes again" if every == _EVERY_LAYER else f"every {every}nd layer computes again"
