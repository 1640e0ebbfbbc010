"""In which order a training goes through its pages."""

from collections.abc import Iterator, Sequence

import torch
from torch.utils.data import Sampler

from ocrstudio.student.turns import Turn


class StepSampler(Sampler[Turn]):
    """Samples in a new random order each epoch, those of one optimiser step sorted by length.

    A micro-batch is padded to its longest page, so pages of similar length belong together. Only the pages
    of the same step change places: the loss of a step is a mean over all of its answer tokens, so its
    gradient stays what it was. Grouping over a whole epoch, as the library's sampler does, would save a
    little more, but some steps would have long pages only.

    Args:
        lengths: Positions of each page in the model's sequence.
        step_size: Pages of an optimiser step, over all micro-batches and processes.
        shuffle: Whether the order is random; otherwise the steps follow the data.
        seed: Of the order. The same seed and epoch give the same order in every process and after a resume.
    """

    def __init__(self, lengths: Sequence[int], step_size: int, *, shuffle: bool, seed: int) -> None:
        self._lengths = lengths
        self._step_size = step_size
        self._shuffle = shuffle
        self._seed = seed
        self._epoch = 0

    def __len__(self) -> int:
        return len(self._lengths)

    def set_epoch(self, epoch: int) -> None:
        """Choose the pass, before each of them."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[Turn]:
        epoch = self._epoch
        order = list(range(len(self._lengths)))
        if self._shuffle:
            generator = torch.Generator().manual_seed(self._seed + epoch)
            order = torch.randperm(len(order), generator=generator).tolist()
        for start in range(0, len(order), self._step_size):
            step = order[start : start + self._step_size]
            for index in sorted(step, key=self._lengths.__getitem__, reverse=True):
                yield Turn(index, epoch)
