"""What the reader can do on pages whose fonts and texts it has never seen, and what looking at that costs."""

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ocrstudio.evaluation.metrics import count_character_edits, pooled
from ocrstudio.student.decoder import SlotDecoder, TokenRule
from ocrstudio.student.modeling.model import DeepseekOcrForConditionalGeneration
from ocrstudio.student.pretraining.batches import Batch, collate
from ocrstudio.student.pretraining.forward import ReaderStep
from ocrstudio.student.pretraining.heads import DenseHeads
from ocrstudio.student.pretraining.levels import LEVELS, Grid, Level
from ocrstudio.student.pretraining.pages import PROMPTS, PageMaker
from ocrstudio.student.reader import reader_config
from ocrstudio.student.tokenizer import OcrTokenizer
from ocrstudio.student.weights import reset_rotary_frequencies

_GRID: Grid = (2, 3)
_CARD = replace(LEVELS[-1], clean=1.0)
SETS: Mapping[str, Level] = {
    "clean": _CARD,
    "degraded": replace(_CARD, clean=0.0),
    "random": replace(_CARD, weights={"random": 1.0}, headings=0.0),
    "tables": replace(_CARD, weights={"table": 0.7, "prose": 0.3}),
    "short": replace(_CARD, characters=150),
}
"""The sets of a table of gates, and the level that their pages are made with."""

_SEED = 7
_MOST_TOKENS = 1024
_CHUNK = 16
_SHARE = 0.03
_NO_RULE = TokenRule(temperature=0.0, ngram_size=0, ngram_window=1, whitelist=())


@dataclass(frozen=True)
class GateResult:
    """One set.

    Attributes:
        name: Of the set.
        pages: How many.
        nll: Nats a token of the right text, with its own picture.
        swapped: The same with the picture of another page.
        cer: Character error rate over all pages, as a fraction; None where nothing was read.
        example: The right text and the prediction of the first page.
    """

    name: str
    pages: int
    nll: float
    swapped: float
    cer: float | None = None
    example: tuple[str, str] = ("", "")


class Examiner:
    """Reads sets of pages with a copy of the reader, in the precision that it will be used with.

    Args:
        tokenizer: Of the reader.
        maker: With held-out fonts and texts.
        pages: Of each set, at least 2 for the swap.
        device: Of the copy: bfloat16 on a GPU, float32 elsewhere.
        names: Sets that are wanted.
    """

    def __init__(
        self,
        tokenizer: OcrTokenizer,
        maker: PageMaker,
        pages: int,
        device: torch.device,
        names: Sequence[str] = tuple(SETS),
    ) -> None:
        self._tokenizer = tokenizer
        self._sets = {name: _make_set(name, maker, tokenizer, max(2, pages)) for name in names}
        self._device = device
        config = reader_config()
        model = DeepseekOcrForConditionalGeneration(config).requires_grad_(False).eval()
        model.to(device, torch.bfloat16 if device.type == "cuda" else torch.float32)
        reset_rotary_frequencies(model)
        heads = DenseHeads(config.sam_config.output_channels, config.text_config.hidden_size)
        self._step = ReaderStep(model, heads, views=0)

    @torch.inference_mode()
    def examine(self, name: str, weights: Mapping[str, Tensor], *, read: bool = True) -> GateResult:
        """Measure one set.

        Args:
            name: Of the set.
            weights: By the names of the network's parameters.
            read: Whether answers are written, too; that takes most of the time.
        """
        for parameter_name, parameter in self._step.model.named_parameters():
            parameter.copy_(weights[parameter_name])
        batch, answers = self._sets[name]
        batch = batch.to(self._device)
        swapped = replace(batch, pixels=batch.pixels.roll(1, 0))
        nll, wrong = (self._step.answer(each).item() for each in (batch, swapped))
        result = GateResult(name, len(answers), nll, wrong)
        if not read:
            return result
        found = [self._tokenizer.decode(row).strip() for row in self._read(batch)]
        edits = [count_character_edits(truth, text) for truth, text in zip(answers, found, strict=True)]
        return replace(result, cer=pooled(edits).error_rate, example=(answers[0], found[0]))

    def _read(self, batch: Batch) -> list[list[int]]:
        """Greedy answers, none longer than half as much again as the longest right one."""
        start = int((batch.labels[0] >= 0).long().argmax())
        rows = len(batch.ids)
        most = min(_MOST_TOKENS, (batch.ids.shape[1] - start) * 3 // 2)
        decoder = SlotDecoder(
            self._step.model,
            slots=rows,
            positions=start + most + _CHUNK,
            chunk=_CHUNK,
            rule=_NO_RULE,
            record=False,
        )
        prompts = {
            "input_ids": batch.ids[:, :start],
            "image_features": list(self._step.image_features(batch)),
        }
        answers = [[token] for token in decoder.prefill(range(rows), prompts, [start] * rows)]
        end = self._tokenizer.eos_id
        while len(answers[0]) < most and not all(end in answer for answer in answers):
            produced = decoder.decode(rows)
            answers = [answer + tokens for answer, tokens in zip(answers, produced, strict=True)]
        return answers


class GateBudget:
    """Keeps what gates cost during a training below a share of its time."""

    def __init__(self) -> None:
        self._spent = 0.0
        self._last = 0.0

    def allows(self, elapsed: float) -> bool:
        """Whether another look, as long as the last one, is affordable after so many seconds."""
        return self._spent + self._last <= _SHARE * elapsed

    def since(self, begun: float) -> float:
        """Take what was spent since a moment of `time.monotonic`; returns it."""
        self._last = time.monotonic() - begun
        self._spent += self._last
        return self._last


def _make_set(name: str, maker: PageMaker, tokenizer: OcrTokenizer, count: int) -> tuple[Batch, list[str]]:
    """The pages of a set, the same for the same fonts and texts, and their labels."""
    source = random.Random(_SEED)  # noqa: S311 (pages, not secrets)
    pages = [maker.make(source, SETS[name], _GRID, PROMPTS[0]) for _ in range(count)]
    return collate(pages, _GRID, 0, tokenizer), [page.answer for page in pages]
