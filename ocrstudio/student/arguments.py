"""Our configuration in the words of the library's trainer."""

import importlib.util
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import TrainingArguments

from ocrstudio.settings.train import TrainConfig, TrainingConfig
from ocrstudio.student.distributed import world_size

_MOST_WORKERS = 12
_PREFETCHED_BATCHES = 2  # of each worker
_NEVER = 10**9  # steps; the trainer still evaluates after the last one


@dataclass(frozen=True)
class StepPlan:
    """How long a training is.

    Attributes:
        total: Optimiser steps.
        per_epoch: Optimiser steps of a pass over the data.
        samples: Training samples.
    """

    total: int
    per_epoch: int
    samples: int

    @property
    def epochs(self) -> float:
        """Passes over the data."""
        return self.total / self.per_epoch


def plan_steps(config: TrainingConfig, samples: int) -> StepPlan:
    """Count the steps of a training in the processes that there are."""
    processes = world_size()
    return StepPlan(
        config.total_steps(samples, processes), config.steps_per_epoch(samples, processes), samples
    )


def schedule_warnings(config: TrainingConfig, plan: StepPlan, *, has_evaluation: bool) -> list[str]:
    """Settings that have no effect with this number of steps."""
    warnings = []
    if config.save_steps >= plan.total:
        warnings.append(
            f"The training has {plan.total} steps, so save_steps {config.save_steps} never fires before the "
            "end: if the run is interrupted, nothing of it is left. Lower training.save_steps."
        )
    if has_evaluation and config.eval_steps is not None and config.eval_steps >= plan.total:
        warnings.append(
            f"The training has {plan.total} steps, so eval_steps {config.eval_steps} never fires before the "
            "end: there is no choice of a best adapter. Lower training.eval_steps."
        )
    if config.early_stopping_patience is not None and not has_evaluation:
        warnings.append("There is no evaluation set, so early_stopping_patience has no effect.")
    if config.warmup_steps >= plan.total:
        warnings.append(
            f"The training has {plan.total} steps and warmup_steps is {config.warmup_steps}: "
            "the learning rate never reaches its full height. Lower training.warmup_steps."
        )
    return warnings


def training_arguments(config: TrainConfig, output: Path, *, has_evaluation: bool) -> TrainingArguments:
    """Build the library's arguments; everything that reports to a service is off.

    Args:
        config: The training configuration.
        output: Folder for checkpoints.
        has_evaluation: Whether there is an evaluation set.
    """
    training = config.training
    cuda = torch.cuda.is_available()
    workers = preparation_workers() if cuda else 0
    length: dict[str, Any] = (
        {"max_steps": training.max_steps}
        if training.max_steps is not None
        else {"num_train_epochs": training.num_train_epochs}
    )
    return TrainingArguments(
        output_dir=str(output),
        **length,
        per_device_train_batch_size=training.per_device_train_batch_size,
        per_device_eval_batch_size=training.per_device_eval_batch_size,
        gradient_accumulation_steps=training.gradient_accumulation_steps,
        learning_rate=training.learning_rate,
        lr_scheduler_type=training.lr_scheduler_type,
        warmup_steps=training.warmup_steps,
        weight_decay=training.weight_decay,
        max_grad_norm=training.max_grad_norm,
        optim=choose_optimizer(training.optim),
        seed=training.seed,
        data_seed=training.seed,
        logging_strategy="steps",
        logging_steps=training.logging_steps,
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=training.save_steps,
        save_total_limit=training.save_total_limit,
        eval_strategy="steps" if has_evaluation else "no",
        eval_steps=training.eval_steps or _NEVER,
        use_cpu=not cuda,
        bf16=cuda and torch.cuda.is_bf16_supported(),
        dataloader_num_workers=workers,
        dataloader_persistent_workers=workers > 0,
        dataloader_prefetch_factor=_PREFETCHED_BATCHES if workers else None,
        dataloader_pin_memory=cuda,
        ddp_find_unused_parameters=True,  # a batch without a picture leaves the vision encoders out
        remove_unused_columns=False,
        label_names=["labels"],
        report_to="none",
        disable_tqdm=True,
        push_to_hub=False,
    )


def preparation_workers() -> int:
    """Processes that prepare pages while the GPU works; opening and cutting a page takes a core 0.2 s."""
    if sys.platform != "linux":
        return 0  # elsewhere a process starts by importing everything again
    cores = len(os.sched_getaffinity(0)) // world_size()
    return min(_MOST_WORKERS, max(1, cores - 1))


def choose_optimizer(name: str) -> str:
    """Resolve ``auto``: 8-bit AdamW on CUDA where bitsandbytes is installed, else AdamW."""
    if name != "auto":
        return name
    has_8bit = torch.cuda.is_available() and importlib.util.find_spec("bitsandbytes") is not None
    return "adamw_8bit" if has_8bit else "adamw_torch"
