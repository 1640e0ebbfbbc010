"""The training itself: steps, an average of the weights, checkpoints, one JSON line for whoever watches."""

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from multiprocessing import Value
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from ocrstudio.student.micro import fill_random
from ocrstudio.student.modeling.model import DeepseekOcrForConditionalGeneration
from ocrstudio.student.pretraining.batches import Batch, PageStream
from ocrstudio.student.pretraining.forward import ReaderStep, StepOutput
from ocrstudio.student.pretraining.gates import SETS, make_set, measure
from ocrstudio.student.pretraining.heads import DenseHeads
from ocrstudio.student.pretraining.levels import LEVELS, Curriculum
from ocrstudio.student.pretraining.optimisers import Optimisers
from ocrstudio.student.pretraining.pages import PageMaker, find_faces
from ocrstudio.student.reader import reader_config
from ocrstudio.student.tokenizer import OcrTokenizer
from ocrstudio.student.tokenizer_training import SPECIAL_TOKENS
from ocrstudio.synthesis.vocabulary import read_vocabulary

_HEAD_WEIGHTS = {"patch": 1.0, "token": 1.5, "place": 0.5, "slot": 0.3, "first": 0.3}
_SEED = 1
_AVERAGE_EVERY = 10
_AVERAGE_DECAY = 0.998
_REPLACED_SHARE = 0.04
_ACCURACIES_READ_AT_ONCE = 5
_FIRST_WORD = len(SPECIAL_TOKENS)
"""The first id of the tokenizer that is no special token."""


@dataclass(frozen=True)
class PretrainingPlan:
    """How long and with what.

    Attributes:
        seconds: Length of the training.
        decay_seconds: The last part of it, in which the learning rate falls to nothing.
        tokenizer: Folder of the tokenizer.
        texts: Word lists and texts to write with.
        fonts: Folder of fonts.
        held_out_texts: Texts of the gates.
        held_out_fonts: Fonts of the gates.
        output: Folder of checkpoints.
        resume: Folder of the checkpoints to go on from, or None.
        level: First level; with `resume` at least the one reached there.
        learning_rate: The highest.
        views: Tiles and overviews of a step.
        workers: Processes that make pages; 0 makes them here.
        gate_pages: Pages of each gate at the end; 0 measures none.
        log_every: Steps between two lines.
        compiled: Whether the layers are compiled; a third of the time of SAM's on an H100.
        seed: Of the pages; every continuation wants another one.
    """

    seconds: float
    decay_seconds: float
    tokenizer: Path
    texts: tuple[Path, ...]
    fonts: Path
    held_out_texts: tuple[Path, ...]
    held_out_fonts: Path
    output: Path
    resume: Path | None = None
    level: int = 0
    learning_rate: float = 1.5e-3
    views: int = 784
    workers: int = 15
    gate_pages: int = 32
    log_every: int = 50
    compiled: bool = False
    seed: int = 0


