"""What a dataset looks like to the student: lengths, samples that do not fit, repetitions, leakage."""

import importlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ocrstudio.datasets import Columns, Sample, read_dataset
from ocrstudio.datasets.checks import Finding, FindingKind, check_leakage, check_samples
from ocrstudio.domain.embedded import READER_MODEL, model_folder
from ocrstudio.domain.errors import InputError
from ocrstudio.domain.page_files import document_of_file
from ocrstudio.imaging.presets import ImageSettings
from ocrstudio.imaging.size import picture_size, reader_threads
from ocrstudio.imaging.views import count_placeholders
from ocrstudio.paths import resources_dir
from ocrstudio.postprocess.repetition import find_runaway

TOKENS = "tokens"
CHARACTERS = "characters"
COUNTED: Mapping[str, str] = {
    "duplicate": "duplicates",
    "conflict": "contradictions",
    "unreadable": "pictures that cannot be opened",
    "truncated": "too long for training",
    "runaway": "endless repetitions",
    "shared_picture": "pictures also in the evaluation set",
    "shared_document": "documents also in the evaluation set",
}
"""What is counted in `DatasetCheck.counts`, in words, in the order in which it is shown."""

_BUCKETS = 12
_PICTURE = "<image>"

Counting = Callable[[str], int]


@dataclass(frozen=True)
class Bucket:
    """A bar of a histogram: how many answers have a length from ``first`` to ``last``."""

    first: int
    last: int
    count: int


@dataclass(frozen=True)
class Lengths:
    """How long the answers are, in tokens of the student, or in characters without its tokenizer."""

    unit: str
    shortest: int
    median: int
    p95: int
    longest: int
    histogram: tuple[Bucket, ...]


@dataclass(frozen=True)
class DatasetCheck:
    """A dataset file.

    Attributes:
        path: The file.
        summary: One sentence with the counts.
        samples: Usable lines.
        documents: Documents that their pictures come from, as far as the names tell.
        problems: Every line that is skipped or odd, as sentences.
        findings: Duplicates, contradictions, very long answers and what is shared with the evaluation set, as
            sentences.
        counts: Number of findings by kind, and of samples too long for training or repeating themselves.
        lengths: Of the answers; None without samples.
    """

    path: str
    summary: str
    samples: int
    documents: int
    problems: tuple[str, ...]
    findings: tuple[str, ...]
    counts: dict[str, int]
    lengths: Lengths | None


def check_dataset_file(
    path: Path,
    *,
    model: str = READER_MODEL,
    image: ImageSettings | None = None,
    max_length: int | None = None,
    evaluation: Path | None = None,
    columns: Columns | None = None,
) -> DatasetCheck:
    """Read a dataset and sum it up.

    Args:
        path: A dataset of any form, file or folder.
        model: Whose tokens are counted: a model folder, or the word of an embedded student.
        image: How pages are cut into views; with it and `max_length`, samples that training would leave out
            are counted.
        max_length: Most tokens of a sample.
        evaluation: The dataset that is evaluated on; pictures and documents in both are findings.
        columns: Where picture and text stand in both, as the user said.

    Raises:
        DatasetError: A file cannot be read at all.
    """
    dataset = read_dataset(path, columns=columns)
    samples = dataset.samples
    count = token_counter(model)
    lengths = [sum((count or len)(turn.answer) for turn in sample.turns) for sample in samples]
    with ThreadPoolExecutor(reader_threads()) as readers:
        sizes = list(readers.map(_sizes, samples))
    findings = check_samples(samples)
    findings += [
        Finding(FindingKind.UNREADABLE, (sample.line,), sample.image_name)
        for sample, pictures in zip(samples, sizes, strict=True)
        if pictures is None
    ]
    if evaluation is not None:
        findings += check_leakage(samples, read_dataset(evaluation, columns=columns).samples)
    counts = dict.fromkeys((kind.name.lower() for kind in _counted(evaluation)), 0)
    counts |= Counter(finding.kind.name.lower() for finding in findings)
    counts["runaway"] = sum(
        any(find_runaway(turn.answer) is not None for turn in sample.turns) for sample in samples
    )
    if count is not None and image is not None and max_length is not None:
        counts["truncated"] = sum(
            sum(count_placeholders(*size, image) for size in pictures) + _other_tokens(sample, count) + length
            > max_length
            for sample, length, pictures in zip(samples, lengths, sizes, strict=True)
            if pictures is not None
        )
    return DatasetCheck(
        path=str(path),
        summary=dataset.summary(),
        samples=len(samples),
        documents=len({document_of_file(sample.image_name) or sample.image_name for sample in samples}),
        problems=tuple(map(str, dataset.problems)),
        findings=tuple(map(str, _by_weight(findings))),
        counts=counts,
        lengths=_lengths(lengths, CHARACTERS if count is None else TOKENS) if lengths else None,
    )


def token_counter(model: str) -> Counting | None:
    """What counts the tokens of a text as the student's tokenizer does, without torch.

    Args:
        model: A model folder, or the word of an embedded student.

    Returns:
        None where the tokenizer's file or the package ``tokenizers`` is missing.
    """
    file = model_folder(model, resources_dir()) / "tokenizer.json"
    try:
        library = importlib.import_module("tokenizers")
    except ImportError:
        return None
    if not file.is_file():
        return None
    try:
        tokenizer = library.Tokenizer.from_file(str(file))
    except Exception:  # noqa: BLE001 - the library raises nothing narrower; characters are counted instead
        return None
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)


def _counted(evaluation: Path | None) -> list[FindingKind]:
    """Kinds that are looked for; a count of zero is news, too."""
    shared = (FindingKind.SHARED_PICTURE, FindingKind.SHARED_DOCUMENT)
    return [kind for kind in FindingKind if evaluation is not None or kind not in shared]


def _by_weight(findings: list[Finding]) -> list[Finding]:
    """What makes figures lie comes before what is only odd."""
    order = [
        FindingKind.SHARED_PICTURE,
        FindingKind.SHARED_DOCUMENT,
        FindingKind.CONFLICT,
        FindingKind.UNREADABLE,
    ]
    return sorted(findings, key=lambda finding: (finding.kind not in order, finding.lines))


def _sizes(sample: Sample) -> list[tuple[int, int]] | None:
    """Width and height of the pictures, or None where training and evaluation cannot open one either."""
    try:
        return [picture_size(picture) for picture in sample.images]
    except InputError:
        return None


def _other_tokens(sample: Sample, count: Counting) -> int:
    """Tokens of the questions, the first of the sequence, and the last of each answer."""
    asked = sum(count(turn.question.replace(_PICTURE, "")) for turn in sample.turns)
    return asked + 1 + len(sample.turns)


def _lengths(lengths: Sequence[int], unit: str) -> Lengths:
    ordered = sorted(lengths)
    last = len(ordered) - 1
    width = max(1, -(-(ordered[-1] - ordered[0] + 1) // _BUCKETS))
    bars = Counter((length - ordered[0]) // width for length in ordered)
    histogram = tuple(
        Bucket(first := ordered[0] + number * width, first + width - 1, bars[number])
        for number in range(max(bars) + 1)
    )
    median, p95 = ordered[len(ordered) // 2], ordered[round(0.95 * last)]
    return Lengths(unit, ordered[0], median, p95, ordered[-1], histogram)
