"""The training itself: steps, checkpoints and gates in between, one JSON line for whoever watches."""

import json
import math
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from multiprocessing import Value
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from ocrstudio.student.micro import fill_random
from ocrstudio.student.modeling.model import DeepseekOcrForConditionalGeneration
from ocrstudio.student.pretraining.batches import SORTED_BATCHES, Batch, PageStream
from ocrstudio.student.pretraining.checkpoints import (
    AVERAGE_EVERY,
    TrainingState,
    averaged_weights,
    read_checkpoint,
)
from ocrstudio.student.pretraining.compiling import CompiledStep
from ocrstudio.student.pretraining.echo import EchoingBatches
from ocrstudio.student.pretraining.forward import ReaderStep, StepOutput
from ocrstudio.student.pretraining.gates import SETS, Examiner, GateBudget
from ocrstudio.student.pretraining.heads import DenseHeads
from ocrstudio.student.pretraining.levels import LEVELS, Curriculum
from ocrstudio.student.pretraining.optimisers import Optimisers
from ocrstudio.student.pretraining.pages import PageMaker, find_faces
from ocrstudio.student.pretraining.plan import PretrainingPlan
from ocrstudio.student.reader import reader_config
from ocrstudio.student.tokenizer import OcrTokenizer
from ocrstudio.student.tokenizer_training import SPECIAL_TOKENS
from ocrstudio.synthesis.vocabulary import read_vocabulary

_HEAD_WEIGHTS = {"patch": 1.0, "token": 1.5, "place": 0.5, "slot": 0.3, "first": 0.3}
_SEED = 1
_WARM_UP = 200
_REPLACED_SHARE = 0.04
_FIRST_WORD = len(SPECIAL_TOKENS)
"""The first id of the tokenizer that is no special token."""
_GATES_MEANWHILE = ("clean", "random")


def pretrain(plan: PretrainingPlan) -> None:
    """Train, write the weights, measure the gates.

    Raises:
        InputError: The material or the checkpoint to go on from cannot be used.
    """
    _prepare()
    saved = None if plan.resume is None else read_checkpoint(plan.resume)
    plan.output.mkdir(parents=True, exist_ok=True)
    # Beside the weights, so that the folder of checkpoints can be made a model folder by itself.
    OcrTokenizer(plan.tokenizer).copy_files(plan.output)
    training = _Training(plan, _device(), saved)
    with _stoppable(training):
        training.run()
    # Whoever asked for an end has no time for the last gates; --evaluate-only has them later.
    if plan.gate_pages and not training.stopped:
        measure_gates(plan, training.state.average)


def evaluate_only(plan: PretrainingPlan) -> None:
    """Measure the gates of the checkpoint that `plan.resume` names.

    Raises:
        InputError: The held-out material or the checkpoint cannot be used.
    """
    _prepare()
    assert plan.resume is not None  # noqa: S101 (the command asks for it)
    measure_gates(plan, averaged_weights(plan.resume))


def measure_gates(plan: PretrainingPlan, weights: dict[str, Tensor]) -> None:
    """Measure all sets, with an example of each."""
    examiner = _examiner(plan, _device(), tuple(SETS))
    for name in SETS:
        say(gate=asdict(examiner.examine(name, weights)))


def say(**values: object) -> None:
    """Write one JSON line."""
    sys.stdout.write(json.dumps(values, ensure_ascii=False) + "\n")
    sys.stdout.flush()


