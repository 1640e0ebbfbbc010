"""SAM ViT encoder with its two downsampling convolutions, on the library's ``deepseek_ocr2`` parts.

One thing differs from the library: attention never writes the relative-position bias to memory. The bias of
query q and key k is ``rel_h[q, row(k)] + rel_w[q, column(k)]``, an inner product of ``[rel_h[q], rel_w[q]]``
with the one-hot coordinates of k. Appended to queries and keys it makes plain attention without a mask, which
any fused kernel takes (a bias of 64 x 64 patches would take 384 MiB a view in bfloat16).
"""

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 (the name everybody uses)
from transformers.models.deepseek_ocr2.configuration_deepseek_ocr2 import DeepseekOcr2SamVisionConfig
from transformers.models.deepseek_ocr2.modeling_deepseek_ocr2 import (
    DeepseekOcr2SamVisionAttention,
    DeepseekOcr2SamVisionEncoder,
)


class SamAttention(DeepseekOcr2SamVisionAttention):
    """Attention with decomposed relative positions, folded into queries and keys."""

    def get_rel_pos(self, q_size: int, k_size: int, rel_pos: Tensor) -> Tensor:
        """Relative-position embeddings of every pair of coordinates.

        Args:
            q_size: Side of the query grid.
            k_size: Side of the key grid, equal to `q_size` in self-attention.
            rel_pos: Table [2 * trained side - 1, head width].

        Returns:
            [q_size, k_size, head width]. The table is resized linearly in float32 only when the side differs
            from the trained one.
        """
        length = 2 * max(q_size, k_size) - 1
        if rel_pos.shape[0] != length:
            resized = F.interpolate(rel_pos.float().T[None], size=length, mode="linear")
            rel_pos = resized[0].T.to(rel_pos.dtype)
        coordinates = torch.arange(q_size, device=rel_pos.device)
        return rel_pos[coordinates[:, None] - coordinates[None, :] + (k_size - 1)]

    def forward(
        self,
        hidden_states: Tensor,
        output_attentions: bool | None = None,  # noqa: ARG002
    ) -> tuple[Tensor, None]:
        """Attend within each window or picture.

        Args:
            hidden_states: [windows, height, width, channels].
            output_attentions: Part of the library's signature; the weights never exist in memory.

        Returns:
            The same shape, and None in place of attention weights.
        """
        windows, height, width, _ = hidden_states.shape
        heads = self.num_attention_heads
        qkv = self.qkv(hidden_states).view(windows, height * width, 3, heads, -1)
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(
            0
        )  # each [windows, heads, positions, head width]
        head_width = query.shape[-1]

        grid = query.reshape(windows * heads, height, width, head_width)
        rel_h = torch.einsum("bhwc,hkc->bhwk", grid, self.get_rel_pos(height, height, self.rel_pos_h))
        rel_w = torch.einsum("bhwc,wkc->bhwk", grid, self.get_rel_pos(width, width, self.rel_pos_w))
        bias = torch.cat([rel_h, rel_w], dim=-1).view(windows, heads, height * width, height + width)
        query = torch.cat([query * self.scale, bias.to(query.dtype)], dim=-1)
        coordinates = _one_hot_coordinates(height, width, key).expand(windows, heads, -1, -1)
        key = torch.cat([key, coordinates], dim=-1)
        # Fused kernels want one width for queries, keys and values.
        value = F.pad(value, (0, height + width))

        attended = F.scaled_dot_product_attention(query, key, value, scale=1.0)[..., :head_width]
        attended = attended.transpose(1, 2).reshape(windows, height, width, -1)
        return self.proj(attended), None


def _one_hot_coordinates(height: int, width: int, like: Tensor) -> Tensor:
    """[height * width, height + width]: row and column of every position, one-hot."""
    rows = torch.eye(height, dtype=like.dtype, device=like.device).repeat_interleave(width, dim=0)
    columns = torch.eye(width, dtype=like.dtype, device=like.device).repeat(height, 1)
    return torch.cat([rows, columns], dim=-1)


class SamEncoder(DeepseekOcr2SamVisionEncoder):
    """The library's encoder with `SamAttention` in every layer.

    Absolute positions are resized as the reference does (bicubic, antialiased, in float32).
    """

    def __init__(self, config: DeepseekOcr2SamVisionConfig) -> None:
        super().__init__(config)
        for layer in self.layers:
            layer.attn = SamAttention(config, layer.window_size)
