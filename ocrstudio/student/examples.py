"""Training examples: questions about pictures, and how long they are for the model."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ocrstudio.datasets import Sample, Turn
from ocrstudio.imaging.augmentation import Augmentation


@dataclass(frozen=True)
class Example:
    """What the student is trained on at once: mostly one question about one picture, and its answer.

    Attributes:
        prompt: The first question; it holds ``<image>`` for each of its pictures.
        answer: What the student shall say to it.
        image: The first picture, or None for text alone.
        name: How the picture is called in the dataset, for messages.
        line: Line of the dataset file, from 1.
        augmentation: How its pictures are degraded when they are opened, or None.
        more_images: Further pictures.
        more_turns: Further questions and answers.
    """

    prompt: str
    answer: str
    image: Path | None
    name: str
    line: int
    augmentation: Augmentation | None = None
    more_images: tuple[Path, ...] = ()
    more_turns: tuple[Turn, ...] = ()

    @property
    def images(self) -> tuple[Path, ...]:
        """All pictures, in the order of their ``<image>``."""
        return () if self.image is None else (self.image, *self.more_images)

    @classmethod
    def of(cls, sample: Sample) -> "Example":
        """The example of a dataset line."""
        return cls(
            sample.prompt,
            sample.answer,
            sample.image,
            sample.image_name,
            sample.line,
            more_images=sample.more_images,
            more_turns=sample.more_turns,
        )


@dataclass(frozen=True)
class Length:
    """Positions of an example in the model's sequence.

    Attributes:
        image: Placeholders of the pictures.
        prompt: Everything else that is masked: the beginning of the sequence and the questions.
        answer: Labelled tokens, the end of each answer included.
    """

    image: int
    prompt: int
    answer: int

    @property
    def total(self) -> int:
        """All positions."""
        return self.image + self.prompt + self.answer


@dataclass(frozen=True)
class LengthStatistics:
    """Distribution of sequence lengths in a dataset, in tokens."""

    samples: int
    shortest: int
    median: int
    p95: int
    longest: int
    answer_tokens: int

    @classmethod
    def of(cls, lengths: Sequence[Length]) -> "LengthStatistics":
        """Compute the statistics of at least one length."""
        totals = sorted(length.total for length in lengths)
        last = len(totals) - 1
        return cls(
            samples=len(totals),
            shortest=totals[0],
            median=totals[last // 2],
            p95=totals[round(0.95 * last)],
            longest=totals[-1],
            answer_tokens=sum(length.answer for length in lengths),
        )

    def sentence(self) -> str:
        """The statistics in words."""
        return (
            f"{self.samples} samples of {self.shortest} to {self.longest} tokens "
            f"(median {self.median}, 95 % up to {self.p95}), {self.answer_tokens} answer tokens in all"
        )
