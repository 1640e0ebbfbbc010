"""The decoder's forward pass as training from nothing wants it: every shape follows from the batch's alone.

Routing sorts tokens by expert, and how many each of them gets is known only when they have been sorted: such
a pass can neither be compiled as a whole nor launched without small kernels in between. The reader's experts
are few and narrow. Here all of them compute every token, and those that were not chosen count with a weight
of zero: the same function, a third more arithmetic, and a tenth of the kernels. A test holds losses and
gradients against the network's own forward pass, which everything else uses.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 (the name everybody uses)

Rotary = tuple[Tensor, Tensor]
Layer = Callable[[Any, Tensor, Rotary], Tensor]


def decode(text: Any, hidden: Tensor, middle: int, layer: Layer) -> tuple[Tensor, Tensor]:  # noqa: ANN401
    """Run the decoder over embedded sequences that are padded on the right.

    Args:
        text: `ocrstudio.student.modeling.text.TextModel`.
        hidden: [pages, length, hidden].
        middle: Number of a layer.
        layer: `decoder_layer`, as it is or compiled.

    Returns:
        States behind that layer, and behind the final normalisation; each [pages, length, hidden].
    """
    positions = torch.arange(hidden.shape[1], device=hidden.device)[None]
    cos, sin = text.rotary_emb(hidden, position_ids=positions)
    rotary = cos[:, None], sin[:, None]
    kept = hidden
    for number, module in enumerate(text.layers):
        hidden = layer(module, hidden, rotary)
        if number == middle:
            kept = hidden
    return kept, text.norm(hidden)


def decoder_layer(layer: Any, hidden: Tensor, rotary: Rotary) -> Tensor:  # noqa: ANN401
    """One layer with causal attention: [pages, length, hidden] to the same shape.

    Args:
        layer: Of the library's text model.
        hidden: States before it.
        rotary: Cosines and sines, each [1, 1, length, head width].
    """
    hidden = hidden + _attend(layer.self_attn, layer.input_layernorm(hidden), rotary)
    normed = layer.post_attention_layernorm(hidden)
    if not hasattr(layer.mlp, "experts"):
        return hidden + layer.mlp(normed)
    return hidden + mix_experts(layer.mlp, normed) + layer.mlp.shared_experts(normed)


def _attend(attention: Any, hidden: Tensor, rotary: Rotary) -> Tensor:  # noqa: ANN401
    split = (*hidden.shape[:-1], -1, attention.head_dim)
    query, key, value = (
        project(hidden).view(split).transpose(1, 2)
        for project in (attention.q_proj, attention.k_proj, attention.v_proj)
    )
    attended = F.scaled_dot_product_attention(
        _rotate(query, rotary),
        _rotate(key, rotary),
        value,
        is_causal=True,
        scale=attention.scaling,
    )
    return attention.o_proj(attended.transpose(1, 2).flatten(2))


def _rotate(states: Tensor, rotary: Rotary) -> Tensor:
    first, second = states.chunk(2, dim=-1)
    cos, sin = rotary
    return states * cos + torch.cat([-second, first], dim=-1) * sin


def mix_experts(moe: Any, hidden: Tensor) -> Tensor:  # noqa: ANN401
    """The weighted sum of the chosen experts, without the shared ones.

    Args:
        moe: The library's mixture of experts.
        hidden: [..., hidden].

    Returns:
        The same shape.
    """
    experts = moe.experts
    gates = gate_weights(moe.gate, hidden)
    count, doubled, _ = experts.gate_up_proj.shape
    both = F.linear(hidden, experts.gate_up_proj.flatten(0, 1)).unflatten(-1, (count, doubled))
    gate, up = both.chunk(2, dim=-1)
    inner = (experts.act_fn(gate) * up * gates[..., None]).to(hidden.dtype)
    # [hidden, experts * intermediate]: one product adds the experts up.
    return F.linear(inner.flatten(-2), experts.down_proj.transpose(0, 1).flatten(1))


def gate_weights(gate: Any, hidden: Tensor) -> Tensor:  # noqa: ANN401
    """The weight of every expert for every token, [..., experts] in float32; zero for those not chosen."""
    with torch.autocast(hidden.device.type, enabled=False):
        scores = F.linear(hidden.float(), gate.weight.float()).softmax(dim=-1)
    mine, others = scores[..., :, None], scores[..., None, :]
    numbers = torch.arange(scores.shape[-1], device=scores.device)
    before = (others > mine) | ((others == mine) & (numbers < numbers[:, None]))
    return scores * (before.sum(dim=-1) < gate.top_k) * gate.routed_scaling_factor
