"""The training configuration: ``config/train_config.yaml``."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from ocrstudio.domain.run import TrainMode
from ocrstudio.paths import config_dir
from ocrstudio.settings.base import Section, Strings
from ocrstudio.settings.embedded import training_layers
from ocrstudio.settings.generation import DecodingConfig
from ocrstudio.settings.image import ImageConfig, expand_preset, name_preset
from ocrstudio.settings.layers import Layer, check, exclusive, file_layer, merge, override_layer
from ocrstudio.settings.scoring import ScoringConfig

SHIPPED_FILE = "train_config.yaml"


class ModelConfig(Section):
    """The student that is trained."""

    base_model_path: str = Field(
        min_length=1,
        description="Folder of the DeepSeek-OCR weights, downloaded when it is missing; "
        "reader is the small built-in student, which trains on a CPU.",
    )
    load_in_4bit: bool = Field(
        description="Load the base weights in 4 bits: least memory, slower; for CUDA GPUs."
    )
    use_gradient_checkpointing: Literal["auto", "unsloth", True, False] = Field(
        description="Compute activations again in the backward pass to save memory; unsloth and true mean "
        "the same here, auto does so in as few layers as the GPU's memory allows, which is faster."
    )
    engine: Literal["auto", "unsloth", "transformers"] = Field(
        description="Training engine; auto takes unsloth on a CUDA GPU where it is "
        "installed, else transformers."
    )
    record_steps: bool = Field(
        description="Record the language model's part of a step as CUDA graphs, which spares launching "
        "thousands of small kernels; not with lora_dropout or 4 bits."
    )


class LoraConfig(Section):
    """The adapter: which layers get one, and how large it is."""

    r: int = Field(ge=1, le=512, description="Rank of the adapter matrices.")
    lora_alpha: int = Field(ge=1, le=1024, description="Scale of the adapter; its effect is lora_alpha / r.")
    lora_dropout: float = Field(ge=0, lt=1, description="Dropout before the adapter; 0 is fastest.")
    vision_target_modules: Strings = Field(
        min_length=1,
        description="Layers of the vision encoder adapted with --mode vision or both, by "
        "the end of their name.",
    )
    llm_target_modules: Strings = Field(
        min_length=1,
        description="Layers of the language model adapted with --mode llm or both, by the end of their name.",
    )
    train_routed_experts: bool = Field(
        description="Also adapt the 64 routed experts of each layer: 95 % of the adapter in llm mode."
    )
    train_sam: bool = Field(description="In vision mode, also adapt the SAM encoder in front of CLIP.")
    train_projector: bool = Field(description="In vision mode, also train the projector from vision to text.")
    train_newline_separator: bool = Field(
        description="In vision mode, also train the learnt vectors for row ends and the end of the image."
    )


class TrainingConfig(Section):
    """The loop: batches, length, optimiser, checkpoints, evaluation."""

    per_device_train_batch_size: int = Field(ge=1, le=1024, description="Pages a step on the GPU at once.")
    per_device_eval_batch_size: int = Field(ge=1, le=1024, description="Pages at once during evaluation.")
    gradient_accumulation_steps: int = Field(
        ge=1,
        le=4096,
        description="Batches added up before the weights change; the true batch is the product.",
    )
    num_processes: int = Field(
        ge=1,
        le=64,
        description="Processes that train together, each on its own GPU; the true batch grows with them.",
    )
    auto_batch: bool = Field(
        description="Take the largest batch that fits into memory, with the same product of batch and "
        "accumulation; tried with the longest samples before the first step."
    )
    learning_rate: float = Field(gt=0, le=1, description="Highest learning rate, reached after the warm-up.")
    max_steps: int | None = Field(
        ge=1, description="Length in optimiser steps; empty when num_train_epochs is given."
    )
    num_train_epochs: float | None = Field(
        gt=0, description="Length in passes over the data; empty when max_steps is given."
    )
    warmup_steps: int = Field(ge=0, description="Steps over which the learning rate rises from 0.")
    lr_scheduler_type: Literal["linear", "cosine", "constant", "constant_with_warmup"] = Field(
        description="How the learning rate falls after the warm-up."
    )
    optim: Literal["auto", "adamw_torch", "adamw_8bit"] = Field(
        description="Optimiser; auto takes 8-bit AdamW where bitsandbytes works, else AdamW."
    )
    weight_decay: float = Field(ge=0, le=1, description="Decoupled weight decay of AdamW.")
    max_grad_norm: float = Field(gt=0, description="Gradients are scaled down to this norm.")
    max_length: int = Field(
        ge=64,
        le=8192,
        description="Longest sample in tokens, image and answer together; the model's limit is 8192.",
    )
    seed: int = Field(
        ge=0, le=2**32 - 1, description="Seed of the adapter, the order of the data and the split."
    )
    shuffle: bool = Field(description="Read the data in a new random order each epoch.")
    augment: Literal["off", "light", "strong"] = Field(
        description="Degrade the pages while they are trained on, differently in each pass: turned, blurred, "
        "noisy, shaded, as scans are. light stays easy to read, strong is a bad scan. Never for evaluation; "
        "matters most in modes vision and both."
    )
    keep_image_features: bool = Field(
        description="In mode llm, encode every picture once and keep its features in the run folder "
        "(2.3 MB a page at full size) until the run ends; not together with augment."
    )
    logging_steps: int = Field(ge=1, description="Steps between two points of the loss curve.")
    save_steps: int = Field(ge=1, description="Steps between two checkpoints; the last step is always saved.")
    save_total_limit: int | None = Field(
        ge=1, description="Checkpoints kept, the newest ones and the best one; empty keeps all."
    )
    eval_fraction: float = Field(
        ge=0,
        le=0.5,
        description="Part of the documents held out for evaluation when no evaluation set is given.",
    )
    eval_steps: int | None = Field(
        ge=1, description="Steps between two evaluations; empty evaluates at the end only."
    )
    check_pictures: Literal["auto", True, False] = Field(
        description="Does the student look? At the end, compare the loss of held-out pages with their own "
        "and with swapped pictures; auto takes at most 32 pages, true all of them."
    )
    early_stopping_patience: int | None = Field(
        ge=1, description="Evaluations without improvement before the run stops; empty never stops early."
    )
    early_stopping_threshold: float = Field(
        ge=0, description="Smallest fall of the evaluation loss that counts as improvement."
    )

    @property
    def samples_per_step(self) -> int:
        """The true batch: what all processes see before the weights change once."""
        batches = self.gradient_accumulation_steps * self.num_processes
        return self.per_device_train_batch_size * batches

    def steps_per_epoch(self, samples: int, processes: int | None = None) -> int:
        """Optimiser steps of a pass over the data, as the library's trainer counts them.

        Args:
            samples: Training samples.
            processes: Processes that train together; None for `num_processes`.
        """
        at_once = self.per_device_train_batch_size * (processes or self.num_processes)
        return math.ceil(math.ceil(samples / at_once) / self.gradient_accumulation_steps)

    def total_steps(self, samples: int, processes: int | None = None) -> int:
        """Optimiser steps of the whole training; the arguments are those of `steps_per_epoch`."""
        if self.max_steps is not None:
            return self.max_steps
        return math.ceil((self.num_train_epochs or 1) * self.steps_per_epoch(samples, processes))

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        if (self.max_steps is None) == (self.num_train_epochs is None):
            raise ValueError("give either max_steps or num_train_epochs, and leave the other one empty.")
        return self

    @model_validator(mode="after")
    def _stopping_needs_evaluation(self) -> Self:
        if self.early_stopping_patience is not None and self.eval_steps is None:
            raise ValueError("early_stopping_patience needs eval_steps: set both, or neither.")
        return self


class TrainConfig(Section):
    """Everything that a training or an evaluation can be told, beside its dataset and mode."""

    model: ModelConfig = Field(description="The student that is trained.")
    lora: LoraConfig = Field(description="The adapter: which layers get one, and how large it is.")
    training: TrainingConfig = Field(
        description="The loop: batches, length, optimiser, checkpoints, evaluation."
    )
    image: ImageConfig = Field(description="How a page picture is cut into views for the student.")
    evaluation: DecodingConfig = Field(
        description="How the student writes the answers that `evaluate` measures; stated in its result."
    )
    scoring: ScoringConfig = Field(
        description="How `evaluate` compares the answers with the labels; stated in its result."
    )


def load_train_config(
    path: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    model: str | None = None,
    mode: TrainMode | None = None,
) -> TrainConfig:
    """Load a training configuration.

    A student that comes with the program has values of its own, which stand between the shipped file and the
    user's.

    Args:
        path: The user's file; None for the shipped one. Keys it leaves out keep their shipped values.
        overrides: Dotted keys that win over the file, such as ``{"training.max_steps": 5}``.
        model: The base model where it is chosen elsewhere; None for the one that the layers name.
        mode: Which part of the student is trained; None where nothing is.

    Raises:
        ConfigError: A file cannot be used; all problems are listed with file, line and key.
    """
    shipped = config_dir() / SHIPPED_FILE
    # Who names the shipped file changes nothing: a student's own values still stand above it.
    own = [] if path is None or path.resolve() == shipped.resolve() else [file_layer(path)]
    if overrides:
        own.append(override_layer(overrides))
    layers = [file_layer(shipped), *training_layers(model or _named(own), mode), *own]
    data: dict[str, Any] = {}
    for layer in layers:
        data = merge(data, _expanded(layer).data)
    if isinstance(data.get("image"), dict):
        data["image"] = name_preset(data["image"])
    return check(TrainConfig, data, layers)


def _named(layers: Sequence[Layer]) -> str:
    """The base model that the user's layers name, the last one first; empty where none does."""
    for layer in reversed(layers):
        section = layer.data.get("model")
        if isinstance(section, dict) and section.get("base_model_path"):
            return str(section["base_model_path"])
    return ""


def _expanded(layer: Layer) -> Layer:
    layer = exclusive(layer, "training", "max_steps", "num_train_epochs")
    image = layer.data.get("image")
    if isinstance(image, dict):
        layer = Layer({**layer.data, "image": expand_preset(image, layer.name)}, layer.lines)
    return layer
