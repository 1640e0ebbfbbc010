"""Answers for pages: decoding with the rule, the budget and the ending that vLLM serves.

Pages wait in a queue and take a place in the decoder as others finish, so that one long page holds up nobody;
pictures are prepared meanwhile. Greedy unless a temperature is asked for. Nothing is cut off in silence: an
answer without an end token is flagged as truncated, one that repeats itself as runaway.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import nn

from ocrstudio.domain.errors import InputError
from ocrstudio.imaging import load_image
from ocrstudio.postprocess.repetition import find_runaway
from ocrstudio.settings.generation import DecodingConfig
from ocrstudio.student.decoder import SlotDecoder, TokenRule
from ocrstudio.student.processor import OcrProcessor, Sample
from ocrstudio.student.tokenizer import TABLE_CELLS

TRUNCATED = "truncated"
RUNAWAY = "runaway"

_CHUNK = 16  # tokens between two looks at what was decoded, and at the stop request
_PREFILL_PAGES = 8  # pages whose prompts are read at once
_PROMPT_ROOM = 2048  # positions for a prompt; nine tiles take 1,300
_MOST_ROWS = 64
_CPU_ROWS = 8
_MEMORY_SHARE = 0.8  # of what is free may be taken by keys and values
_PREPARERS = 4  # threads that open and cut pictures
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


@dataclass
class _Row:
    """A page that is being answered."""

    index: int
    prompt_tokens: int
    budget: int
    tokens: list[int] = field(default_factory=list)


class Generator:
    """Decodes pages with one model and one set of settings.

    Args:
        model: The student, plain or with an adapter.
        processor: Its processor.
        config: The ``generation`` section of a teacher, or the ``evaluation`` section of a training.
        rows: Most pages at once; None takes what memory allows.
    """

    def __init__(
        self, model: nn.Module, processor: OcrProcessor, config: DecodingConfig, rows: int | None = None
    ) -> None:
        self._model = model.eval()
        self._rows = rows
        self._decoder: SlotDecoder | None = None
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
        """Decode pages together.

        Args:
            pages: At least one.
            should_stop: Asked every few tokens.

        Returns:
            One answer a page, in their order.

        Raises:
            InputError: A picture cannot be opened, or leaves no room for an answer.
            GenerationStopped: The stop request came.
        """
        answers: dict[int, PageAnswer] = {}
        for index, answer in self.stream(pages, should_stop):
            if isinstance(answer, InputError):
                raise answer
            answers[index] = answer
        return [answers[index] for index in range(len(pages))]

    def stream(
        self, pages: Sequence[PageRequest], should_stop: Callable[[], bool] | None = None
    ) -> Iterator[tuple[int, PageAnswer | InputError]]:
        """Decode pages, each of them as soon as there is a place for it.

        Args:
            pages: In the order in which they are begun.
            should_stop: Asked every few tokens.

        Yields:
            The number of a page and its answer, or why there is none, as they are ready.

        Raises:
            GenerationStopped: The stop request came; pages that were not finished have no answer.
        """
        positions = min(self._positions, self._config.max_tokens + _PROMPT_ROOM)
        with ThreadPoolExecutor(_PREPARERS) as preparers:
            queue = _Queue(pages, lambda page: preparers.submit(self._prepare, page))
            decoder = self._place(len(pages), positions)
            yield from _Session(self, decoder, queue, should_stop or _never).run()
            if queue.oversized:
                decoder = self._place(len(queue.oversized), self._positions)
                queue.waiting.extend(queue.oversized)
                yield from _Session(self, decoder, queue, should_stop or _never).run()

    def _prepare(self, page: PageRequest) -> Sample:
        return self._processor.encode(_open(page), page.prompt)

    def _place(self, pages: int, positions: int) -> SlotDecoder:
        """The decoder of the last call when it is large enough, else a new one."""
        wanted = self._wanted_slots(pages, positions)
        held = self._decoder
        if held is not None and held.slots >= wanted and held.positions >= positions:
            return held
        self._decoder = held = None  # its memory is free before the new one takes some
        on_gpu = self._device().type == "cuda"
        packed = any(parameter.dtype == torch.uint8 for parameter in self._model.parameters())
        self._decoder = decoder = SlotDecoder(
            self._model,
            slots=wanted,
            positions=positions,
            chunk=min(_CHUNK, self._config.max_tokens),
            rule=self._rule(),
            record=on_gpu and not packed,
        )
        return decoder

    def _wanted_slots(self, pages: int, positions: int) -> int:
        rows = min(pages, self._rows or _MOST_ROWS)
        if self._device().type != "cuda":
            return max(1, min(rows, self._rows or _CPU_ROWS))
        room = torch.cuda.mem_get_info()[0] * _MEMORY_SHARE
        fitting = int(room / (positions * SlotDecoder.bytes_per_position(self._model)))
        return max(1, min(_power_of_two(rows), fitting))

    def _device(self) -> torch.device:
        return next(self._model.parameters()).device

    def _rule(self) -> TokenRule:
        size = self._config.no_repeat_ngram_size
        window = self._config.no_repeat_ngram_window if size != _NO_RULE else 1
        return TokenRule(self._config.temperature, size, window, self._whitelist())

    def budget(self, page: PageRequest, length: int) -> int:
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

    def inputs(self, samples: Sequence[Sample]) -> dict[str, Any]:
        """A batch for reading prompts, on the device; padded on the right, it needs no mask."""
        batch = self._processor.collate(samples, padding_side="right", with_labels=False)
        del batch["attention_mask"]
        grids = batch.pop("tile_grids", None)
        inputs: dict[str, Any] = {name: value.to(self._device()) for name, value in batch.items()}
        return inputs if grids is None else {**inputs, "tile_grids": grids}

    def is_complete(self, row: _Row) -> bool:
        """Whether a row has its end token or has used up its budget."""
        return len(row.tokens) >= row.budget or self._processor.tokenizer.eos_id in row.tokens

    def _whitelist(self) -> tuple[int, ...]:
        """The configured tokens; another vocabulary (micro) has its table cells under other ids."""
        tokenizer = self._processor.tokenizer
        configured = self._config.whitelist_token_ids
        known = tuple(token for token in configured if token < tokenizer.vocabulary_size)
        return tokenizer.ids_of(TABLE_CELLS) if configured and not known else known

    def read(self, ids: list[int], prompt_tokens: int, seconds: float) -> PageAnswer:
        """The answer that ids stand for, with its flags."""
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


class _Queue:
    """Pages that wait, some of them already being prepared."""

    def __init__(self, pages: Sequence[PageRequest], submit: Callable[[PageRequest], Future[Sample]]) -> None:
        self.waiting = deque(enumerate(pages))
        self.oversized: list[tuple[int, PageRequest]] = []
        self._ready: deque[tuple[int, PageRequest, Future[Sample]]] = deque()
        self._submit = submit

    def __bool__(self) -> bool:
        return bool(self.waiting or self._ready)

    def take(self, ahead: int) -> tuple[int, PageRequest, Future[Sample]]:
        """The next page; the ones behind it are begun to be prepared."""
        while self.waiting and len(self._ready) <= ahead:
            index, page = self.waiting.popleft()
            self._ready.append((index, page, self._submit(page)))
        return self._ready.popleft()


class _Session:
    """One pass over a queue with a decoder."""

    def __init__(
        self, generator: Generator, decoder: SlotDecoder, queue: _Queue, should_stop: Callable[[], bool]
    ) -> None:
        self._generator = generator
        self._decoder = decoder
        self._queue = queue
        self._should_stop = should_stop
        self._rows: dict[int, _Row] = {}
        self._clock = time.perf_counter()

    def run(self) -> Iterator[tuple[int, PageAnswer | InputError]]:
        """Answers as they are ready."""
        try:
            while self._queue or self._rows:
                yield from self._fill()
                if self._rows:
                    yield from self._finish()
                    self._step()
                if self._should_stop():
                    raise GenerationStopped
            yield from self._finish()
        finally:
            for slot in self._rows:
                self._decoder.release(slot)

    def _fill(self) -> Iterator[tuple[int, PageAnswer | InputError]]:
        """Put pages into free slots."""
        free = [slot for slot in range(self._decoder.slots) if slot not in self._rows]
        while free and self._queue:
            batch: list[tuple[int, PageRequest, Sample]] = []
            while self._queue and len(batch) < min(len(free), _PREFILL_PAGES):
                index, page, future = self._queue.take(ahead=2 * _PREFILL_PAGES)
                try:
                    sample = future.result()
                    budget = self._generator.budget(page, len(sample.input_ids))
                except InputError as error:
                    yield index, error
                    continue
                if len(sample.input_ids) + budget > self._decoder.positions:
                    self._queue.oversized.append((index, page))
                    continue
                batch.append((index, page, sample))
            if batch:
                self._prefill(free[: len(batch)], batch)
                free = free[len(batch) :]

    def _prefill(self, slots: list[int], batch: list[tuple[int, PageRequest, Sample]]) -> None:
        samples = [sample for _, _, sample in batch]
        lengths = [len(sample.input_ids) for sample in samples]
        first = self._decoder.prefill(slots, self._generator.inputs(samples), lengths)
        for slot, (index, page, _), length, token in zip(slots, batch, lengths, first, strict=True):
            self._rows[slot] = _Row(index, length, self._generator.budget(page, length), [token])

    def _step(self) -> None:
        """Take some tokens with every row."""
        if not self._rows:
            return
        self._close_gaps()
        rows = min(_power_of_two(max(self._rows) + 1), self._decoder.slots)
        produced = self._decoder.decode(rows)
        for slot, row in self._rows.items():
            row.tokens += produced[slot]

    def _close_gaps(self) -> None:
        """Move rows together when fewer of them then take part in a step."""
        last = max(self._rows)
        if _power_of_two(len(self._rows)) >= _power_of_two(last + 1):
            return
        free = [slot for slot in range(len(self._rows)) if slot not in self._rows]
        for target, source in zip(free, sorted(self._rows, reverse=True), strict=False):
            self._decoder.move(source, target)
            self._rows[target] = self._rows.pop(source)

    def _finish(self) -> Iterator[tuple[int, PageAnswer | InputError]]:
        """Answers of the rows that have reached their end; their slots are free again."""
        done = {slot: row for slot, row in self._rows.items() if self._generator.is_complete(row)}
        now = time.perf_counter()
        for slot, row in done.items():
            del self._rows[slot]
            self._decoder.release(slot)
            seconds = (now - self._clock) / len(done)
            yield row.index, self._generator.read(row.tokens[: row.budget], row.prompt_tokens, seconds)
        if done:
            self._clock = now


def _open(page: PageRequest) -> list[Image.Image]:
    return [] if page.image is None else [load_image(page.image)]


def _never() -> bool:
    return False


def _power_of_two(number: int) -> int:
    return 1 << max(0, number - 1).bit_length()
