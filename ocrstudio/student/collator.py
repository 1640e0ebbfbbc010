"""Examples become batches: pictures are opened here, prompts masked, sequences padded on the right.

Nothing is skipped here. An example that cannot be used is found before the training (`preflight`); if a
picture disappears during it, the run ends with the sentence that names it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ocrstudio.imaging import load_image
from ocrstudio.imaging.size import picture_size
from ocrstudio.imaging.views import Views, count_placeholders
from ocrstudio.student.examples import Example, Length
from ocrstudio.student.modeling.loss import IGNORE_INDEX
from ocrstudio.student.processor import OcrProcessor, Sample


@dataclass(frozen=True)
class Conversation:
    """One sequence of one or more turns; fits `OcrProcessor.collate`.

    Attributes:
        input_ids: The whole sequence.
        labels: The ids of every answer and its end token; -100 on everything else.
        views: The prepared picture, if there is one.
    """

    input_ids: tuple[int, ...]
    labels: tuple[int, ...]
    views: tuple[Views, ...]


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
        conversations = [self.encode(example) for example in examples]
        batch: dict[str, Any] = dict(self.processor.collate(conversations, padding_side="right"))
        if "tile_grids" in batch:
            batch["tile_grids"] = [tuple(grid) for grid in batch["tile_grids"].tolist()]
        batch["token_count"] = sum(len(conversation.input_ids) for conversation in conversations)
        batch["answer_count"] = int((batch["labels"] != IGNORE_INDEX).sum())
        placeholders = batch["input_ids"] == self.processor.tokenizer.image_id
        batch["placeholder_counts"] = placeholders.sum(dim=1).tolist()
        batch["page_count"] = sum(len(conversation.views) for conversation in conversations)
        return batch

    def encode(self, example: Example) -> Conversation:
        """Build the sequence of one example; answers are labelled, everything else is masked.

        Raises:
            InputError: The picture cannot be opened.
        """
        images = [] if example.image is None else [load_image(example.image)]
        ids: list[int] = []
        labels: list[int] = []
        views: list[Views] = []
        for number, turn in enumerate(example.turns):
            sample = self.processor.encode(images if number == 0 else [], turn.prompt, turn.answer)
            start = 0 if number == 0 else 1  # only the conversation has a begin token, not every turn
            ids += sample.input_ids[start:]
            labels += _labels(sample)[start:]
            views += sample.views
        return Conversation(tuple(ids), tuple(labels), tuple(views))

    def measure(self, example: Example) -> Length:
        """How many positions an example takes; the picture's header is read, not its pixels.

        Raises:
            InputError: The picture is no picture.
        """
        sizes = [] if example.image is None else [picture_size(example.image)]
        image = sum(count_placeholders(*size, self.processor.image) for size in sizes)
        prompt = answer = 0
        for number, turn in enumerate(example.turns):
            turn_sizes = sizes if number == 0 else []
            asked = self.processor.measure(turn_sizes, turn.prompt)
            prompt += asked - (0 if number == 0 else 1)
            answer += self.processor.measure(turn_sizes, turn.prompt, turn.answer) - asked
        return Length(image, prompt - image, answer)


def _labels(sample: Sample) -> list[int]:
    masked = [IGNORE_INDEX] * sample.prompt_length
    return masked + list(sample.input_ids[sample.prompt_length :])
