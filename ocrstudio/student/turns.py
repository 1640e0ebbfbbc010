"""How a sample looks when its turn comes: degraded pages are different ones in each pass over the data."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from torch.utils.data import Dataset

from ocrstudio.imaging.augmentation import Augmentation
from ocrstudio.settings.train import TrainingConfig
from ocrstudio.student.examples import Example


class Turn(NamedTuple):
    """A sample's turn in a pass over the data.

    Attributes:
        sample: Which sample, from 0.
        epoch: Passes before this one.
    """

    sample: int
    epoch: int


class TrainingExamples(Dataset[Example]):
    """The examples of a training, degraded anew in each epoch where ``training.augment`` asks for it.

    The epoch comes with the index: processes that prepare batches keep the copy of the dataset that they
    were started with.

    Args:
        examples: In the order of the sampler's indices.
        config: Level and seed.
    """

    def __init__(self, examples: Sequence[Example], config: TrainingConfig) -> None:
        self._examples = examples
        self._config = config

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, turn: Turn) -> Example:
        example = self._examples[turn.sample]
        return replace(example, augmentation=augmentation_of(example, self._config, turn.epoch))


def augmentation_of(example: Example, config: TrainingConfig, epoch: int) -> Augmentation | None:
    """How the picture of an example is degraded in a pass; None where it is not.

    It hangs on the example's line and not on its index, which changes when a page before it is mended.
    """
    if config.augment == "off" or example.image is None:
        return None
    return Augmentation(config.augment, config.seed, epoch, example.line)
