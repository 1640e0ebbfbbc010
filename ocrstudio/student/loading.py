"""From a model's name to something that runs: the word ``micro``, or a folder in the public layout."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ocrstudio.domain.errors import ModelError
from ocrstudio.domain.run import MICRO_MODEL
from ocrstudio.imaging.presets import ImageSettings
from ocrstudio.student.configuration import DeepseekOcrConfig, read_config
from ocrstudio.student.distributed import own_device
from ocrstudio.student.micro import MICRO_SEED, build_micro, micro_config, micro_folder
from ocrstudio.student.modeling.model import DeepseekOcrForConditionalGeneration
from ocrstudio.student.processor import MAX_LENGTH, OcrProcessor
from ocrstudio.student.quantisation import quantise_4bit
from ocrstudio.student.tokenizer import OcrTokenizer
from ocrstudio.student.weights import Progress, beside_checkpoint, load_model, reset_rotary_frequencies

SEED_FACT = "seed"
"""The fact that only students of random weights have."""


@dataclass(frozen=True)
class Student:
    """A loaded model.

    Attributes:
        model: The network in evaluation mode, on its device.
        processor: Builds its samples and batches.
        name: What it was loaded from: a folder, or ``micro``.
        facts: What tells it from other base models (sizes; the seed of a micro student).
    """

    model: DeepseekOcrForConditionalGeneration
    processor: OcrProcessor
    name: str
    facts: dict[str, Any]


def load_student(
    name: str,
    image: ImageSettings,
    *,
    max_length: int = MAX_LENGTH,
    device: torch.device | None = None,
    dtype: torch.dtype | None = None,
    load_in_4bit: bool = False,
    progress: Progress | None = None,
) -> Student:
    """Load a model with its processor.

    Args:
        name: Folder of a model in the public layout, or ``micro``.
        image: Sides of the views, tiling and tile limit.
        max_length: Most positions of a sample.
        device: None takes this process's GPU where there is one.
        dtype: None means bfloat16, and float32 for the micro student.
        load_in_4bit: Keep the language model's matrices in 4 bits.
        progress: Called with the bytes read and the bytes in all.

    Raises:
        ModelError: The folder does not hold a usable model.
    """
    device = own_device() if device is None else device
    # Quantising needs the weights once in full: that happens in the host's memory.
    first = torch.device("cpu") if load_in_4bit else device
    if name == MICRO_MODEL:
        model, processor = build_micro(image=image, max_length=max_length)
        facts = base_facts(model.config, MICRO_SEED)
        model.to(device=first, dtype=dtype or torch.float32)
        reset_rotary_frequencies(model)
    else:
        processor = load_processor(name, image, max_length=max_length)
        model = load_model(Path(name), dtype=dtype or torch.bfloat16, device=first, progress=progress)
        facts = base_facts(model.config)
    if load_in_4bit:
        quantise_4bit(model, device)
    return Student(model, processor, name, facts)


def beside_base(student: Student) -> Iterator[tuple[str, Tensor, Tensor]]:
    """Compare a student, every weight of which was trained, with the base model that it was loaded from.

    Returns:
        Names of parameters, parts of them as they are, and the same parts of the base model.

    Raises:
        ModelError: The folder of the base model is gone or damaged.
    """
    if student.name == MICRO_MODEL:
        base = dict(build_micro()[0].named_parameters())
        return ((name, weight.detach(), base[name]) for name, weight in student.model.named_parameters())
    return beside_checkpoint(student.model, Path(student.name))


def load_processor(name: str, image: ImageSettings, *, max_length: int = MAX_LENGTH) -> OcrProcessor:
    """Load the processor alone: samples can be built and measured without the weights.

    Args:
        name: Folder of a model in the public layout, or ``micro``.
        image: Sides of the views, tiling and tile limit.
        max_length: Most positions of a sample; the model's own limit holds where it is lower.

    Raises:
        ModelError: Tokenizer or configuration are missing, damaged, or do not belong together.
    """
    if name == MICRO_MODEL:
        config, folder = micro_config(), micro_folder()
    else:
        folder = Path(name)
        if not folder.is_dir():
            raise ModelError(
                f"The model folder {folder} does not exist.", "Give a model folder, or the word micro."
            )
        config = read_config(folder)
    tokenizer = OcrTokenizer(folder)
    _check_tokenizer(folder, config, tokenizer)
    return OcrProcessor(tokenizer, image, min(max_length, config.text_config.max_position_embeddings))


def _check_tokenizer(folder: Path, config: DeepseekOcrConfig, tokenizer: OcrTokenizer) -> None:
    ids = (tokenizer.bos_id, tokenizer.eos_id, tokenizer.pad_id, tokenizer.image_id)
    expected = (config.bos_token_id, config.eos_token_id, config.pad_token_id, config.image_token_id)
    if ids != expected or tokenizer.vocabulary_size > config.text_config.vocab_size:
        raise ModelError(
            f"Tokenizer and configuration in {folder} do not belong together: begin, end, padding and image "
            f"are {ids} in the one and {expected} in the other, with {tokenizer.vocabulary_size} and "
            f"{config.text_config.vocab_size} entries.",
            "Copy or download the model folder again.",
        )


def base_facts(config: DeepseekOcrConfig, seed: int | None = None) -> dict[str, Any]:
    """Sizes by which an adapter recognises its base model; JSON values.

    Args:
        config: Of the model.
        seed: Of a micro student's weights.
    """
    text = config.text_config
    facts = {
        "hidden_size": text.hidden_size,
        "layers": text.num_hidden_layers,
        "routed_experts": text.n_routed_experts,
        "vocabulary": text.vocab_size,
        "vision_width": config.vision_width,
    }
    return facts if seed is None else {**facts, SEED_FACT: seed}
