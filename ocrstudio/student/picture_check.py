"""Did the student look? Asked at the end of a training, when the adapter is safe.

The same answers are run forward twice, once with the pictures of their pages and once with pictures swapped
between the pages (`picture_swap`), exactly as an evaluation does it. `ocrstudio.domain.picture_check` says
what the result means.
"""

import time
import traceback
from collections.abc import Generator
from dataclasses import dataclass
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
from ocrstudio.student.failures import memory_sentences, reason_of
from ocrstudio.student.loader_workers import end_workers
from ocrstudio.student.picture_swap import Swap, in_batches, pages_of, plan_swap
from ocrstudio.student.preflight import Preflight
from ocrstudio.student.trainer import OcrTrainer

MOST_PAGES = 32
"""Pages that are taken at most, unless all are asked for."""


@dataclass(frozen=True)
class PictureChecker:
    """What a check takes.

    Attributes:
        context: The run.
        trainer: With the student as it is kept.
        collator: Of the run; the features that it keeps are used.
        training: The ``training`` section.
    """

    context: RunContext
    trainer: OcrTrainer
    collator: Collator
    training: TrainingConfig

    def run(self, data: Preflight, *, stand_in: bool) -> PictureCheck | None:
        """Measure whether the student looks, and say it in the run's events.

        Nothing that goes wrong here fails the run; it is said in a warning.

        Args:
            data: The run's pages.
            stand_in: Whether the student has random weights.

        Returns:
            None when it was switched off, stopped, impossible or failed.
        """
        if self.training.check_pictures is False:
            return None
        swap = plan_swap(
            pages_of(data.evaluation, data.evaluation_lengths),
            pages_of(data.train, data.lengths),
            most=None if self.training.check_pictures is True else MOST_PAGES,
            max_length=self.collator.processor.max_length,
        )
        if swap is None:
            self._not_measured("no two pictures can be swapped")
            return None
        if self.context.should_stop():
            self._not_measured("the run was stopped")
            return None
        pages = count_of(len(swap.own), "page")
        self._say(f"Does the student look? Comparing {pages} with their own and with swapped pictures")
        try:
            with memory_sentences("Lower training.per_device_eval_batch_size."):
                check = self._measure(swap, stand_in=stand_in)
        except (OcrStudioError, OSError, RuntimeError) as error:
            traceback.print_exception(error)  # into the log of the run
            self._not_measured(f"{reason_of(error)}. The adapter is complete", event="warning")
            return None
        finally:
            # What lists show of a run is the last that was counted: its steps.
            state = self.trainer.state
            self.context.emit("progress", done=state.global_step, total=state.max_steps, unit="steps")
        if check is None:
            self._not_measured("it was stopped. The adapter is complete")
            return None
        message = f"{check.sentence()} {check.details()} It took {duration(check.seconds)}."
        self._say(f"{message} {check.meaning()}".rstrip(), event="phase" if check.looks else "warning")
        return check

    def _measure(self, swap: Swap, *, stand_in: bool) -> PictureCheck | None:
        started = time.monotonic()
        size = self.training.per_device_eval_batch_size
        positions = size * swap.own[0].length.total  # an evaluation's largest batch
        losses: list[float] = []
        for done, pages in ((0, swap.own), (len(swap.own), swap.swapped)):
            batches = self._prepared(list(in_batches(pages, size, positions)), done, 2 * len(pages))
            try:
                sums = self.trainer.sum_losses(batches, self.context.should_stop)
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
        self, batches: list[list[Example]], done: int, total: int
    ) -> Generator[dict[str, Any], None, None]:
        """The batches, prepared by other processes where a GPU would wait for them."""
        on_gpu = torch.cuda.is_available() and self.collator.features is None
        loader: Any = DataLoader(
            batches,
            batch_size=None,
            collate_fn=self.collator,
            num_workers=preparation_workers() if on_gpu else 0,
        )
        prepared = iter(loader)
        try:
            for examples in batches:  # not to its end: there it would wait for each worker
                yield next(prepared)
                done += len(examples)
                self.context.emit("progress", done=done, total=total, unit="pages")
        finally:
            end_workers(prepared)

    def _not_measured(self, reason: str, event: str = "phase") -> None:
        self._say(f"Whether the student looks was not measured: {reason}.", event)

    def _say(self, message: str, event: str = "phase") -> None:
        fields = {"name": "pictures"} if event == "phase" else {}
        self.context.emit(event, message=message, **fields)
