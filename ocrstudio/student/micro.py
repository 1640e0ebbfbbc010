"""The embedded micro student: the same network with a few million parameters, and random weights.

With it the whole loop (label, train, evaluate) runs on any CPU without a download. It has every part of the
full-size model: windowed and global SAM layers, CLIP on SAM features, tiling, routed and shared experts. Its
weights are a function of the seed and of each parameter's name, so that they are the same on every machine.
"""

import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ocrstudio import paths
from ocrstudio.imaging.presets import ImagePreset, ImageSettings
from ocrstudio.student.configuration import DeepseekOcrConfig
from ocrstudio.student.modeling.model import DeepseekOcrForConditionalGeneration
from ocrstudio.student.processor import MAX_LENGTH, OcrProcessor
from ocrstudio.student.tokenizer import OcrTokenizer

MICRO_SEED = 3407
"""The weights' seed where none is given."""

MICRO_IMAGE = ImagePreset(base_size=320, image_size=192, crop_mode=True, max_tiles=6)
"""Views that a CPU affords in training; the model takes any other size as well."""

_VOCABULARY = 1280
_POSITION_SCALE = 0.1
_EMBEDDING_SCALE = 0.5


def micro_folder() -> Path:
    """Folder of the micro student's tokenizer."""
    return paths.resources_dir() / "micro_student"


def micro_config() -> DeepseekOcrConfig:
    """The configuration of the micro student; its position tables fit an overview of 320 pixels."""
    return DeepseekOcrConfig(
        sam_config={
            "hidden_size": 64,
            "output_channels": 32,
            "num_hidden_layers": 4,
            "num_attention_heads": 4,
            "image_size": MICRO_IMAGE.base_size,
            "window_size": 7,
            "global_attn_indexes": [1, 3],
            "downsample_channels": [64, 128],
        },
        clip_config={
            "hidden_size": 128,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "intermediate_size": 512,
            "image_size": 70,
        },
        text_config={
            "vocab_size": _VOCABULARY,
            "hidden_size": 192,
            "intermediate_size": 512,
            "num_hidden_layers": 4,
            "num_attention_heads": 6,
            "num_key_value_heads": 6,
            "max_position_embeddings": 8192,
            "n_group": 1,
            "topk_group": 1,
            "n_routed_experts": 8,
            "n_shared_experts": 2,
            "num_experts_per_tok": 2,
            "moe_intermediate_size": 96,
            "mlp_layer_types": ["dense", "sparse", "sparse", "sparse"],
            "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0},
            "bos_token_id": 0,
            "eos_token_id": 1,
        },
        image_token_id=3,
    )


def build_micro(
    seed: int = MICRO_SEED, image: ImageSettings = MICRO_IMAGE, max_length: int = MAX_LENGTH
) -> tuple[DeepseekOcrForConditionalGeneration, OcrProcessor]:
    """Build the micro student.

    Args:
        seed: Of the weights.
        image: Sides of the views, tiling and tile limit.
        max_length: Most positions of a sample.

    Returns:
        The network in evaluation mode (float32, CPU) and its processor.
    """
    return build_micro_network(seed), OcrProcessor(OcrTokenizer(micro_folder()), image, max_length)


def build_micro_network(seed: int = MICRO_SEED) -> DeepseekOcrForConditionalGeneration:
    """The network alone, in evaluation mode (float32, CPU)."""
    model = DeepseekOcrForConditionalGeneration(micro_config())
    fill_random(model, seed)
    return model.eval()


def fill_random(model: DeepseekOcrForConditionalGeneration, seed: int) -> None:
    """Give every parameter its random value.

    Args:
        model: Any size; changed in place.
        seed: Other seeds give other weights.
    """
    for name, parameter in model.named_parameters():
        parameter.detach().copy_(_random_value(name, parameter, seed))


def _random_value(name: str, parameter: Tensor, seed: int) -> Tensor:
    """Standard scales: matrices by their inputs, tables small, normalisations one, biases zero."""
    shape = tuple(parameter.shape)
    if name.endswith("bias"):
        return torch.zeros(shape)
    if "norm" in name.rsplit(".", 2)[-2]:
        return torch.ones(shape)
    generator = np.random.default_rng([seed, zlib.crc32(name.encode())])
    values = torch.from_numpy(generator.standard_normal(shape, dtype=np.float32))
    if "pos_embed" in name or "position_embedding" in name or "rel_pos" in name:
        return values * _POSITION_SCALE
    if "embed_tokens" in name or len(shape) == 1:
        return values * _EMBEDDING_SCALE
    # Fused experts are [experts, outputs, inputs], convolutions [outputs, inputs, height, width].
    inputs = shape[2] if name.endswith(("gate_up_proj", "down_proj")) else int(np.prod(shape[1:]))
    return values / float(np.sqrt(inputs))
