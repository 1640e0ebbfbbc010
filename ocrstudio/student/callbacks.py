"""What happens between two optimiser steps: events for the watchers, and reasons to stop."""

import math
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from ocrstudio.domain.errors import RunError
from ocrstudio.jobs.context import RunContext
from ocrstudio.student.distributed import word_of_main

_SPEED_WINDOW = 20  # steps over which the time left is estimated
_REPORTED = (
    "loss",
    "learning_rate",
    "grad_norm",
    "token_accuracy",
    "epoch",
    "gpu_memory_gib",
    "gpu_utilisation",
)


class Throughput:
    """Counts what went through the model between two readings."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._tokens = 0
        self._pages = 0

    def add(self, tokens: int, pages: int) -> None:
        """Count a batch: its tokens without padding, and its pages."""
        self._tokens += tokens
        self._pages += pages

    def read(self) -> dict[str, float]:
        """Rates since the last reading."""
        seconds = max(time.perf_counter() - self._started, 1e-9)
        rates = {"tokens_per_second": self._tokens / seconds, "pages_per_second": self._pages / seconds}
        self._started = time.perf_counter()
        self._tokens = self._pages = 0
        return rates


class EpochCallback(TrainerCallback):
    """Tells the sampler which pass begins.

    The library does so, too, but not in the first pass of several processes that go on from a checkpoint.

    Args:
        set_epoch: Of the sampler.
        steps: Optimiser steps of a pass.
    """

    def __init__(self, set_epoch: Callable[[int], None], steps: int) -> None:
        self._set_epoch = set_epoch
        self._steps = steps

    def on_epoch_begin(
        self, _args: TrainingArguments, state: TrainerState, _control: TrainerControl, **_: object
    ) -> None:
        """Count the passes by the steps, as the library does."""
        self._set_epoch(state.global_step // self._steps)


class EventCallback(TrainerCallback):
    """Turns the trainer's life into events of the run.

    Args:
        context: The run.
        throughput: Counter that the trainer fills.
    """

    def __init__(self, context: RunContext, throughput: Throughput) -> None:
        self._context = context
        self._throughput = throughput
        self._step_ends: deque[float] = deque(maxlen=_SPEED_WINDOW + 1)

    def on_train_begin(
        self, _args: TrainingArguments, state: TrainerState, _control: TrainerControl, **_: object
    ) -> None:
        """Say where the run starts; a resumed one does not start at 0."""
        self._throughput.read()
        self._step_ends.append(time.perf_counter())
        self._context.emit("progress", done=state.global_step, total=state.max_steps, unit="steps")

    def on_step_end(
        self, _args: TrainingArguments, state: TrainerState, _control: TrainerControl, **_: object
    ) -> None:
        """Report the position and the time left."""
        self._step_ends.append(time.perf_counter())
        seconds = (self._step_ends[-1] - self._step_ends[0]) / (len(self._step_ends) - 1)
        self._context.emit(
            "progress",
            done=state.global_step,
            total=state.max_steps,
            unit="steps",
            seconds_left=round(seconds * (state.max_steps - state.global_step), 1),
        )

    def on_log(
        self,
        _args: TrainingArguments,
        state: TrainerState,
        _control: TrainerControl,
        logs: Mapping[str, float] | None = None,
        **_: object,
    ) -> None:
        """Pass on the measurements of the last logging interval."""
        if not logs or "loss" not in logs:
            return
        values = {name: float(logs[name]) for name in _REPORTED if name in logs}
        self._context.emit("metric", step=state.global_step, values={**values, **self._throughput.read()})

    def on_evaluate(
        self,
        _args: TrainingArguments,
        state: TrainerState,
        _control: TrainerControl,
        metrics: Mapping[str, float] | None = None,
        **_: object,
    ) -> None:
        """Pass on the result of an evaluation; its time does not count as training time."""
        values = {name: float(value) for name, value in (metrics or {}).items() if name.startswith("eval_")}
        self._context.emit("metric", step=state.global_step, values=values)
        self._throughput.read()

    def on_save(
        self, _args: TrainingArguments, state: TrainerState, _control: TrainerControl, **_: object
    ) -> None:
        """Announce a checkpoint; the trainer calls this after it is complete."""
        folder = self._context.folder
        path = folder.checkpoints / f"{PREFIX_CHECKPOINT_DIR}-{state.global_step}"
        self._context.emit(
            "checkpoint", step=state.global_step, path=path.relative_to(folder.path).as_posix()
        )


class StopCallback(TrainerCallback):
    """Ends the training when the user asks to: after the step that is under way, with a checkpoint.

    Attributes:
        requested: Whether the training ended for that reason.
    """

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self.requested = False

    def on_step_end(
        self, _args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Look for the request; after the last step there is nothing left to stop."""
        if state.global_step < state.max_steps and word_of_main(self._context.should_stop()):
            self.requested = True
            control.should_save = True
            control.should_evaluate = False
            control.should_training_stop = True


