"""A network of a few thousand parameters with every part of the real one."""

import torch

from ocrstudio.student.configuration import DeepseekOcrConfig
from ocrstudio.student.modeling.model import DeepseekOcrForConditionalGeneration

IMAGE_TOKEN = 3


def tiny_config() -> DeepseekOcrConfig:
    return DeepseekOcrConfig(
        sam_config={
            "hidden_size": 16,
            "output_channels": 8,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": 64,
            "window_size": 2,
            "global_attn_indexes": [1],
            "downsample_channels": [16, 32],
        },
        clip_config={
            "hidden_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "intermediate_size": 64,
            "image_size": 28,
        },
        text_config={
            "vocab_size": 64,
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "n_routed_experts": 4,
            "n_shared_experts": 1,
            "num_experts_per_tok": 2,
            "moe_intermediate_size": 16,
            "n_group": 1,
            "topk_group": 1,
            "mlp_layer_types": ["dense", "sparse"],
            "max_position_embeddings": 256,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0},
        },
        image_token_id=IMAGE_TOKEN,
    )


def tiny_network(seed: int = 0) -> DeepseekOcrForConditionalGeneration:
    network = DeepseekOcrForConditionalGeneration(tiny_config())
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(0.0, 0.2, generator=generator)
    return network


def tiny_batch(*, text_only: bool = False) -> dict[str, object]:
    """One sample of one 64-pixel view: one feature, its newline, the separator; then an answer."""
    ids = torch.tensor([[0, *[IMAGE_TOKEN] * 3, 10, 11, 20, 21, 22, 1]])
    labels = ids.clone()
    labels[:, :6] = -100
    batch: dict[str, object] = {"labels": labels, "attention_mask": torch.ones_like(ids)}
    if text_only:
        return {**batch, "input_ids": ids.masked_fill(ids == IMAGE_TOKEN, 12)}
    generator = torch.Generator().manual_seed(1)
    pixels = torch.rand(1, 3, 64, 64, generator=generator)
    return {**batch, "input_ids": ids, "pixel_values_global": pixels, "tile_grids": [(1, 1)]}