class _Training:
    """One training from its plan to its last checkpoint."""

    def __init__(self, plan: PretrainingPlan, device: torch.device, saved: dict[str, Any] | None) -> None:
        self._plan, self._device = plan, device
        config = reader_config()
        model = DeepseekOcrForConditionalGeneration(config)
        fill_random(model, _SEED)
        heads = DenseHeads(config.sam_config.output_channels, config.text_config.hidden_size)
        self.state = TrainingState(model, heads, Curriculum(plan.level, plan.target))
        if saved is not None:
            self.state.load(saved)
        self._level = Value("i", self.state.curriculum.level)
        # Worker processes are forked before anything is put on the device.
        stream = self._stream(plan.seed + self.state.steps)
        self._batches = EchoingBatches(lambda: next(stream).to(device), plan.echo, plan.seed)
        model.to(device).train()
        heads.to(device)
        self.state.start_average()
        self._optimisers = Optimisers([model, heads], plan.learning_rate, _WARM_UP)
        # Where the optimisers' state was left behind, the learning rate rises anew.
        self._warm_from = self.state.steps
        if saved is not None and "optimisers" in saved:
            self._optimisers.restore(saved["optimisers"])
            self._warm_from = 0
        self._step = ReaderStep(model, heads, plan.views if plan.compiled else 0)
        self._compiled = CompiledStep(self._step, _warn) if plan.compiled else None
        self._examiner: Examiner | None = None
        self._budget = GateBudget()
        self._accuracies: list[tuple[int, Tensor]] = []
        self._pages = 0
        self.stopped = False
        say(
            parameters=sum(weight.numel() for weight in model.parameters()),
            device=str(device),
            level=self.state.curriculum.level,
            steps=self.state.steps,
            exact=self._warm_from == 0,
        )

    def _stream(self, seed: int) -> Iterator[Batch]:
        plan = self._plan
        stream = PageStream(plan.tokenizer, plan.texts, plan.fonts, self._level, plan.views, seed)
        loader = DataLoader(
            stream,
            batch_size=None,
            num_workers=plan.workers,
            # A worker makes some batches in one go; with less room it would wait for the last of them to be
            # taken, and then be waited for.
            prefetch_factor=SORTED_BATCHES if plan.workers else None,
            in_order=False,
            pin_memory=self._device.type == "cuda",
            worker_init_fn=_outlive_the_signal,
        )
        return iter(loader)

    def run(self) -> None:
        """Train until the time is over or somebody asks for an end; checkpoints as often as was asked for."""
        plan = self._plan
        begun = time.monotonic()
        written, examined = begun, begun
        while not self.stopped and (left := plan.seconds - (time.monotonic() - begun)) > 0:
            self._train(min(1.0, left / plan.decay_seconds), begun)
            now = time.monotonic()
            if now - written >= plan.checkpoint_seconds:
                self.save()
                written = time.monotonic()
            if plan.gate_pages and now - examined >= plan.gate_seconds and self._budget.allows(now - begun):
                self._examine()
                examined = time.monotonic()
        self.save()
        say(finished=not self.stopped, steps=self.state.steps, seconds=round(time.monotonic() - begun))

    def save(self) -> None:
        """Write a checkpoint and say so."""
        begun = time.monotonic()
        self.state.save(self._plan.output, self._optimisers)
        say(checkpoint=self.state.steps, seconds=round(time.monotonic() - begun, 1))

    def _train(self, share: float, begun: float) -> None:
        """One step with a share of the highest learning rate."""
        state = self.state
        batch, new = self._batches.next()
        output = self._pass(batch)
        norm = self._optimisers.step(state.steps - self._warm_from, share)
        state.steps += 1
        self._pages += len(batch.ids)
        if new:
            self._accuracies.append((batch.level, output.accuracy))
        if state.steps % AVERAGE_EVERY == 0:
            self._look(norm)
        if state.steps % self._plan.log_every == 0:
            self._log(output, norm, time.monotonic() - begun)

    def _look(self, norm: Tensor) -> None:
        """Every few steps: wait for the device, follow the average, see how the last batches went."""
        if not math.isfinite(norm.item()):
            self._recover()
            return
        self.state.update_average()
        curriculum = self.state.curriculum
        values = (
            torch.stack([accuracy for _, accuracy in self._accuracies]).tolist() if self._accuracies else []
        )
        for (level, _), accuracy in zip(self._accuracies, values, strict=True):
            if curriculum.saw(level, accuracy):
                self._level.value = curriculum.level
                say(
                    level=curriculum.level,
                    characters=LEVELS[curriculum.level].characters,
                    step=self.state.steps,
                )
        self._accuracies.clear()

    def _pass(self, batch: Batch) -> StepOutput:
        """Forward and backward."""
        outputs: list[StepOutput] = []

        def work() -> None:
            with torch.autocast(self._device.type, torch.bfloat16, enabled=self._device.type == "cuda"):
                output = self._step(batch, _disturbed(batch))
                loss = output.answer + sum(_HEAD_WEIGHTS[k] * value for k, value in output.dense.items())
            loss.backward()
            outputs.append(output)

        if self._compiled is None:
            work()
        else:
            self._compiled.run(work, self._optimisers.forget)
        return outputs[-1]

    def _recover(self) -> None:
        """Go back to the average: a gradient was not finite, and the weights are lost."""
        self.state.return_to_average()
        self._optimisers.restart()
        self._warm_from = self.state.steps
        self._accuracies.clear()
        _warn(f"The gradient was not finite at step {self.state.steps}; back to the averaged weights.")

    def _examine(self) -> None:
        """A short look at the gates; whatever goes wrong there does not end the training."""
        begun = time.monotonic()
        try:
            if self._examiner is None:
                self._examiner = _examiner(self._plan, self._device, _GATES_MEANWHILE)
            for name in _GATES_MEANWHILE:
                found = asdict(self._examiner.examine(name, self.state.average))
                del found["example"]
                say(step=self.state.steps, gate={k: _rounded(v) for k, v in found.items()})
        except Exception as error:  # noqa: BLE001
            _warn(f"The gates could not be measured: {error}")
        say(gates_seconds=round(self._budget.since(begun), 1))

    def _log(self, output: StepOutput, norm: Tensor, seconds: float) -> None:
        say(
            step=self.state.steps,
            seconds=round(seconds),
            pages=self._pages,
            waited=round(self._batches.waited, 1),
            echoed=self._batches.echoed,
            level=self.state.curriculum.level,
            loss=_rounded(output.answer.item()),
            accuracy=_rounded(self.state.curriculum.accuracy),
            **{name: _rounded(value.item()) for name, value in output.dense.items()},
            norm=_rounded(norm.item()),
        )