def pretrain(plan: PretrainingPlan) -> None:
    """Train, write the weights, measure the gates."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.set_float32_matmul_precision("high")
    config = reader_config()
    level = Value("i", plan.level)
    stream = PageStream(plan.tokenizer, plan.texts, plan.fonts, level, plan.views, plan.seed)
    # Worker processes are forked before anything is put on the device.
    batches = iter(
        DataLoader(
            stream, batch_size=None, num_workers=plan.workers, prefetch_factor=2 if plan.workers else None
        )
    )
    model = DeepseekOcrForConditionalGeneration(config)
    fill_random(model, _SEED)
    heads = DenseHeads(config.sam_config.output_channels, config.text_config.hidden_size)
    state = _State(model, heads, plan.level)
    if plan.resume is not None:
        state.load(plan.resume)
    level.value = state.curriculum.level
    model.to(device).train()
    heads.to(device)
    state.start_average()
    step = ReaderStep(model, heads, plan.views if plan.compiled else 0)
    if plan.compiled:
        _compile(model)
    _say(parameters=sum(weight.numel() for weight in model.parameters()), device=str(device))
    _train(plan, state, step, batches, level, device)
    state.save(plan.output)
    if plan.gate_pages:
        _measure_gates(plan, state, step, device)


class _State:
    """The weights with their moving average, and how far the curriculum is."""

    def __init__(self, model: DeepseekOcrForConditionalGeneration, heads: DenseHeads, level: int) -> None:
        self.model, self.heads = model, heads
        self.curriculum = Curriculum(level)
        self.steps = 0
        self._average: dict[str, Tensor] = {}

    def start_average(self) -> None:
        """Begin the average at the present weights."""
        self._average = {name: weight.detach().clone() for name, weight in self.model.named_parameters()}

    @torch.no_grad()
    def update_average(self) -> None:
        """Take the present weights in; called every `_AVERAGE_EVERY` steps."""
        weights = dict(self.model.named_parameters())
        share = 1 - min(_AVERAGE_DECAY, 1 - 1 / (self.steps + 1)) ** _AVERAGE_EVERY
        torch._foreach_lerp_(list(self._average.values()), [weights[name] for name in self._average], share)

    @torch.no_grad()
    def use_average(self) -> None:
        """Put the average in the place of the weights."""
        for name, weight in self.model.named_parameters():
            weight.copy_(self._average[name])

    def save(self, folder: Path) -> None:
        """Write ``weights.pt`` (float32), ``reader.pt`` (the average, float16) and ``heads.pt``."""
        folder.mkdir(parents=True, exist_ok=True)
        where = {"level": self.curriculum.level, "steps": self.steps}
        _write({"model": self.model.state_dict(), **where}, folder / "weights.pt")
        _write(
            {"model": {name: weight.half() for name, weight in self._average.items()}, **where},
            folder / "reader.pt",
        )
        _write(self.heads.state_dict(), folder / "heads.pt")

    def load(self, folder: Path) -> None:
        """Go on from the whole weights, or from the average where only that was brought home."""
        whole = folder / "weights.pt"
        saved = torch.load(
            whole if whole.exists() else folder / "reader.pt", map_location="cpu", weights_only=True
        )
        self.model.load_state_dict({name: weight.float() for name, weight in saved["model"].items()})
        self.heads.load_state_dict(torch.load(folder / "heads.pt", map_location="cpu", weights_only=True))
        self.curriculum = Curriculum(max(self.curriculum.level, saved["level"]))


def _write(content: object, target: Path) -> None:
    partial = target.with_suffix(".part")
    torch.save(content, partial)
    partial.replace(target)


def _compile(model: DeepseekOcrForConditionalGeneration) -> None:
    for layer in [*model.model.sam_model.layers, *model.model.vision_model.layers]:
        layer.compile(dynamic=False)


def _train(
    plan: PretrainingPlan,
    state: _State,
    step: ReaderStep,
    batches: Iterator[Batch],
    level: Any,  # noqa: ANN401 (a shared integer, which has no public type)
    device: torch.device,
) -> None:
    optimisers = Optimisers([state.model, state.heads], plan.learning_rate, warmup=200)
    begun = time.monotonic()
    pages, accuracies = 0, list[Tensor]()
    while (left := plan.seconds - (time.monotonic() - begun)) > 0:
        batch = next(batches).to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            output = step(batch, _disturbed(batch))
            loss = output.answer + sum(_HEAD_WEIGHTS[name] * value for name, value in output.dense.items())
        loss.backward()
        norm = optimisers.step(state.steps, min(1.0, left / plan.decay_seconds))
        state.steps += 1
        pages += len(batch.ids)
        if state.steps % _AVERAGE_EVERY == 0:
            state.update_average()
        if batch.level == state.curriculum.level:
            accuracies.append(output.accuracy)
        # Read together: each reading waits for the device.
        if len(accuracies) == _ACCURACIES_READ_AT_ONCE:
            for accuracy in torch.stack(accuracies).tolist():
                if state.curriculum.saw(state.curriculum.level, accuracy):
                    level.value = state.curriculum.level
                    _say(level=level.value, characters=LEVELS[level.value].characters, step=state.steps)
                    break
            accuracies.clear()
        if state.steps % plan.log_every == 0:
            _log(state, output, norm, pages, time.monotonic() - begun)


def _disturbed(batch: Batch) -> Tensor:
    """The sequences with some tokens of the answers replaced: what was written before is not always right."""
    replaced = (torch.rand(batch.ids.shape, device=batch.ids.device) < _REPLACED_SHARE) & (
        batch.labels >= _FIRST_WORD
    )
    others = torch.randint_like(batch.ids, _FIRST_WORD, reader_config().text_config.vocab_size)
    return torch.where(replaced, others, batch.ids)


def _log(state: _State, output: StepOutput, norm: Tensor, pages: int, seconds: float) -> None:
    _say(
        step=state.steps,
        seconds=round(seconds),
        pages=pages,
        level=state.curriculum.level,
        loss=round(output.answer.item(), 3),
        accuracy=round(state.curriculum.accuracy, 3),
        **{name: round(value.item(), 3) for name, value in output.dense.items()},
        norm=round(norm.item(), 2),
    )


def _measure_gates(plan: PretrainingPlan, state: _State, step: ReaderStep, device: torch.device) -> None:
    state.use_average()
    state.model.eval()
    tokenizer = OcrTokenizer(plan.tokenizer)
    maker = PageMaker(tokenizer, read_vocabulary(plan.held_out_texts), find_faces(plan.held_out_fonts))
    for name in SETS:
        batch, answers = make_set(name, maker, tokenizer, plan.gate_pages)
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            _say(gate=asdict(measure(step, name, batch.to(device), answers, tokenizer)))


def _say(**values: object) -> None:
    sys.stdout.write(json.dumps(values, ensure_ascii=False) + "\n")
    sys.stdout.flush()
