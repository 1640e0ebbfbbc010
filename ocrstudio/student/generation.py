"""Answers for pages: batched decoding with the rule, the budget and the ending that vLLM serves.

Prompts are padded on the left, so that pages of different tilings share a batch; every row keeps its own
positions. Greedy unless a temperature is asked for. Nothing is cut off in silence: an answer without an
end token is flagged as truncated, one that repeats itself as runaway.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn
from transformers import LogitsProcessorList, StoppingCriteria, StoppingCriteriaList

from ocrstudio.domain.errors import InputError
from ocrstudio.imaging import load_image
from ocrstudio.postprocess.repetition import find_runaway
from ocrstudio.settings.generation import DecodingConfig
from ocrstudio.student.ngram import WindowedNoRepeatNGram
from ocrstudio.student.processor import OcrProcessor
from ocrstudio.student.tokenizer import TABLE_CELLS

TRUNCATED = "truncated"
RUNAWAY = "runaway"

_STOP_INTERVAL = 8  # tokens between two looks at the stop request
_NO_RULE = 0


@dataclass(frozen=True)
class PageRequest:
    """A picture and what to do with it.

    Attributes:
        image: The picture file, or None for a prompt alone.
        prompt: From `ocrstudio.tasks.student_prompt`.
    """

    image: Path | None
    prompt: str


@dataclass(frozen=True)
class PageAnswer:
    """What the student wrote.

    Attributes:
        text: The answer with the model's tags.
        prompt_tokens: Positions of prompt and picture.
        tokens: Generated tokens, without the end token.
        flags: `TRUNCATED` and `RUNAWAY` where they apply.
        remarks: A clause for each flag.
        seconds: Share of the batch's time.
    """

    text: str
    prompt_tokens: int
    tokens: int
    flags: tuple[str, ...]
    remarks: tuple[str, ...]
    seconds: float


class GenerationStopped(Exception):  # noqa: N818 - not an error
    """The stop request came in the middle of a batch; its answers are not complete."""


class _StopRequest(StoppingCriteria):
    """Ends the decoding of a batch when the user asks to."""

    def __init__(self, should_stop: Callable[[], bool]) -> None:
        self._should_stop = should_stop
        self._steps = 0
        self.stopped = False

    def __call__(self, input_ids: Tensor, _scores: Any, **_: Any) -> Tensor:  # noqa: ANN401 - the library's
        self._steps += 1
        if self._steps % _STOP_INTERVAL == 0:
            self.stopped = self.stopped or self._should_stop()
        return torch.full((input_ids.shape[0],), self.stopped, device=input_ids.device, dtype=torch.bool)


class Generator:
    """Decodes pages with one model and one set of settings.

    Args:
        model: The student, plain or with an adapter.
        processor: Its processor.
        config: The ``generation`` section of a teacher, or the ``evaluation`` section of a training.
    """

    def __init__(self, model: nn.Module, processor: OcrProcessor, config: DecodingConfig) -> None:
        self._model = model.eval()
        self._processor = processor
        self._config = config
        self._positions = int(model.config.text_config.max_position_embeddings)
        self._check_rule()

    def _check_rule(self) -> None:
        size, window = self._config.no_repeat_ngram_size, self._config.no_repeat_ngram_window
        if size != _NO_RULE and not 2 <= size <= window:  # noqa: PLR2004 - one token alone is no n-gram
            raise InputError(
                f"generation.no_repeat_ngram_size {size} does not go with a window of {window} tokens.",
                "Use 0 for no rule, otherwise 2 or more and at most no_repeat_ngram_window.",
            )

    def answer(
        self, pages: Sequence[PageRequest], should_stop: Callable[[], bool] | None = None
    ) -> list[PageAnswer]:
        """Decode pages as one batch.

        Args:
            pages: At least one.
            should_stop: Asked every few tokens.

        Returns:
            One answer a page, in their order.

        Raises:
            InputError: A picture cannot be opened, or leaves no room for an answer.
            GenerationStopped: The stop request came.
        """
        started = time.perf_counter()
        samples = [self._processor.encode(_open(page), page.prompt) for page in pages]
        batch = self._processor.collate(samples, padding_side="left", with_labels=False)
        device = next(self._model.parameters()).device
        inputs = {name: value.to(device) for name, value in batch.items()}
        width = inputs["input_ids"].shape[1]
        stop = _StopRequest(should_stop or _never)
        budgets = [
            self._budget(page, len(sample.input_ids)) for page, sample in zip(pages, samples, strict=True)
        ]
        generated = self._generate(inputs, width, max(budgets), stop)
        if stop.stopped:
            raise GenerationStopped
        seconds = (time.perf_counter() - started) / len(pages)
        rows = generated[:, width:].tolist()
        return [
            self._read(row[:budget], len(sample.input_ids), seconds)
            for row, budget, sample in zip(rows, budgets, samples, strict=True)
        ]

    def _budget(self, page: PageRequest, length: int) -> int:
        """Tokens that a page's answer may have: what was asked for, as far as the context reaches.

        It depends on the page alone, so that an answer is the same in any batch.
        """
        room = self._positions - length
        if room < 1:
            raise InputError(
                f"The prompt of {page.image} takes {length} positions of {self._positions}; "
                "no room is left for an answer.",
                "Use a smaller image preset or fewer tiles.",
            )
        return min(self._config.max_tokens, room)

    def _generate(self, inputs: dict[str, Tensor], width: int, budget: int, stop: _StopRequest) -> Tensor:
        tokenizer = self._processor.tokenizer
        rules = LogitsProcessorList()
        if self._config.no_repeat_ngram_size != _NO_RULE:
            rules.append(
                WindowedNoRepeatNGram(
                    self._config.no_repeat_ngram_size,
                    self._config.no_repeat_ngram_window,
                    width,
                    self._whitelist(),
                )
            )
        sampling: dict[str, Any] = {"do_sample": False}
        if self._config.temperature > 0:
            sampling = {"do_sample": True, "temperature": self._config.temperature, "top_k": 0, "top_p": 1.0}
        with torch.inference_mode():
            return self._model.generate(
                **inputs,
                **sampling,
                max_new_tokens=budget,
                eos_token_id=tokenizer.eos_id,
                pad_token_id=tokenizer.pad_id,
                logits_processor=rules,
                stopping_criteria=StoppingCriteriaList([stop]),
            )

    def _whitelist(self) -> tuple[int, ...]:
        """The configured tokens; another vocabulary (micro) has its table cells under other ids."""
        tokenizer = self._processor.tokenizer
        configured = self._config.whitelist_token_ids
        known = tuple(token for token in configured if token < tokenizer.vocabulary_size)
        return tokenizer.ids_of(TABLE_CELLS) if configured and not known else known

    def _read(self, ids: list[int], prompt_tokens: int, seconds: float) -> PageAnswer:
        tokenizer = self._processor.tokenizer
        ended = tokenizer.eos_id in ids
        count = ids.index(tokenizer.eos_id) if ended else len(ids)
        text = tokenizer.decode(ids[:count])
        flags, remarks = [], []
        if not ended:
            flags.append(TRUNCATED)
            remarks.append(f"the answer was cut off after {count} tokens")
        runaway = find_runaway(text)
        if runaway:
            flags.append(RUNAWAY)
            remarks.append(runaway)
        return PageAnswer(text, prompt_tokens, count, tuple(flags), tuple(remarks), seconds)


def _open(page: PageRequest) -> list[Image.Image]:
    return [] if page.image is None else [load_image(page.image)]


def _never() -> bool:
    return False
