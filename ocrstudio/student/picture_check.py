"""Did the student look? Asked at the end of a training, when the adapter is safe.

The same answers are run forward twice, once with the pictures of their pages and once with pictures swapped
between the pages (`picture_swap`), exactly as an evaluation does it. `ocrstudio.domain.picture_check` says
what the result means.
"""

import time
from collections.abc import Callable, Generator, Sequence
from typing import Any

import torch
from torch.utils.data import DataLoader

from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.domain.picture_check import PictureCheck
from ocrstudio.domain.wording import count_of, duration
from ocrstudio.jobs.context import RunContext
from ocrstudio.settings.train import TrainingConfig
from ocrstudio.student.arguments import preparation_workers
from ocrstudio.student.collator import Collator
from ocrstudio.student.examples import Example
from ocrstudio.student.failures import memory_sentences
from ocrstudio.student.loader_workers import end_workers
from ocrstudio.student.picture_swap import Swap, in_batches, pages_of, plan_swap
from ocrstudio.student.preflight import Preflight
from ocrstudio.student.trainer import OcrTrainer

MOST_PAGES = 32
"""Pages that are taken at most, unless all are asked for."""

_PHASE = "pictures"


def check_pictures(
    context: RunContext,
    trainer: OcrTrainer,
    collator: Collator,
    data: Preflight,
    training: TrainingConfig,
    *,
    stand_in: bool,
) -> PictureCheck | None:
    """Measure whether the trained student looks, and say it in the run's events.

    Nothing that goes wrong here fails the run; it is said in a warning.

    Args:
        context: The run.
        trainer: With the student as it is kept.
        collator: Of the run; the features that it keeps are used.
        data: The run's pages.
        training: The ``training`` section.
        stand_in: Whether the student has random weights.

    Returns:
        None when it was switched off, stopped, impossible or failed.
    """
    if training.check_pictures is False:
        return None
    swap = plan_swap(
        pages_of(data.evaluation, data.evaluation_lengths),
        pages_of(data.train, data.lengths),
        most=None if training.check_pictures is True else MOST_PAGES,
        max_length=collator.processor.max_length,
    )
    if swap is None:
        _say(context, "Whether the student looks cannot be measured: no two pictures can be swapped.")
        return None
    if context.should_stop():
        _say(context, "Whether the student looks was not measured: the run was stopped.")
        return None
    _say(context, f"Does the student look? Swapping the pictures of {count_of(len(swap.own), 'page')}")
    try:
        with memory_sentences("Lower training.per_device_eval_batch_size."):
            check = _measure(context, trainer, collator, swap, training, stand_in=stand_in)
    except (OcrStudioError, OSError, RuntimeError) as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        context.emit(
            "warning",
            message=f"Whether the student looks was not measured: {reason.rstrip('.')}. "
            "The adapter is complete.",
        )
        return None
    finally:
        # What lists show of a run is the last that was counted: its steps.
        state = trainer.state
        context.emit("progress", done=state.global_step, total=state.max_steps, unit="steps")
    if check is None:
        _say(context, "Whether the student looks was not measured: it was stopped. The adapter is complete.")
        return None
    message = f"{check.sentence()} {check.details()} ({duration(check.seconds)})"
    if check.looks:
        _say(context, message)
    else:
        context.emit("warning", message=f"{message} {check.meaning()}")
    return check


def _measure(
    context: RunContext,
    trainer: OcrTrainer,
    collator: Collator,
    swap: Swap,
    training: TrainingConfig,
    *,
    stand_in: bool,
) -> PictureCheck | None:
    started = time.monotonic()
    size = training.per_device_eval_batch_size
    positions = size * swap.own[0].length.total  # an evaluation's largest batch
    total = len(swap.own) + len(swap.swapped)
    losses: list[float] = []

    def tell(done: int) -> None:
        context.emit("progress", done=done, total=total, unit="pages")

    for done, pages in ((0, swap.own), (len(swap.own), swap.swapped)):
        batches = _prepared(collator, list(in_batches(pages, size, positions)), done, tell)
        try:
            sums = trainer.sum_losses(batches, context.should_stop)
        finally:
            batches.close()
        if sums is None:
            return None
        loss, _, labelled, _ = sums.tolist()
        losses.append(loss / max(labelled, 1))
    return PictureCheck(
        own_loss=losses[0],
        swapped_loss=losses[1],
        pages=len(swap.own),
        candidates=swap.candidates,
        held_out=swap.held_out,
        borrowed=swap.borrowed,
        left_out=swap.left_out,
        stand_in=stand_in,
        seconds=round(time.monotonic() - started, 1),
    )


def _prepared(
    collator: Collator, batches: Sequence[list[Example]], done: int, tell: Callable[[int], None]
) -> Generator[dict[str, Any], None, None]:
    """The batches, prepared by other processes where a GPU would wait for them."""
    on_gpu = torch.cuda.is_available() and collator.features is None
    loader: Any = DataLoader(
        batches,
        batch_size=None,
        collate_fn=collator,
        num_workers=preparation_workers() if on_gpu else 0,
    )
    prepared = iter(loader)
    try:
        for examples in batches:  # not to its end: there it would wait for each worker
            yield next(prepared)
            done += len(examples)
            tell(done)
    finally:
        end_workers(prepared)


def _say(context: RunContext, message: str) -> None:
    context.emit("phase", name=_PHASE, message=message)
