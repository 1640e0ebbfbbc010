"""Measure the predictions of anything: another program, an API teacher, a model of yesterday; no torch."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ocrstudio.datasets import Dataset, Sample, read_dataset, read_records
from ocrstudio.domain.errors import DatasetError, InputError
from ocrstudio.domain.page_files import stem_of
from ocrstudio.evaluation.report import EvaluationReport, Pair, build_report, write

_MARKDOWN = (".md", ".markdown", ".txt")


@dataclass(frozen=True)
class ForeignResult:
    """What was measured.

    Attributes:
        report: The figures, as an evaluation of the student has them.
        remarks: Sentences about lines and predictions that were left out.
    """

    report: EvaluationReport
    remarks: tuple[str, ...]


def evaluate_predictions(
    dataset_file: Path, predictions: Path, output: Path, *, strict: bool = False
) -> ForeignResult:
    """Compare predictions with the answers of a dataset, and write the report.

    A prediction belongs to the page whose picture has its name: ``images/report_p1.png`` in the dataset, and
    ``report_p1.md`` in a folder or any picture called ``report_p1`` in a JSONL file. A page without one
    counts as an empty prediction.

    Args:
        dataset_file: JSONL file with the reference answers.
        predictions: JSONL file as ``infer`` writes it, or a folder of Markdown files, one a page.
        output: Report file.
        strict: Refuse a dataset with lines that would be skipped.

    Raises:
        DatasetError: The dataset or the predictions cannot be used, or do not belong together.
        InputError: The report cannot be written.
    """
    if output.is_dir():
        raise InputError(f"The output {output} is a folder.", "Name a file, such as results.json.")
    dataset = read_dataset(dataset_file, strict=strict)
    if not dataset.samples:
        raise DatasetError(f"{dataset_file} holds no page that can be evaluated.")
    texts = _by_name(predictions)
    names = Counter(stem_of(sample.image_name) for sample in dataset.samples)
    twice = next((name for name, count in names.items() if count > 1), None)
    if twice is not None:
        raise DatasetError(
            f"{dataset_file} has {names[twice]} pages called {twice}, so a prediction would fit several.",
            "Give every picture a name of its own.",
        )
    if not names.keys() & texts.keys():
        raise DatasetError(
            f"No prediction in {predictions} has the name of a page of {dataset_file}.",
            f"A page there is called {next(iter(names))}, a prediction {next(iter(texts))}.",
        )
    report = build_report(
        [_pair(sample, texts) for sample in dataset.samples],
        title=f"{dataset_file.stem}, {predictions.name}",
        system={"predictions": str(predictions.resolve())},
    )
    write(report, output)
    return ForeignResult(report, tuple(_remarks(dataset, predictions, len(texts.keys() - names.keys()))))


def _pair(sample: Sample, texts: Mapping[str, str]) -> Pair:
    name = sample.image_name
    return Pair.of_picture(name, sample.answer, texts.get(stem_of(name)), key=name)


def _remarks(dataset: Dataset, predictions: Path, unused: int) -> Iterator[str]:
    if dataset.problems:
        yield f"{dataset.path.name}: {dataset.summary()}."
    if unused:
        yield f"{unused} of the predictions in {predictions.name} belong to no page of the dataset."


def _by_name(predictions: Path) -> dict[str, str]:
    """Predicted texts by the name of their page."""
    found: dict[str, str] = {}
    for name, text in _from_folder(predictions) if predictions.is_dir() else _from_file(predictions):
        if found.setdefault(name, text) != text:
            raise DatasetError(
                f"{predictions} has two predictions called {name}.",
                "Leave only the one that is to be measured.",
            )
    if not found:
        raise DatasetError(
            f"{predictions} holds no prediction.",
            "Give a JSONL file as infer writes it, or a folder with one Markdown file a page.",
        )
    return found


def _from_folder(folder: Path) -> Iterator[tuple[str, str]]:
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        raise DatasetError(f"{folder} cannot be read: {error.strerror or error}.") from error
    for path in paths:
        if path.suffix.lower() in _MARKDOWN and path.is_file():
            yield path.stem, _read(path)


def _from_file(path: Path) -> Iterator[tuple[str, str]]:
    hint = "Predictions are lines of the dataset's own format; infer writes them with --format jsonl."
    for record in read_records(path, hint):
        yield stem_of(record.image), record.answer


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not UTF-8 (byte {error.start}).", "Save it as UTF-8.") from error
