"""What a step may look like (pages at once, layers that compute again), and the first that fits.

All choices lead to the same training: the pages of a step stay, and nothing but rounding differs.
"""

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch

from ocrstudio.domain.run import TrainMode
from ocrstudio.settings.train import TrainConfig
from ocrstudio.student.checkpointing import in_words, levels
from ocrstudio.student.distributed import world_size
from ocrstudio.student.failures import is_out_of_memory

_LARGEST = 64  # pages at once; beyond it a GPU gains nothing

_Choice = TypeVar("_Choice")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class StepChoice:
    """One way to do a step.

    Attributes:
        config: With batch and accumulation.
        every: Level of `checkpointing`.
    """

    config: TrainConfig
    every: int

    def sentence(self) -> str:
        """The choice in words."""
        training = self.config.training
        return (
            f"{training.per_device_train_batch_size} pages at once fit; "
            f"{training.gradient_accumulation_steps} such batches make a step; {in_words(self.every)}"
        )


def step_choices(config: TrainConfig, *, on_gpu: bool) -> list[StepChoice]:
    """What a configuration allows.

    With ``training.auto_batch`` larger batches come before kept activations: both cost memory, and fewer
    batches save more time.

    Returns:
        The fastest first, the one that takes least memory last; at least one.
    """
    allowed = levels(config.model.use_gradient_checkpointing, on_gpu=on_gpu)
    if config.training.auto_batch:
        return [StepChoice(one, allowed[-1]) for one in _batches(config)]
    return [StepChoice(config, every) for every in allowed]


def _batches(config: TrainConfig) -> list[TrainConfig]:
    """The configuration with every batch size that keeps the product of batch and accumulation."""
    training = config.training
    product = training.per_device_train_batch_size * training.gradient_accumulation_steps
    sizes = [size for size in range(min(product, _LARGEST), 0, -1) if product % size == 0]
    return [
        config.model_copy(
            update={
                "training": training.model_copy(
                    update={
                        "per_device_train_batch_size": size,
                        "gradient_accumulation_steps": product // size,
                    }
                )
            }
        )
        for size in sizes
    ]


def recording_obstacles(config: TrainConfig, mode: TrainMode, *, on_gpu: bool) -> list[str]:
    """Why steps cannot become CUDA graphs, in words; nothing in them may depend on the host."""
    obstacles = {
        "there is no CUDA GPU": not on_gpu,
        "the weights are in 4 bits": config.model.load_in_4bit,
        "lora.lora_dropout is not 0": config.lora.lora_dropout > 0,
        "several processes train together": world_size() > 1,
        "the output layer is trained too": mode is TrainMode.FULL,
    }
    return [words for words, is_so in obstacles.items() if is_so]


def first_that_fits(
    choices: Sequence[_Choice],
    attempt: Callable[[_Choice], _Result],
    everywhere: Callable[[bool], bool] = bool,
) -> tuple[_Choice, _Result]:
    """Attempt one choice after the other until memory suffices.

    Args:
        choices: At least one; the last is the one that takes least.
        attempt: Does what a step will do.
        everywhere: Told whether memory sufficed here; says whether it did in every process.

    Returns:
        The choice, and what the attempt returned.

    Raises:
        RuntimeError: Memory ran out with the last choice too (or a `MemoryError`, as the attempt raised it);
            or an attempt failed for another reason.
    """
    for choice in choices[:-1]:
        result = None
        try:
            result = attempt(choice)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
        if everywhere(result is not None) and result is not None:
            return choice, result
        # Only here, behind the handler, are the failed attempt's frames gone, and with them its tensors.
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
    return choices[-1], attempt(choices[-1])
