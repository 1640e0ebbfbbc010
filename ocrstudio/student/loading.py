"""From a name (a folder in the public layout, or the word of an embedded student) to a model that runs."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ocrstudio import paths
from ocrstudio.domain.embedded import EMBEDDED, READER_MODEL, REPAIR, is_embedded, model_folder
from ocrstudio.domain.errors import ModelError
from ocrstudio.imaging.presets import ImageSettings
from ocrstudio.student.configuration import DeepseekOcrConfig, read_config
from ocrstudio.student.distributed import own_device
from ocrstudio.student.micro import MICRO_SEED, build_micro_network, micro_config
from ocrstudio.student.modeling.model import DeepseekOcrForConditionalGeneration
from ocrstudio.student.processor import MAX_LENGTH, OcrProcessor
from ocrstudio.student.quantisation import quantise_4bit
from ocrstudio.student.tokenizer import OcrTokenizer
from ocrstudio.student.weights import Progress, beside_checkpoint, load_model, reset_rotary_frequencies

SEED_FACT = "seed"
"""The fact that only students of random weights have."""

WEIGHTS_FACT = "weights"
"""The fact that tells the weights of an embedded student from those that another version brings."""

_DIGITS = 16


@dataclass(frozen=True)
class Student:
    """A loaded model.

    Attributes:
        model: The network in evaluation mode, on its device.
        processor: Builds its samples and batches.
        name: What it was loaded from: a folder, or the word of an embedded student.
        facts: What tells it from other base models: sizes; for an embedded student its seed or the hash of
            its weights, which another version of the program may bring anew.
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
        name: Folder of a model in the public layout, or the word of an embedded student.
        image: Sides of the views, tiling and tile limit.
        max_length: Most positions of a sample.
        device: None takes this process's GPU where there is one.
        dtype: None means bfloat16, and float32 for an embedded student: it is small, and CPUs are faster so.
        load_in_4bit: Keep the language model's matrices in 4 bits.
        progress: Called with the bytes read and the bytes in all.

    Raises:
        ModelError: The folder does not hold a usable model.
    """
    device = own_device() if device is None else device
    # Quantising needs the weights once in full: that happens in the host's memory.
    first = torch.device("cpu") if load_in_4bit else device
    dtype = dtype or (torch.float32 if is_embedded(name) else torch.bfloat16)
    processor = load_processor(name, image, max_length=max_length)
    if _is_random(name):
        model = build_micro_network().to(device=first, dtype=dtype)
        reset_rotary_frequencies(model)
    else:
        with _own_files(name):
            model = load_model(_folder(name), dtype=dtype, device=first, progress=progress)
    facts = base_facts(model.config) | _facts_of_embedded(name)
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
    if _is_random(student.name):
        base = dict(build_micro_network().named_parameters())
        return ((name, weight.detach(), base[name]) for name, weight in student.model.named_parameters())
    with _own_files(student.name):
        return beside_checkpoint(student.model, _folder(student.name))


def load_processor(name: str, image: ImageSettings, *, max_length: int = MAX_LENGTH) -> OcrProcessor:
    """Load the processor alone: samples can be built and measured without the weights.

    Args:
        name: Folder of a model in the public layout, or the word of an embedded student.
        image: Sides of the views, tiling and tile limit.
        max_length: Most positions of a sample; the model's own limit holds where it is lower.

    Raises:
        ModelError: Tokenizer or configuration are missing, damaged, or do not belong together.
    """
    folder = _folder(name)
    if not folder.is_dir():
        raise _missing(name, folder)
    config = student_config(name)
    with _own_files(name):
        tokenizer = OcrTokenizer(folder)
        _check_tokenizer(folder, config, tokenizer)
    return OcrProcessor(tokenizer, image, min(max_length, config.text_config.max_position_embeddings))


def student_config(name: str) -> DeepseekOcrConfig:
    """The configuration of a model.

    Args:
        name: A folder, or the word of an embedded student.

    Raises:
        ModelError: The folder's file is missing or damaged.
    """
    if _is_random(name):
        return micro_config()
    with _own_files(name):
        return read_config(_folder(name))


def _folder(name: str) -> Path:
    return model_folder(name, paths.resources_dir())


def _is_random(name: str) -> bool:
    return is_embedded(name) and EMBEDDED[name].random


@contextmanager
def _own_files(name: str) -> Iterator[None]:
    """What is wrong with files that came with the program is mended by installing it again."""
    try:
        yield
    except ModelError as error:
        if not is_embedded(name):
            raise
        message = f"{error.message[0].lower()}{error.message[1:]}"
        raise ModelError(f"{EMBEDDED[name].title}: {message}", REPAIR) from error


def _missing(name: str, folder: Path) -> ModelError:
    if is_embedded(name):
        return ModelError(f"{EMBEDDED[name].title}: the folder {folder} is missing.", REPAIR)
    return ModelError(
        f"The model folder {folder} does not exist.",
        f"Give a model folder, or the word {READER_MODEL} for the built-in reader.",
    )


def _facts_of_embedded(name: str) -> dict[str, Any]:
    """What tells an embedded student from those of other versions."""
    if not is_embedded(name):
        return {}
    if _is_random(name):
        return {SEED_FACT: MICRO_SEED}
    content = hashlib.sha256()
    for file in sorted(_folder(name).glob("*.safetensors")):
        content.update(file.read_bytes())
    return {WEIGHTS_FACT: content.hexdigest()[:_DIGITS]}


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


def base_facts(config: DeepseekOcrConfig) -> dict[str, Any]:
    """Sizes by which an adapter recognises its base model; JSON values."""
    text = config.text_config
    return {
        "hidden_size": text.hidden_size,
        "layers": text.num_hidden_layers,
        "routed_experts": text.n_routed_experts,
        "vocabulary": text.vocab_size,
        "vision_width": config.vision_width,
    }
