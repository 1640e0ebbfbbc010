"""CLIP encoder that reads SAM features in place of its own patch embeddings."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (the name everybody uses)
from transformers.modeling_layers import GradientCheckpointingLayer

from ocrstudio.student.configuration import ClipVisionConfig


class ClipEmbeddings(nn.Module):
    """Class token and positions around patch features that come from outside.

    `patch_embedding` is in every public checkpoint but takes no part in the forward pass: it is kept, frozen,
    so that a checkpoint is written back complete.
    """

    def __init__(self, config: ClipVisionConfig) -> None:
        super().__init__()
        side = config.image_size // config.patch_size
        self.class_embedding = nn.Parameter(torch.zeros(config.hidden_size))
        self.patch_embedding = nn.Conv2d(
            3, config.hidden_size, kernel_size=config.patch_size, stride=config.patch_size, bias=False
        ).requires_grad_(False)
        self.position_embedding = nn.Embedding(side * side + 1, config.hidden_size)

    def forward(self, features: Tensor) -> Tensor:
        """Prepend the class token and add positions.

        Args:
            features: [views, channels, side, side].

        Returns:
            [views, side * side + 1, channels].
        """
        patches = features.flatten(2).transpose(1, 2)
        class_token = self.class_embedding.expand(patches.shape[0], 1, -1)
        return torch.cat([class_token, patches], dim=1) + self._positions(features.shape[-1])

    def _positions(self, side: int) -> Tensor:
        """The position table [1, side * side + 1, channels], resized in float32 when the grid differs."""
        table = self.position_embedding.weight
        trained = round((table.shape[0] - 1) ** 0.5)
        if side == trained:
            return table[None]
        grid = table[1:].float().view(1, trained, trained, -1).permute(0, 3, 1, 2)
        grid = F.interpolate(grid, size=(side, side), mode="bicubic", antialias=True, align_corners=False)
        grid = grid.permute(0, 2, 3, 1).reshape(side * side, -1).to(table.dtype)
        return torch.cat([table[:1], grid])[None]


class ClipAttention(nn.Module):
    """Bidirectional attention with one fused projection."""

    def __init__(self, config: ClipVisionConfig) -> None:
        super().__init__()
        self.num_heads = config.num_attention_heads
        self.qkv_proj = nn.Linear(config.hidden_size, 3 * config.hidden_size)
        self.out_proj = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, hidden_states: Tensor) -> Tensor:
        """Attend over all positions of a view: [views, positions, channels] to the same shape."""
        views, positions, channels = hidden_states.shape
        qkv = self.qkv_proj(hidden_states).view(views, positions, 3, self.num_heads, -1)
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        attended = F.scaled_dot_product_attention(query, key, value)
        return self.out_proj(attended.transpose(1, 2).reshape(views, positions, channels))


class ClipMlp(nn.Module):
    """Feed-forward part with CLIP's quick GELU, x * sigmoid(1.702 x)."""

    def __init__(self, config: ClipVisionConfig) -> None:
        super().__init__()
        self.fc1 = nn.Linear(config.hidden_size, config.intermediate_size)
        self.fc2 = nn.Linear(config.intermediate_size, config.hidden_size)

    def forward(self, hidden_states: Tensor) -> Tensor:
        """[views, positions, channels] to the same shape."""
        hidden_states = self.fc1(hidden_states)
        return self.fc2(hidden_states * torch.sigmoid(1.702 * hidden_states))


class ClipLayer(GradientCheckpointingLayer):
    """One pre-norm transformer layer."""

    def __init__(self, config: ClipVisionConfig) -> None:
        super().__init__()
        self.layer_norm1 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.self_attn = ClipAttention(config)
        self.layer_norm2 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.mlp = ClipMlp(config)

    def forward(self, hidden_states: Tensor) -> Tensor:
        """[views, positions, channels] to the same shape."""
        hidden_states = hidden_states + self.self_attn(self.layer_norm1(hidden_states))
        return hidden_states + self.mlp(self.layer_norm2(hidden_states))


class ClipTransformer(nn.Module):
    """The stack of layers."""

    def __init__(self, config: ClipVisionConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(ClipLayer(config) for _ in range(config.num_hidden_layers))

    def forward(self, hidden_states: Tensor) -> Tensor:
        """[views, positions, channels] to the same shape."""
        for layer in self.layers:
            hidden_states = layer(hidden_states)
        return hidden_states


class ClipEncoder(nn.Module):
    """CLIP from SAM features to patch features; the stack has no final normalisation."""

    def __init__(self, config: ClipVisionConfig) -> None:
        super().__init__()
        self.embeddings = ClipEmbeddings(config)
        self.pre_layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.transformer = ClipTransformer(config)

    def forward(self, features: Tensor) -> Tensor:
        """Encode SAM features.

        Args:
            features: [views, channels, side, side].

        Returns:
            [views, side * side, channels], without the class token.
        """
        hidden_states = self.transformer(self.pre_layernorm(self.embeddings(features)))
        return hidden_states[:, 1:]
