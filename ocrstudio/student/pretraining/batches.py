"""Batches of pages of one shape, made by worker processes without end."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from ocrstudio.student.modeling.loss import IGNORE_INDEX
from ocrstudio.student.pretraining.levels import LEVELS, Grid
from ocrstudio.student.pretraining.pages import PageMaker, ReaderPage, find_faces
from ocrstudio.student.pretraining.targets import READER_TOKENS
from ocrstudio.student.tokenizer import OcrTokenizer
from ocrstudio.synthesis.vocabulary import read_vocabulary

_LENGTH_STEP = 64
# Pages of the present level, of the next one, and (the rest) of those before.
_CURRENT_SHARE = 0.65
_NEXT_SHARE = 0.2
_SPREAD = 3
SORTED_BATCHES = 4


@dataclass(frozen=True)
class Batch:
    """Pages of one shape; all tensors have the pages first.

    Attributes:
        pixels: uint8 [pages, height, width].
        cells: uint8 [pages, height / 16, width / 8].
        ids: Whole sequences, padded on the right, [pages, length].
        labels: -100 outside answers, [pages, length].
        places: Image position of each answer token, or -100, [pages, length].
        slots: Slot of each answer token, or -100, [pages, length].
        first_tokens: For each image position the first token that is read there, or -100.
        grid: Tiles of every page.
        level: Level of the pages.
    """

    pixels: Tensor
    cells: Tensor
    ids: Tensor
    labels: Tensor
    places: Tensor
    slots: Tensor
    first_tokens: Tensor
    grid: Grid
    level: int

    @property
    def image_positions(self) -> int:
        """Positions of the picture; they stand behind the first token."""
        return self.first_tokens.shape[1]

    def to(self, device: torch.device) -> "Batch":
        """The same on a device."""
        return self._mapped(lambda tensor: tensor.to(device, non_blocking=True))

    def pin_memory(self) -> "Batch":
        """The same in memory that a device copies from by itself; `DataLoader` calls it."""
        return self._mapped(Tensor.pin_memory)

    def _mapped(self, change: Callable[[Tensor], Tensor]) -> "Batch":
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return Batch(**{k: change(v) if isinstance(v, Tensor) else v for k, v in values.items()})


def image_positions(grid: Grid) -> int:
    """Positions of a tiled page: its rows with their newlines, the overview's, and the separator."""
    columns, rows = grid[0] * READER_TOKENS, grid[1] * READER_TOKENS
    return (columns + 1) * rows + (READER_TOKENS + 1) * READER_TOKENS + 1


def collate(pages: Sequence[ReaderPage], grid: Grid, level: int, tokenizer: OcrTokenizer) -> Batch:
    """Join pages of one shape."""
    positions = image_positions(grid)
    prefixes = [
        [tokenizer.bos_id, *[tokenizer.image_id] * positions, *tokenizer.encode(page.prompt)]
        for page in pages
    ]
    longest = max(len(prefix) + len(page.ids) + 1 for prefix, page in zip(prefixes, pages, strict=True))
    length = -(-longest // _LENGTH_STEP) * _LENGTH_STEP
    ids = torch.full((len(pages), length), tokenizer.pad_id)
    labels, places, slots = (torch.full((len(pages), length), IGNORE_INDEX) for _ in range(3))
    first = torch.full((len(pages), positions), IGNORE_INDEX)
    for row, (prefix, page) in enumerate(zip(prefixes, pages, strict=True)):
        start, stop = len(prefix), len(prefix) + len(page.ids)
        ids[row, : stop + 1] = torch.tensor([*prefix, *page.ids, tokenizer.eos_id])
        labels[row, start : stop + 1] = ids[row, start : stop + 1]
        places[row, start:stop] = torch.tensor(page.places)
        slots[row, start:stop] = torch.tensor(page.slots)
        for token, place in zip(reversed(page.ids), reversed(page.places), strict=True):
            if place >= 0:
                first[row, place] = token
    return Batch(
        pixels=torch.from_numpy(np.stack([page.pixels for page in pages])),
        cells=torch.from_numpy(np.stack([page.cells for page in pages])),
        ids=ids,
        labels=labels,
        places=places,
        slots=slots,
        first_tokens=first,
        grid=grid,
        level=level,
    )


class PageStream(IterableDataset):
    """Batches without end, each of about the same number of views.

    Args:
        tokenizer: Folder of the tokenizer.
        texts: Word lists and texts.
        fonts: Folder of fonts.
        level: Shared with the trainer, which raises it.
        views: Views (tiles and overviews) of a batch.
        seed: Every worker continues from another one.
    """

    def __init__(
        self,
        tokenizer: Path,
        texts: Sequence[Path],
        fonts: Path,
        level: "Synchronized[int]",
        views: int,
        seed: int,
    ) -> None:
        super().__init__()
        self._tokenizer, self._texts, self._fonts = tokenizer, tuple(texts), fonts
        self._level, self._views, self._seed = level, views, seed

    def __iter__(self) -> Iterator[Batch]:
        """Pages of the present level, of the one behind it, and some of the levels before."""
        torch.set_num_threads(1)
        worker = get_worker_info()
        source = random.Random(f"{self._seed}/{worker.id if worker else 0}")  # noqa: S311 (pages, not secrets)
        tokenizer = OcrTokenizer(self._tokenizer)
        maker = PageMaker(tokenizer, read_vocabulary(self._texts), find_faces(self._fonts))
        batches = 1  # the first one is waited for
        while True:
            level = choose_level(source, self._level.value)
            grid = source.choice(LEVELS[level].grids)
            count = max(1, self._views // (grid[0] * grid[1] + 1))
            pages = [maker.make(source, LEVELS[level], grid) for _ in range(count * batches)]
            for group in by_length(source, pages, count):
                yield collate(group, grid, level, tokenizer)
            batches = SORTED_BATCHES


def choose_level(source: random.Random, current: int) -> int:
    """The level of the next batch while `current` is trained.

    The next level has its share from the beginning: what a student learns there it need not learn when it
    rises, and a level that is never left does not keep it from everything else.
    """
    chance = source.random()
    if chance < _NEXT_SHARE and current + 1 < len(LEVELS):
        return current + 1
    if chance < _NEXT_SHARE + _CURRENT_SHARE:
        return current
    return source.randint(max(0, current - _SPREAD), current)


def by_length(source: random.Random, pages: Sequence[ReaderPage], size: int) -> list[list[ReaderPage]]:
    """Batches of pages with answers of about the same length, in random order.

    A batch is as long as its longest answer, and random letters take three times the tokens of prose: without
    sorting half of the answers' positions are padding.
    """
    ordered = sorted(pages, key=lambda page: len(page.ids))
    batches = [ordered[start : start + size] for start in range(0, len(ordered), size)]
    source.shuffle(batches)
    return batches
