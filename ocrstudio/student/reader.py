"""The embedded reader: the network's structure at 18 million parameters, made to read printed cards.

A card is a page of 300 to 900 characters, about A6 to A5. It is cut into tiles of 384 pixels; six of them and
the overview take 277 positions. `ocrstudio.student.pretraining` trains it from nothing.
"""

from ocrstudio.imaging.presets import ImagePreset
from ocrstudio.student.configuration import DeepseekOcrConfig

READER_IMAGE = ImagePreset(base_size=384, image_size=384, crop_mode=True, max_tiles=6)
"""Overview and tiles have one size: both go through the encoder in one stack."""

READER_VOCABULARY = 2048
_WIDTH = 320
_LAYERS = 6


def reader_config() -> DeepseekOcrConfig:
    """The configuration of the reader: 4.0 M parameters in SAM, 3.9 M in CLIP, 10.5 M in the decoder."""
    tile = READER_IMAGE.image_size
    return DeepseekOcrConfig(
        sam_config={
            "hidden_size": 192,
            "output_channels": 96,
            "num_hidden_layers": 6,
            "num_attention_heads": 6,
            "image_size": tile,
            "window_size": 8,
            "global_attn_indexes": [2, 5],
            "downsample_channels": [256, _WIDTH],
        },
        clip_config={
            "hidden_size": _WIDTH,
            "num_hidden_layers": 3,
            "num_attention_heads": 5,
            "intermediate_size": 4 * _WIDTH,
            # CLIP's table has one position for each token of a tile.
            "image_size": tile // 64 * 14,
        },
        text_config={
            "vocab_size": READER_VOCABULARY,
            "hidden_size": _WIDTH,
            "intermediate_size": 1024,
            "num_hidden_layers": _LAYERS,
            "num_attention_heads": 5,
            "num_key_value_heads": 5,
            "max_position_embeddings": 8192,
            "n_group": 1,
            "topk_group": 1,
            "n_routed_experts": 4,
            "n_shared_experts": 2,
            "num_experts_per_tok": 2,
            "moe_intermediate_size": 192,
            "mlp_layer_types": ["dense"] + ["sparse"] * (_LAYERS - 1),
            "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0},
            "bos_token_id": 0,
            "eos_token_id": 1,
        },
        image_token_id=3,
    )
