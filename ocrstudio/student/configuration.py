"""Configuration of the student, from micro to full size, and its two spellings.

`DeepseekOcrConfig` is the native form: one section a part. `from_checkpoint_dict` and `to_checkpoint_dict`
translate from and to the public ``config.json`` (``model_type: deepseek_vl_v2``), which is what checkpoints
carry on disk. Values that the public file leaves out (normalisation epsilons, RoPE base, window size and
others) are the reference implementation's defaults.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from huggingface_hub.dataclasses import strict
from huggingface_hub.errors import StrictDataclassError
from transformers import PreTrainedConfig
from transformers.models.deepseek_ocr2.configuration_deepseek_ocr2 import (
    DeepseekOcr2SamVisionConfig,
    DeepseekOcr2TextConfig,
)

from ocrstudio.domain.errors import ModelError

MODEL_TYPE = "deepseek_vl_v2"
ARCHITECTURE = "DeepseekOCRForCausalLM"
CONFIG_FILE = "config.json"

_CLIP_KEY = "clip-l-14-224"
_SAM_KEY = "sam_vit_b"
# Values that the public config.json omits because the reference implementation hard-codes them.
_ROPE_THETA = 10_000.0
_SAM_DEFAULTS: dict[str, Any] = {
    "output_channels": 256,
    "window_size": 14,
    "patch_size": 16,
    "mlp_ratio": 4.0,
}
_CLIP_DEFAULTS: dict[str, Any] = {"mlp_ratio": 4.0}
_TEXT_KEYS = (
    "vocab_size",
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "max_position_embeddings",
    "n_group",
    "topk_group",
    "topk_method",
    "n_routed_experts",
    "n_shared_experts",
    "num_experts_per_tok",
    "moe_intermediate_size",
)
# What the sections hold when nothing is said: the full-size public model.
_FULL_SIZE: dict[str, dict[str, Any]] = {
    "sam_config": {"downsample_channels": [512, 1024]},
    "clip_config": {},
    "text_config": {
        "vocab_size": 129280,
        "hidden_size": 1280,
        "intermediate_size": 6848,
        "num_hidden_layers": 12,
        "num_attention_heads": 10,
        "num_key_value_heads": 10,
        "max_position_embeddings": 8192,
        "n_group": 1,
        "topk_group": 1,
        "n_routed_experts": 64,
        "n_shared_experts": 2,
        "num_experts_per_tok": 6,
        "moe_intermediate_size": 896,
        "mlp_layer_types": ["dense"] + ["sparse"] * 11,
        "rope_parameters": {"rope_type": "default", "rope_theta": _ROPE_THETA},
        "bos_token_id": 0,
        "eos_token_id": 1,
    },
}
# Ids that the public file does not spell out: written only where a model has others.
_IMAGE_TOKEN_ID = 128815
_PAD_TOKEN_ID = 2
# Settings of the DeepSeek-V2 family that change the arithmetic: any other value is another model.
_REQUIRED_TEXT_VALUES: dict[str, Any] = {
    "use_mla": False,
    "topk_method": "greedy",
    "norm_topk_prob": False,
    "scoring_func": "softmax",
    "routed_scaling_factor": 1.0,
    "hidden_act": "silu",
    "rope_scaling": None,
}


@strict
class ClipVisionConfig(PreTrainedConfig):
    """The CLIP-L half of the vision tower, which reads SAM features instead of pixels.

    Attributes:
        hidden_size: Width; equals the channels of the SAM features.
        num_hidden_layers: Transformer layers.
        num_attention_heads: Heads per layer.
        intermediate_size: Width of the feed-forward part.
        image_size: Side in pixels of the picture that CLIP was trained with; with `patch_size` it fixes the
            grid of the position table.
        patch_size: Patch side in pixels of the (unused) patch convolution in the checkpoint.
        layer_norm_eps: Epsilon of every layer normalisation.
    """

    model_type = "deepseek_ocr_clip"
    base_config_key = "clip_config"

    hidden_size: int = 1024
    num_hidden_layers: int = 24
    num_attention_heads: int = 16
    intermediate_size: int = 4096
    image_size: int = 224
    patch_size: int = 14
    layer_norm_eps: float = 1e-5
    initializer_range: float = 0.02


@strict
class DeepseekOcrConfig(PreTrainedConfig):
    """DeepSeek-OCR in its native form.

    Attributes:
        sam_config: SAM ViT encoder with its two downsampling convolutions.
        clip_config: CLIP encoder on top of the SAM features.
        text_config: Mixture-of-experts decoder (the library's ``deepseek_ocr2`` text model).
        image_token_id: Id of the placeholder that image features replace.
        bos_token_id: First id of every sequence.
        eos_token_id: Id that ends an answer.
        pad_token_id: Id that fills batches.
        checkpoint_extra: Entries of the public ``config.json`` that have no meaning here and are written back
            unchanged.
    """

    model_type = MODEL_TYPE
    sub_configs: ClassVar[dict[str, type[PreTrainedConfig]]] = {
        "sam_config": DeepseekOcr2SamVisionConfig,
        "clip_config": ClipVisionConfig,
        "text_config": DeepseekOcr2TextConfig,
    }

    sam_config: Any = None
    clip_config: Any = None
    text_config: Any = None
    image_token_id: int = _IMAGE_TOKEN_ID
    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 1
    pad_token_id: int | None = _PAD_TOKEN_ID
    tie_word_embeddings: bool = False
    checkpoint_extra: dict[str, Any] | None = None

    def __post_init__(self, **kwargs: object) -> None:
        """Build the sections from dictionaries and check that they fit together."""
        for name, section in self.sub_configs.items():
            value = getattr(self, name)
            if value is None or isinstance(value, dict):
                setattr(self, name, section(**(_FULL_SIZE[name] if value is None else value)))
        super().__post_init__(**kwargs)
        channels = self.sam_config.downsample_channels[-1]
        if channels != self.clip_config.hidden_size:
            raise ModelError(
                f"The model configuration does not fit together: SAM delivers {channels} channels, "
                f"CLIP expects {self.clip_config.hidden_size}."
            )

    @property
    def vision_width(self) -> int:
        """Width of a concatenated CLIP + SAM feature, before the projector."""
        return self.clip_config.hidden_size + self.sam_config.downsample_channels[-1]


def read_config(folder: Path) -> DeepseekOcrConfig:
    """Read the ``config.json`` of a checkpoint folder.

    Raises:
        ModelError: The file is missing, is not JSON, or describes another model.
    """
    path = folder / CONFIG_FILE
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(
            f"The folder {folder} holds no {CONFIG_FILE}.", "Give the folder of a DeepSeek-OCR checkpoint."
        ) from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ModelError(
            f"The file {path} cannot be read: {error}.", "Copy the model folder again."
        ) from error
    if not isinstance(data, dict):
        raise ModelError(f"The file {path} does not hold a JSON object.", "Copy the model folder again.")
    try:
        return from_checkpoint_dict(data)
    except ModelError as error:
        raise ModelError(f"{path}: {error.message}", error.hint) from error


def from_checkpoint_dict(data: Mapping[str, Any]) -> DeepseekOcrConfig:
    """Translate the public ``config.json`` into the native configuration.

    Raises:
        ModelError: A section is missing or the file describes a model with other arithmetic.
    """
    try:
        language, vision, projector = (
            data[key] for key in ("language_config", "vision_config", "projector_config")
        )
        sections = {
            "sam_config": _sam_section(vision),
            "clip_config": _clip_section(vision),
            "text_config": _text_section(language),
        }
        if projector.get("projector_type", "linear") != "linear":
            raise ModelError(f"The projector type {projector['projector_type']!r} is not supported.")
        config = DeepseekOcrConfig(
            **sections,
            image_token_id=data.get("image_token_id", _IMAGE_TOKEN_ID),
            bos_token_id=language.get("bos_token_id", 0),
            eos_token_id=language.get("eos_token_id", 1),
            pad_token_id=data.get("pad_token_id", _PAD_TOKEN_ID),
            checkpoint_extra={
                key: data[key]
                for key in ("candidate_resolutions", "global_view_pos", "tile_tag")
                if key in data
            },
        )
    except KeyError as error:
        raise ModelError(
            f"The entry {error.args[0]!r} is missing in the model configuration.",
            "Only DeepSeek-OCR (version 1) checkpoints in the public layout can be loaded.",
        ) from error
    except (TypeError, ValueError, AttributeError, ZeroDivisionError, StrictDataclassError) as error:
        raise ModelError(
            f"An entry of the model configuration has a value that it cannot have: {error}.",
            "Copy the model folder again.",
        ) from error
    _check_sizes(config)
    _check_projector(config, projector)
    return config


def _check_sizes(config: DeepseekOcrConfig) -> None:
    """Every width has to be a whole number of heads."""
    for part, section in (
        ("language_config", config.text_config),
        ("the CLIP part of vision_config", config.clip_config),
        ("the SAM part of vision_config", config.sam_config),
    ):
        heads = section.num_attention_heads
        if heads < 1 or section.hidden_size < 1 or section.hidden_size % heads:
            raise ModelError(
                f"In {part} a width of {section.hidden_size} cannot be cut into {heads} heads.",
                "Copy the model folder again.",
            )


def _check_projector(config: DeepseekOcrConfig, projector: Mapping[str, Any]) -> None:
    expected = (config.vision_width, config.text_config.hidden_size)
    found = (projector.get("input_dim", expected[0]), projector.get("n_embed", expected[1]))
    if found != expected:
        raise ModelError(
            f"The model configuration does not fit together: the projector maps {found[0]} to {found[1]}, "
            f"the parts around it need {expected[0]} to {expected[1]}."
        )


def _text_section(language: Mapping[str, Any]) -> dict[str, Any]:
    for key, required in _REQUIRED_TEXT_VALUES.items():
        if language.get(key, required) != required:
            raise ModelError(
                f"The language model setting {key}={language[key]!r} is not supported (only {required!r}).",
                "Only DeepSeek-OCR (version 1) checkpoints in the public layout can be loaded.",
            )
    dense = language["first_k_dense_replace"]
    layers = language["num_hidden_layers"]
    return {
        **{key: language[key] for key in _TEXT_KEYS},
        "mlp_layer_types": ["dense"] * dense + ["sparse"] * (layers - dense),
        "rms_norm_eps": language.get("rms_norm_eps", 1e-6),
        "rope_parameters": {"rope_type": "default", "rope_theta": language.get("rope_theta", _ROPE_THETA)},
        "bos_token_id": language.get("bos_token_id", 0),
        "eos_token_id": language.get("eos_token_id", 1),
        # No padding row: the reference trains every row of the embedding table.
        "pad_token_id": None,
        "tie_word_embeddings": False,
    }


def _sam_section(vision: Mapping[str, Any]) -> dict[str, Any]:
    sam = vision["width"][_SAM_KEY]
    return {
        "hidden_size": sam["width"],
        "num_hidden_layers": sam["layers"],
        "num_attention_heads": sam["heads"],
        "global_attn_indexes": list(sam["global_attn_indexes"]),
        "downsample_channels": list(sam["downsample_channels"]),
        "image_size": vision["image_size"],
        **{key: sam.get(key, default) for key, default in _SAM_DEFAULTS.items()},
    }


def _clip_section(vision: Mapping[str, Any]) -> dict[str, Any]:
    clip = vision["width"][_CLIP_KEY]
    ratio = clip.get("mlp_ratio", _CLIP_DEFAULTS["mlp_ratio"])
    return {
        "hidden_size": clip["width"],
        "num_hidden_layers": clip["layers"],
        "num_attention_heads": clip["heads"],
        "intermediate_size": int(clip["width"] * ratio),
        "image_size": clip["image_size"],
        "patch_size": clip["patch_size"],
    }


def to_checkpoint_dict(config: DeepseekOcrConfig, dtype: str) -> dict[str, Any]:
    """The public ``config.json`` of a model, as other tools (vLLM, llama.cpp) expect it.

    Args:
        config: The native configuration.
        dtype: Name of the weights' type, for example ``bfloat16``.
    """
    language = _language_section(config, dtype)
    return {
        **(config.checkpoint_extra or {}),
        "architectures": [ARCHITECTURE],
        "model_type": MODEL_TYPE,
        "torch_dtype": dtype,
        **_unusual_ids(config),
        "language_config": {"architectures": ["DeepseekV2ForCausalLM"], **language},
        "vision_config": _vision_section(config),
        "projector_config": {
            "input_dim": config.vision_width,
            "model_type": "mlp_projector",
            "n_embed": config.text_config.hidden_size,
            "projector_type": "linear",
        },
        # The public file repeats the language model's entries at the top; readers exist for either place.
        **{key: value for key, value in language.items() if key != "torch_dtype"},
    }


def _unusual_ids(config: DeepseekOcrConfig) -> dict[str, Any]:
    usual = {"image_token_id": _IMAGE_TOKEN_ID, "pad_token_id": _PAD_TOKEN_ID}
    return {key: getattr(config, key) for key, value in usual.items() if getattr(config, key) != value}


def _language_section(config: DeepseekOcrConfig, dtype: str) -> dict[str, Any]:
    text = config.text_config
    section = {
        **{key: getattr(text, key) for key in _TEXT_KEYS},
        "bos_token_id": config.bos_token_id,
        "eos_token_id": config.eos_token_id,
        "first_k_dense_replace": text.mlp_layer_types.count("dense"),
        "kv_lora_rank": None,
        "lm_head": True,
        "q_lora_rank": None,
        "qk_nope_head_dim": 0,
        "qk_rope_head_dim": 0,
        "rm_head": False,
        "torch_dtype": dtype,
        "use_mla": False,
        "v_head_dim": 0,
    }
    if text.rope_parameters["rope_theta"] != _ROPE_THETA:
        section["rope_theta"] = text.rope_parameters["rope_theta"]
    return section


def _vision_section(config: DeepseekOcrConfig) -> dict[str, Any]:
    sam, clip = config.sam_config, config.clip_config
    ratio = clip.intermediate_size / clip.hidden_size
    return {
        "image_size": sam.image_size,
        "mlp_ratio": 3.7362,  # of the public file; no part of the network uses it
        "model_name": "deeplip_b_l",
        "model_type": "vision",
        "width": {
            _CLIP_KEY: {
                "heads": clip.num_attention_heads,
                "image_size": clip.image_size,
                "layers": clip.num_hidden_layers,
                "patch_size": clip.patch_size,
                "width": clip.hidden_size,
                **({} if ratio == _CLIP_DEFAULTS["mlp_ratio"] else {"mlp_ratio": ratio}),
            },
            _SAM_KEY: {
                "downsample_channels": list(sam.downsample_channels),
                "global_attn_indexes": list(sam.global_attn_indexes),
                "heads": sam.num_attention_heads,
                "layers": sam.num_hidden_layers,
                "width": sam.hidden_size,
                **{k: getattr(sam, k) for k, default in _SAM_DEFAULTS.items() if getattr(sam, k) != default},
            },
        },
    }
