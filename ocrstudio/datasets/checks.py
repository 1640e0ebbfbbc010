"""Look for what spoils a training or makes an evaluation lie: duplicates, leakage, suspicious answers."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ocrstudio.datasets.reader import Sample
from ocrstudio.domain.errors import DatasetError
from ocrstudio.domain.page_files import document_of_file
from ocrstudio.settings.files import file_sha256

_MORE = "\0more"
LONG_ANSWER = 20_000
"""Characters; about 6,000 tokens of English, close to what fits beside a page in 8,192 tokens."""


class FindingKind(StrEnum):
    """What was found."""

    DUPLICATE = "the same picture and question more than once"
    CONFLICT = "the same picture and question with different answers"
    LONG_ANSWER = "a very long answer"
    UNREADABLE = "a picture that cannot be opened"
    SHARED_PICTURE = "a picture in both training and evaluation"
    SHARED_DOCUMENT = "a document in both training and evaluation"


@dataclass(frozen=True)
class Finding:
    """One observation.

    Attributes:
        kind: What it is.
        lines: Line numbers; for what is shared, first those of training, then those of evaluation.
        subject: The picture or document it is about.
    """

    kind: FindingKind
    lines: tuple[int, ...]
    subject: str

    def __str__(self) -> str:
        shown = ", ".join(map(str, self.lines[:5])) + (", …" if len(self.lines) > 5 else "")  # noqa: PLR2004
        return f"{self.subject}: {self.kind.value} ({'lines' if len(self.lines) > 1 else 'line'} {shown})"


def image_sha256(path: Path) -> str:
    """Hash of a picture file.

    Raises:
        DatasetError: It cannot be read.
    """
    try:
        return file_sha256(path)
    except OSError as error:
        raise DatasetError(f"The image {path} cannot be read: {error.strerror}.") from error


def dataset_sha256(samples: Iterable[Sample]) -> str:
    """Hash of what a training would see.

    Pictures, questions and answers in their order count; names, folders and the form of the file do not.

    Raises:
        DatasetError: A picture cannot be read.
    """
    digest = hashlib.sha256()
    for sample in samples:
        parts = [image_sha256(sample.image), sample.prompt, sample.answer]
        # A sample of one page has three parts; what follows is marked, so that two samples are not one.
        for image in sample.more_images:
            parts += [_MORE, image_sha256(image)]
        for turn in sample.more_turns:
            parts += [_MORE, turn.question, turn.answer]
        for part in parts:
            digest.update(hashlib.sha256(part.encode()).digest())
    return digest.hexdigest()


def check_samples(samples: Sequence[Sample]) -> list[Finding]:
    """Duplicates, contradictions and very long answers within one dataset.

    Raises:
        DatasetError: A picture cannot be read.
    """
    groups: dict[tuple[str, ...], list[Sample]] = defaultdict(list)
    for sample in samples:
        pictures = tuple(map(image_sha256, sample.images))
        groups[*pictures, *(turn.question for turn in sample.turns)].append(sample)
    findings: list[Finding] = []
    for group in groups.values():
        if len(group) > 1:
            same = len({tuple(turn.answer for turn in sample.turns) for sample in group}) == 1
            kind = FindingKind.DUPLICATE if same else FindingKind.CONFLICT
            findings.append(Finding(kind, tuple(sample.line for sample in group), group[0].image_name))
    findings += [
        Finding(FindingKind.LONG_ANSWER, (sample.line,), sample.image_name)
        for sample in samples
        if max(len(turn.answer) for turn in sample.turns) > LONG_ANSWER
    ]
    return findings


def check_leakage(train: Sequence[Sample], evaluation: Sequence[Sample]) -> list[Finding]:
    """Pictures and documents that are on both sides of a split: they make an evaluation look too good.

    Raises:
        DatasetError: A picture cannot be read.
    """
    pictures = _shared(
        FindingKind.SHARED_PICTURE,
        [(image_sha256(image), sample) for sample in train for image in sample.images],
        [(image_sha256(image), sample) for sample in evaluation for image in sample.images],
    )
    documents = _shared(
        FindingKind.SHARED_DOCUMENT,
        [(name, sample) for sample in train if (name := document_of_file(sample.image_name))],
        [(name, sample) for sample in evaluation if (name := document_of_file(sample.image_name))],
    )
    return pictures + documents


def _shared(
    kind: FindingKind, train: Sequence[tuple[str, Sample]], evaluation: Sequence[tuple[str, Sample]]
) -> list[Finding]:
    left: dict[str, list[Sample]] = defaultdict(list)
    right: dict[str, list[Sample]] = defaultdict(list)
    for key, sample in train:
        left[key].append(sample)
    for key, sample in evaluation:
        right[key].append(sample)
    return [
        Finding(
            kind,
            tuple(sample.line for sample in left[key] + right[key]),
            key if kind is FindingKind.SHARED_DOCUMENT else left[key][0].image_name,
        )
        for key in left
        if key in right
    ]
