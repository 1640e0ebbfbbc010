"""Examples become batches: pictures are opened here, prompts masked, sequences padded on the right.

Nothing is skipped here. An example that cannot be used is found before the training (`preflight`); if a
picture disappears during it, the run ends with the sentence that names it.
"""

from collections.abc import Sequence
from typing import Any

from ocrstudio.imaging import load_image
from ocrstudio.imaging.size import picture_size
from ocrstudio.imaging.views import count_placeholders
from ocrstudio.student.examples import Example, Length
from ocrstudio.student.modeling.loss import IGNORE_INDEX
from ocrstudio.student.processor import OcrProcessor, Sample


class Collator:
    """Callable that joins examples to the batch that the model takes.

    It holds no model and no device, so that worker processes of a data loader can copy it.

    Args:
        processor: Of the model, with the image settings of the run.
    """

    def __init__(self, processor: OcrProcessor) -> None:
        self.processor = processor

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
        samples = [self.encode(example) for example in examples]
        batch: dict[str, Any] = dict(self.processor.collate(samples, padding_side="right"))
        if "tile_grids" in batch:
            batch["tile_grids"] = [tuple(grid) for grid in batch["tile_grids"].tolist()]
        batch["token_count"] = sum(len(sample.input_ids) for sample in samples)
        batch["answer_count"] = int((batch["labels"] != IGNORE_INDEX).sum())
        placeholders = batch["input_ids"] == self.processor.tokenizer.image_id
        batch["placeholder_counts"] = placeholders.sum(dim=1).tolist()
        batch["page_count"] = sum(len(sample.views) for sample in samples)
        return batch

    def encode(self, example: Example) -> Sample:
        """Build the sequence of one example; the answer is labelled, everything else is masked.

        Raises:
            InputError: The picture cannot be opened.
        """
        images = [] if example.image is None else [load_image(example.image)]
        return self.processor.encode(images, example.prompt, example.answer)

    def measure(self, example: Example) -> Length:
        """How many positions an example takes; the picture's header is read, not its pixels.

        Raises:
            InputError: The picture is no picture.
        """
        sizes = [] if example.image is None else [picture_size(example.image)]
        image = sum(count_placeholders(*size, self.processor.image) for size in sizes)
        asked = self.processor.measure(sizes, example.prompt)
        answered = self.processor.measure(sizes, example.prompt, example.answer)
        return Length(image, asked - image, answered - asked)