class FiniteLossCallback(TrainerCallback):
    """Ends the training when the loss or the gradient is no number any more, before anything is saved."""

    def on_log(
        self,
        _args: TrainingArguments,
        state: TrainerState,
        _control: TrainerControl,
        logs: Mapping[str, float] | None = None,
        **_: object,
    ) -> None:
        """Check the measurements.

        Raises:
            RunError: One of them is not finite.
        """
        broken = [name for name in ("loss", "grad_norm") if not math.isfinite((logs or {}).get(name, 0.0))]
        if broken:
            raise diverged(" and ".join(broken), state.global_step)


def diverged(what: str, step: int) -> RunError:
    """The error of a training whose numbers are no numbers any more."""
    return RunError(
        f"The training diverged: {what} is not a finite number at step {step}.",
        "Lower training.learning_rate, raise training.warmup_steps, or resume from an earlier checkpoint.",
    )


@dataclass(frozen=True)
class Evaluation:
    """The loss on the evaluation set after a step."""

    step: int
    loss: float


def evaluations(log_history: Sequence[Mapping[str, Any]]) -> list[Evaluation]:
    """All evaluations of a run, from the history that the trainer keeps in its checkpoints."""
    return [
        Evaluation(int(entry["step"]), float(entry["eval_loss"]))
        for entry in log_history
        if "eval_loss" in entry and math.isfinite(entry["eval_loss"])
    ]


def best_evaluation(history: Sequence[Evaluation], threshold: float) -> Evaluation | None:
    """The last evaluation that was lower than the best before it by more than a threshold."""
    best: Evaluation | None = None
    for evaluation in history:
        if best is None or evaluation.loss < best.loss - threshold:
            best = evaluation
    return best


class BestAdapterCallback(TrainerCallback):
    """Keeps the adapter of the best evaluation, and ends the training when there is no improvement any more.

    It has no memory of its own: the trainer's history, which checkpoints carry, says how a resumed run
    stands.

    Args:
        keep: Called with the newest evaluation when it is the best one, to write its adapter.
        patience: Evaluations without improvement before the training ends; None for never.
        threshold: Smallest fall of the loss that counts as improvement.

    Attributes:
        stopped_early: Whether the training ended for lack of improvement.
    """

    def __init__(self, keep: Callable[[Evaluation], None], *, patience: int | None, threshold: float) -> None:
        self._keep = keep
        self._patience = patience
        self._threshold = threshold
        self.stopped_early = False

    def on_evaluate(
        self, _args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Compare the newest evaluation with the ones before."""
        history = evaluations(state.log_history)
        best = best_evaluation(history, self._threshold)
        if best is None:
            return
        if best == history[-1]:
            self._keep(best)
            return
        waited = len(history) - 1 - history.index(best)
        if self._patience is not None and waited >= self._patience:
            self.stopped_early = True
            control.should_training_stop = True
