"""Examples become batches: pictures are opened here, prompts masked, sequences padded on the right.

Nothing is skipped here. An example that cannot be used is found before the training (`preflight`); if a
picture disappears during it, the run ends with the sentence that names it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from ocrstudio.imaging import load_image
from ocrstudio.imaging.size import picture_size
from ocrstudio.imaging.views import count_placeholders
from ocrstudio.student.examples import Example, Length
from ocrstudio.student.modeling.loss import IGNORE_INDEX
from ocrstudio.student.processor import OcrProcessor, Sample


class Features(Protocol):
    """Where features of pictures are kept."""

    def read(self, image: Path) -> Tensor:
        """[positions, hidden]."""
        ...


class Collator:
    """Callable that joins examples to the batch that the model takes.

    It holds no model and no device, so that worker processes of a data loader can copy it.

    Args:
        processor: Of the model, with the image settings of the run.

    Attributes:
        features: Features of all pictures, where they are kept; batches then hold them (``image_features``)
            in place of pixels.
    """

    def __init__(self, processor: OcrProcessor) -> None:
        self.processor = processor
        self.features: Features | None = None

    def __call__(self, examples: Sequence[Example]) -> dict[str, Any]:
        """Build a training batch.

        Returns:
            What `OcrProcessor.collate` returns, padded on the right. ``tile_grids`` is a list, which
            spares the model a wait for the device; so do ``answer_count`` (labelled tokens) and
            ``placeholder_counts`` (of every sample). ``token_count`` (without padding) and ``page_count``
            are for counters.

        Raises:
            InputError: A picture cannot be opened.
        """
        kept = self._kept(examples)
        if kept is None:
            samples = [self.encode(example) for example in examples]
        else:
            pairs = zip(examples, kept, strict=True)
            samples = [self._sequence(example, features) for example, features in pairs]
        batch: dict[str, Any] = dict(self.processor.collate(samples, padding_side="right"))
        if "tile_grids" in batch:
            batch["tile_grids"] = [tuple(grid) for grid in batch["tile_grids"].tolist()]
        batch["token_count"] = sum(len(sample.input_ids) for sample in samples)
        batch["answer_count"] = int((batch["labels"] != IGNORE_INDEX).sum())
        placeholders = batch["input_ids"] == self.processor.tokenizer.image_id
        batch["placeholder_counts"] = placeholders.sum(dim=1).tolist()
        batch["page_count"] = sum(len(example.images) for example in examples)
        if kept is not None and batch["page_count"]:
            batch["image_features"] = [features for own in kept for features in own]
        return batch

    def _kept(self, examples: Sequence[Example]) -> list[list[Tensor]] | None:
        """The features of the pictures of every example, where features are kept."""
        store = self.features
        return None if store is None else [list(map(store.read, example.images)) for example in examples]

    def _sequence(self, example: Example, features: Sequence[Tensor]) -> Sample:
        return self.processor.encode_without_pictures(
            list(map(len, features)), example.prompt, example.answer, example.more_turns
        )

    def encode(self, example: Example) -> Sample:
        """Build the sequence of one example; the answers are labelled, everything else is masked.

        Raises:
            InputError: A picture cannot be opened.
        """
        images = list(map(load_image, example.images))
        if example.augmentation is not None:
            images = [example.augmentation.apply(image) for image in images]
        return self.processor.encode(images, example.prompt, example.answer, example.more_turns)

    def measure(self, example: Example) -> Length:
        """How many positions an example takes; its pictures are read whole, so that a damaged one is found.

        Raises:
            InputError: A picture cannot be opened.
        """
        sizes = list(map(picture_size, example.images))
        image = sum(count_placeholders(*size, self.processor.image) for size in sizes)
        texts = (example.answer, *(turn.answer for turn in example.more_turns))
        answers = sum(map(self.processor.measure_answer, texts))
        total = self.processor.measure(sizes, example.prompt, example.answer, example.more_turns)
        return Length(image, total - image - answers, answers)
