"""Measure the predictions of anything: another program, an API teacher, a model of yesterday; no torch."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ocrstudio.datasets import Columns, Dataset, Sample, read_dataset
from ocrstudio.domain.errors import DatasetError, InputError
from ocrstudio.domain.page_files import page_of_file
from ocrstudio.evaluation.profiles import profile_of
from ocrstudio.evaluation.report import EvaluationReport, Pair, build_report, write
from ocrstudio.services.prediction_files import Predictions, page_name, read_predictions
from ocrstudio.settings.scoring import ScoringConfig


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
    dataset_file: Path,
    predictions: Path,
    output: Path,
    scoring: ScoringConfig,
    *,
    strict: bool = False,
    columns: Columns | None = None,
) -> ForeignResult:
    """Compare predictions with the answers of a dataset, and write the report.

    A prediction belongs to the page whose picture has its name: ``images/report_p1.png`` in the dataset, and
    ``report_p1.md`` in a folder, any picture called ``report_p1`` in a JSONL file, or page 1 of ``report`` in
    what `infer` wrote. Names compare in NFC. A page without a prediction counts as an empty one.

    Args:
        dataset_file: File or folder with the reference answers; an empty answer is a blank page.
        predictions: What `infer` wrote, or a folder of Markdown files, one a page.
        output: Report file.
        scoring: How texts are compared.
        strict: Refuse a dataset with lines that would be skipped.
        columns: Where picture and text stand, as the user said.

    Raises:
        DatasetError: The dataset or the predictions cannot be used, or do not belong together.
        InputError: The report cannot be written.
    """
    if output.is_dir():
        raise InputError(f"The output {output} is a folder.", "Name a file, such as results.json.")
    dataset = read_dataset(dataset_file, strict=strict, blank_pages=True, one_page=True, columns=columns)
    if not dataset.samples:
        raise DatasetError(f"{dataset_file} holds no page that can be evaluated.")
    names = Counter(page_name(sample.image_name) for sample in dataset.samples)
    twice = next((name for name, count in names.items() if count > 1), None)
    if twice is not None:
        raise DatasetError(
            f"{dataset_file} has {names[twice]} pages called {twice}, so a prediction would fit several.",
            "Give every picture a name of its own.",
        )
    found = read_predictions(predictions, names)
    _refuse_what_does_not_belong(dataset_file, predictions, names, found)
    report = build_report(
        [_pair(sample, found) for sample in dataset.samples],
        profile_of(scoring),
        title=f"{dataset_file.stem}, {predictions.name}",
        system={"predictions": str(predictions.resolve())},
    )
    write(report, output)
    unused = len(found.texts.keys() - names.keys())
    return ForeignResult(report, tuple(_remarks(dataset, predictions, unused)))


def _refuse_what_does_not_belong(
    dataset_file: Path, predictions: Path, names: Counter[str], found: Predictions
) -> None:
    merged = next((path for name, path in found.merged.items() if _has_page(name, names)), None)
    if merged is not None:
        raise DatasetError(
            f"{merged} holds all pages of a document, and nothing tells where one begins.",
            "Let infer write one line a page (--format jsonl), or call a file of one page "
            f"{merged.stem}_p1{merged.suffix}.",
        )
    if not names.keys() & (found.texts.keys() | found.failed.keys()):
        called = next(iter([*found.texts, *found.failed, *found.merged]))
        raise DatasetError(
            f"No prediction in {predictions} has the name of a page of {dataset_file}.",
            f"A page there is called {next(iter(names))}, a prediction {called}.",
        )


def _has_page(document: str, names: Counter[str]) -> bool:
    return any(page[0] == document for name in names if (page := page_of_file(name)) is not None)


def _pair(sample: Sample, found: Predictions) -> Pair:
    name = page_name(sample.image_name)
    return Pair.of_picture(
        sample.image_name,
        sample.answer,
        found.texts.get(name),
        key=sample.image_name,
        error="" if name in found.texts else found.failed.get(name, ""),
    )


def _remarks(dataset: Dataset, predictions: Path, unused: int) -> Iterator[str]:
    if dataset.problems or dataset.read_as:
        yield f"{dataset.path.name}: {dataset.summary()}."
    if unused:
        yield f"{unused} of the predictions in {predictions.name} belong to no page of the dataset."
