"""SAM ViT encoder with its two downsampling convolutions, on the library's ``deepseek_ocr2`` parts.

One thing differs from the library: how attention gets its relative positions. The bias of query q and key k
is ``rel_h[q, row(k)] + rel_w[q, column(k)]``. Written to memory it takes 384 MiB a view and layer for 64 x 64
patches in bfloat16, and no flash kernel accepts it. It is also the inner product of ``[rel_h[q], rel_w[q]]``
with the one-hot coordinates of k: appended to queries and keys, it leaves plain attention without a bias. For
whole pictures on a GPU that takes 40 % of the time and a tenth of the memory; for windows, and on a CPU, the
bias is faster.
"""

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 (the name everybody uses)
from transformers.models.deepseek_ocr2.configuration_deepseek_ocr2 import DeepseekOcr2SamVisionConfig
from transformers.models.deepseek_ocr2.modeling_deepseek_ocr2 import (
    DeepseekOcr2SamVisionAttention,
    DeepseekOcr2SamVisionEncoder,
)

# Up to this many positions (a window has 14 x 14) the bias costs less than longer queries and keys.
_WINDOW_POSITIONS = 256


class SamAttention(DeepseekOcr2SamVisionAttention):
    """Attention with decomposed relative positions."""

    def get_rel_pos(self, q_size: int, k_size: int, rel_pos: Tensor) -> Tensor:
        """Relative-position embeddings of every pair of coordinates.

        Args:
            q_size: Side of the query grid.
            k_size: Side of the key grid, equal to `q_size` in self-attention.
            rel_pos: Table [2 * trained side - 1, head width].

        Returns:
            [q_size, k_size, head width]. The table is resized linearly in float32, and only when the side
            differs from the trained one.
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

        grid = query.unflatten(2, (height, width))
        rel_h = torch.einsum("nahwc,hkc->nahwk", grid, self.get_rel_pos(height, height, self.rel_pos_h))
        rel_w = torch.einsum("nahwc,wkc->nahwk", grid, self.get_rel_pos(width, width, self.rel_pos_w))
        fold = query.is_cuda and height * width > _WINDOW_POSITIONS
        attend = attend_folded if fold else attend_biased
        attended = attend(query, key, value, rel_h.flatten(2, 3), rel_w.flatten(2, 3))
        attended = attended.transpose(1, 2).reshape(windows, height, width, -1)
        return self.proj(attended), None


def attend_biased(query: Tensor, key: Tensor, value: Tensor, rel_h: Tensor, rel_w: Tensor) -> Tensor:
    """Attention with the bias written out.

    Args:
        query: [windows, heads, positions, head width], like key and value.
        key: See `query`.
        value: See `query`.
        rel_h: [windows, heads, positions, height], the bias of each row of keys.
        rel_w: [windows, heads, positions, width], the bias of each column of keys.

    Returns:
        [windows, heads, positions, head width].
    """
    bias = (rel_h[..., :, None] + rel_w[..., None, :]).flatten(-2)
    return F.scaled_dot_product_attention(query, key, value, attn_mask=bias)


def attend_folded(query: Tensor, key: Tensor, value: Tensor, rel_h: Tensor, rel_w: Tensor) -> Tensor:
    """The same as `attend_biased`, without a bias: longer queries and keys instead."""
    height, width, head_width = rel_h.shape[-1], rel_w.shape[-1], query.shape[-1]
    rows = torch.eye(height, dtype=key.dtype, device=key.device).repeat_interleave(width, dim=0)
    columns = torch.eye(width, dtype=key.dtype, device=key.device).repeat(height, 1)
    coordinates = torch.cat([rows, columns], dim=-1).expand(*key.shape[:2], -1, -1)
    query = torch.cat([query * head_width**-0.5, rel_h.to(query.dtype), rel_w.to(query.dtype)], dim=-1)
    key = torch.cat([key, coordinates], dim=-1)
    return F.scaled_dot_product_attention(query, key, value, scale=1.0)


class SamEncoder(DeepseekOcr2SamVisionEncoder):
    """The library's encoder with `SamAttention` in every layer.

    Absolute positions are resized as the reference does (bicubic, antialiased, in float32).
    """

    def __init__(self, config: DeepseekOcr2SamVisionConfig) -> None:
        super().__init__(config)
        for layer in self.layers:
            layer.attn = SamAttention(config, layer.window_size)
