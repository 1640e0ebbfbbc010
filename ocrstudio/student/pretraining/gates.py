"""What the reader can do, on pages whose fonts and texts it has never seen."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch

from ocrstudio.evaluation.metrics import count_character_edits, pooled
from ocrstudio.student.pretraining.batches import Batch, collate
from ocrstudio.student.pretraining.forward import ReaderStep
from ocrstudio.student.pretraining.levels import LEVELS, Grid, Level
from ocrstudio.student.pretraining.pages import PROMPTS, PageMaker
from ocrstudio.student.tokenizer import OcrTokenizer

_GRID: Grid = (2, 3)
_CARD = replace(LEVELS[-1], clean=1.0)
# The sets of a table of gates, and the level that their pages are made with.
SETS: Mapping[str, Level] = {
    "clean": _CARD,
    "degraded": replace(_CARD, clean=0.0),
    "random": replace(_CARD, weights={"random": 1.0}, headings=0.0),
    "short": replace(_CARD, characters=150),
}
_SEED = 7
_MOST_TOKENS = 1024


@dataclass(frozen=True)
class GateResult:
    """One set.

    Attributes:
        name: Of the set.
        pages: How many.
        cer: Character error rate over all pages, as a fraction.
        nll: Nats a token of the right text, with its own picture.
        swapped: The same with the picture of another page.
        example: The right text and the prediction of the first page.
    """

    name: str
    pages: int
    cer: float
    nll: float
    swapped: float
    example: tuple[str, str]


def make_set(name: str, maker: PageMaker, tokenizer: OcrTokenizer, count: int) -> tuple[Batch, list[str]]:
    """The pages of a set, the same for the same fonts and texts, and their labels."""
    source = random.Random(_SEED)  # noqa: S311 (pages, not secrets)
    pages = [maker.make(source, SETS[name], _GRID, PROMPTS[0]) for _ in range(count)]
    return collate(pages, _GRID, 0, tokenizer), [page.answer for page in pages]


@torch.inference_mode()
def measure(
    step: ReaderStep, name: str, batch: Batch, answers: Sequence[str], tokenizer: OcrTokenizer
) -> GateResult:
    """Read the pages of a set and compare.

    Args:
        step: The reader, in evaluation mode, on the batch's device.
        name: Of the set.
        batch: Its pages.
        answers: Their labels.
        tokenizer: Of the reader.
    """
    swapped = replace(batch, pixels=batch.pixels.roll(1, 0), overviews=batch.overviews.roll(1, 0))
    nll, wrong = (step(each).answer.item() for each in (batch, swapped))
    predictions = [tokenizer.decode(row).strip() for row in _generate(step, batch)]
    edits = [count_character_edits(truth, found) for truth, found in zip(answers, predictions, strict=True)]
    return GateResult(
        name,
        len(answers),
        pooled(edits).error_rate,
        nll,
        wrong,
        (answers[0], predictions[0]),
    )


def _generate(step: ReaderStep, batch: Batch) -> list[list[int]]:
    """Greedy answers; all prompts of the batch have one length."""
    start = int((batch.labels[0] >= 0).long().argmax())
    model = step.model
    features = list(step.image_features(batch))
    generated = model.generate(
        input_ids=batch.ids[:, :start],
        attention_mask=torch.ones_like(batch.ids[:, :start]),
        image_features=features,
        max_new_tokens=_MOST_TOKENS,
        do_sample=False,
        eos_token_id=model.config.eos_token_id,
        pad_token_id=model.config.pad_token_id,
    )
    return generated[:, start:].tolist()
