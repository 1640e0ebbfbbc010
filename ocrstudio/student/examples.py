"""Training examples: a question about at most one picture, and how long it is for the model."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ocrstudio.datasets import Sample
from ocrstudio.imaging.augmentation import Augmentation


@dataclass(frozen=True)
class Example:
    """What the student is trained on at once: one question and its answer, as the dataset format has it.

    Attributes:
        prompt: The question; with a picture it holds ``<image>``.
        answer: What the student shall say.
        image: The picture, or None for text alone.
        name: How the picture is called in the dataset, for messages.
        line: Line of the dataset file, from 1.
        augmentation: How its picture is degraded when it is opened, or None.
    """

    prompt: str
    answer: str
    image: Path | None
    name: str
    line: int
    augmentation: Augmentation | None = None

    @classmethod
    def of(cls, sample: Sample) -> "Example":
        """The example of a dataset line."""
        return cls(sample.prompt, sample.answer, sample.image, sample.image_name, sample.line)


@dataclass(frozen=True)
class Length:
    """Positions of an example in the model's sequence.

    Attributes:
        image: Placeholders of the picture.
        prompt: Everything else that is masked: the beginning of the sequence and the question.
        answer: Labelled tokens, the end of sequence included.
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
