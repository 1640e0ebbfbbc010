r"""Pictures, prompts and answers become samples, and samples become batches.

Training and inference build their sequences here and nowhere else:
``[begin] + placeholders + encode("\n" + prompt)``, in training followed by ``encode(answer) + [end]``, and so
on with further questions and answers: the model's own template has nothing between them.
Prompt and answer carry no blanks at their ends: an extra one is another token.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from PIL import Image
from torch import Tensor

from ocrstudio.datasets import Turn
from ocrstudio.domain.errors import InputError
from ocrstudio.imaging.presets import ImageSettings
from ocrstudio.imaging.views import Views, count_placeholders, prepare_views
from ocrstudio.student.modeling.loss import IGNORE_INDEX
from ocrstudio.student.tokenizer import IMAGE, OcrTokenizer

PaddingSide = Literal["left", "right"]

MAX_LENGTH = 8192
"""Positions that the public model was trained for."""


class SampleTooLongError(InputError):
    """A sample takes more positions than allowed; it is never shortened.

    Args:
        length: Positions of the sample.
        limit: Positions that are allowed.
    """

    def __init__(self, length: int, limit: int) -> None:
        super().__init__(
            f"The sample takes {length} positions, {limit} are allowed.",
            "Raise training.max_length (the model ends at 8192), lower image.max_tiles, or split the page.",
        )
        self.length = length
        self.limit = limit


class Sequenced(Protocol):
    """What a batch is made of: `Sample`, or anything with the same three."""

    @property
    def input_ids(self) -> Sequence[int]:
        """The whole sequence."""
        ...

    @property
    def labels(self) -> Sequence[int]:
        """What is to be learnt at each position; -100 for nothing."""
        ...

    @property
    def views(self) -> Sequence[Views]:
        """The pictures, in the order of their placeholders."""
        ...


@dataclass(frozen=True)
class Sample:
    """One sequence with its pictures.

    Attributes:
        input_ids: The whole sequence.
        answers: (first, behind the last) of the positions of each answer with its end token.
        views: The pictures, in the order of their placeholders.
    """

    input_ids: tuple[int, ...]
    answers: tuple[tuple[int, int], ...]
    views: tuple[Views, ...]

    @property
    def prompt_length(self) -> int:
        """Positions before the first answer."""
        return self.answers[0][0] if self.answers else len(self.input_ids)

    @property
    def labels(self) -> list[int]:
        """The ids of answers and their end tokens; -100 everywhere else."""
        labels = [IGNORE_INDEX] * len(self.input_ids)
        for first, behind in self.answers:
            labels[first:behind] = self.input_ids[first:behind]
        return labels


class OcrProcessor:
    """Builds samples and batches for one model and one image setting.

    Args:
        tokenizer: Of the model.
        image: Sides of the views, tiling and tile limit.
        max_length: Most positions of a sample.
        pixel_dtype: Type of the pixels in a batch.
    """

    def __init__(
        self,
        tokenizer: OcrTokenizer,
        image: ImageSettings,
        max_length: int = MAX_LENGTH,
        pixel_dtype: torch.dtype = torch.float32,
    ) -> None:
        self.tokenizer = tokenizer
        self.image = image
        self.max_length = max_length
        self.pixel_dtype = pixel_dtype

    def encode(
        self,
        images: Sequence[Image.Image],
        prompt: str,
        answer: str | None = None,
        more: Sequence[Turn] = (),
    ) -> Sample:
        r"""Build one sample.

        Args:
            images: RGB pictures (from `ocrstudio.imaging.load_image`), one for each ``<image>``.
            prompt: From `ocrstudio.tasks.student_prompt`, for example ``"<image>\nFree OCR."``.
            answer: What the model shall say; None for inference.
            more: Further questions and answers.

        Raises:
            InputError: The number of pictures and of ``<image>`` differs.
            SampleTooLongError: The sample takes more than `max_length` positions.
        """
        counts = [count_placeholders(*image.size, self.image) for image in images]
        ids, answers = self._sequence(counts, prompt, answer, more)
        self._check_length(len(ids))
        views = tuple(prepare_views(image, self.image) for image in images)
        if [view.placeholders for view in views] != counts:
            raise InputError("The placeholders of a sample do not fit its pictures.")
        return Sample(tuple(ids), answers, views)

    def encode_without_pictures(
        self, counts: Sequence[int], prompt: str, answer: str | None = None, more: Sequence[Turn] = ()
    ) -> Sample:
        """Build one sample whose pictures go another way than through the batch, as features.

        Args:
            counts: Placeholders of each picture.
            prompt: As in `encode`.
            answer: As in `encode`.
            more: As in `encode`.

        Raises:
            InputError: The number of pictures and of ``<image>`` differs.
            SampleTooLongError: The sample takes more than `max_length` positions.
        """
        ids, answers = self._sequence(counts, prompt, answer, more)
        self._check_length(len(ids))
        return Sample(tuple(ids), answers, ())

    def measure(
        self,
        sizes: Sequence[tuple[int, int]],
        prompt: str,
        answer: str | None = None,
        more: Sequence[Turn] = (),
    ) -> int:
        """Positions that a sample takes, from the (width, height) of its pictures; nothing is prepared.

        Raises:
            InputError: The number of pictures and of ``<image>`` differs.
        """
        counts = [count_placeholders(width, height, self.image) for width, height in sizes]
        return len(self._sequence(counts, prompt, answer, more)[0])

    def measure_answer(self, answer: str) -> int:
        """Positions that an answer takes with its end token."""
        return len(self._answer(answer))

    def _sequence(
        self, counts: Sequence[int], prompt: str, answer: str | None, more: Sequence[Turn]
    ) -> tuple[list[int], tuple[tuple[int, int], ...]]:
        """The ids of a sample, and where its answers are."""
        turns = [(prompt, answer), *((turn.question, turn.answer) for turn in more)]
        marks = sum(question.count(IMAGE) for question, _ in turns)
        if marks != len(counts):
            raise InputError(
                f"The prompt has {marks} {IMAGE} mark(s) for {len(counts)} picture(s).",
                f"A prompt about one picture starts with {IMAGE}.",
            )
        ids = [self.tokenizer.bos_id]
        answers = []
        left = iter(counts)
        for question, text in turns:
            first, *others = question.strip().split(IMAGE)
            ids += self.tokenizer.encode(first)
            for other in others:
                ids += [self.tokenizer.image_id] * next(left) + self.tokenizer.encode(other)
            if text is not None:
                learnt = self._answer(text)
                answers.append((len(ids), len(ids) + len(learnt)))
                ids += learnt
        return ids, tuple(answers)

    def _answer(self, answer: str) -> list[int]:
        return [*self.tokenizer.encode(answer.strip()), self.tokenizer.eos_id]

    def _check_length(self, length: int) -> None:
        if length > self.max_length:
            raise SampleTooLongError(length, self.max_length)

    def collate(
        self, samples: Sequence[Sequenced], *, padding_side: PaddingSide = "right", with_labels: bool = True
    ) -> dict[str, Tensor]:
        """Join samples to the batch that the model takes.

        Args:
            samples: At least one; with and without pictures, of any tiling.
            padding_side: ``right`` for training, ``left`` for generation.
            with_labels: Whether labels are wanted.

        Returns:
            ``input_ids``, ``attention_mask`` and (if wanted) ``labels`` [batch, length]; with pictures also
            ``pixel_values_global`` [pictures, 3, base, base], ``tile_grids`` [pictures, 2] and, if any
            picture is tiled, ``pixel_values_tiles`` [tiles, 3, tile, tile].
        """
        rows = [list(sample.input_ids) for sample in samples]
        ones = [[1] * len(row) for row in rows]
        batch = {
            "input_ids": _pad(rows, self.tokenizer.pad_id, padding_side),
            "attention_mask": _pad(ones, 0, padding_side),
        }
        if with_labels:
            batch["labels"] = _pad([list(sample.labels) for sample in samples], IGNORE_INDEX, padding_side)
        views = [view for sample in samples for view in sample.views]
        if views:
            batch |= self._pictures(views)
        return batch

    def _pictures(self, views: Sequence[Views]) -> dict[str, Tensor]:
        tiles = [torch.from_numpy(view.tiles) for view in views if len(view.tiles)]
        overviews = [torch.from_numpy(view.global_view) for view in views]
        pictures = {
            "pixel_values_global": torch.stack(overviews).to(self.pixel_dtype),
            "tile_grids": torch.tensor([[view.columns, view.rows] for view in views]),
        }
        if tiles:
            pictures["pixel_values_tiles"] = torch.cat(tiles).to(self.pixel_dtype)
        return pictures


def _pad(rows: Sequence[list[int]], value: int, side: PaddingSide) -> Tensor:
    length = max(len(row) for row in rows)
    padding = [[value] * (length - len(row)) for row in rows]
    pairs = zip(rows, padding, strict=True)
    return torch.tensor([fill + row if side == "left" else row + fill for row, fill in pairs])