def _prepare() -> None:
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.allow_tf32 = True


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _examiner(plan: PretrainingPlan, device: torch.device, names: tuple[str, ...]) -> Examiner:
    tokenizer = OcrTokenizer(plan.tokenizer)
    maker = PageMaker(tokenizer, read_vocabulary(plan.held_out_texts), find_faces(plan.held_out_fonts))
    return Examiner(tokenizer, maker, plan.gate_pages, device, names)


def _outlive_the_signal(_worker: int) -> None:
    """A time limit tells all processes to end; without its pages the training could not end in order."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


@contextmanager
def _stoppable(training: _Training) -> Iterator[None]:
    """A request to end (SIGTERM, as a time limit sends it) ends after the step, with a checkpoint."""

    def stop(_signal: int, _frame: object) -> None:
        training.stopped = True

    before: Any = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _disturbed(batch: Batch) -> Tensor:
    """The sequences with some tokens of the answers replaced: what was written before is not always right."""
    replaced = (torch.rand(batch.ids.shape, device=batch.ids.device) < _REPLACED_SHARE) & (
        batch.labels >= _FIRST_WORD
    )
    others = torch.randint_like(batch.ids, _FIRST_WORD, reader_config().text_config.vocab_size)
    return torch.where(replaced, others, batch.ids)


def _warn(sentence: str) -> None:
    say(warning=sentence)


def _rounded(value: Any) -> Any:  # noqa: ANN401
    return round(value, 3) if isinstance(value, float) else value
