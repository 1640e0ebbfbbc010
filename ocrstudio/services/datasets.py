"""From a workspace to a dataset folder, and from a dataset back into a workspace."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from ocrstudio.datasets import Dataset, DatasetRecord, LineProblem, Sample, read_dataset
from ocrstudio.datasets.checks import Finding, check_leakage, check_samples, dataset_sha256
from ocrstudio.datasets.split import split_by_document
from ocrstudio.datasets.writer import EVALUATION, IMAGES, TRAIN, Entry, write_dataset
from ocrstudio.domain.document import Page, PageStatus
from ocrstudio.domain.errors import DatasetError, OcrStudioError, WorkspaceError
from ocrstudio.domain.label import IMPORT, NewRevision, Revision
from ocrstudio.imaging import load_image
from ocrstudio.pdf import DEFAULT_DPI
from ocrstudio.services.labelling import add_import
from ocrstudio.services.page_drawing import PageDrawer, pixels_sha256
from ocrstudio.services.workspaces import import_sources, page_image
from ocrstudio.settings.app import load_app_settings
from ocrstudio.store import PageRow, Workspace
from ocrstudio.tasks import Task, student_prompt

Progress = Callable[[int, int], None]
"""Called with the number of pages (or lines) done and of all."""

ACCEPTED_ONLY = frozenset({PageStatus.ACCEPTED})
_MIB = 2**20


@dataclass(frozen=True)
class ExportReport:
    """What an export wrote.

    Attributes:
        folder: The dataset.
        train: Path of train.jsonl.
        evaluation: Path of eval.jsonl, or None when there is no evaluation set.
        train_samples: Number of its lines.
        evaluation_samples: Number of its lines.
        split_by: ``document``, ``page`` or ``none``.
        skipped: (page, reason) of pages in the wanted states that could not be exported.
        findings: Duplicates, leakage and very long answers.
        remarks: Sentences the user should read.
        sha256: Hash of the training part, as a run records it.
    """

    folder: Path
    train: Path
    evaluation: Path | None
    train_samples: int
    evaluation_samples: int
    split_by: str
    skipped: tuple[tuple[str, str], ...]
    findings: tuple[Finding, ...]
    remarks: tuple[str, ...]
    sha256: str


@dataclass(frozen=True)
class DatasetImportReport:
    """What importing a dataset did.

    Attributes:
        labels: Number of revisions added.
        new_documents: Number of pictures that became documents.
        matched: Number of labels for pages that were there already.
        unchanged: Number of lines whose label the page has already.
        kept_beside: Number of labels that are only in the history, because a person has labelled the page.
        problems: Lines that could not be used.
        failures: (line, reason) of lines whose picture could not be imported.
        stopped: Whether the user stopped before the last line.
    """

    labels: int
    new_documents: int
    matched: int
    unchanged: int
    kept_beside: int
    problems: tuple[LineProblem, ...]
    failures: tuple[tuple[int, str], ...]
    stopped: bool = False


@dataclass(frozen=True)
class _Labelled:
    """A page that goes into a dataset."""

    row: PageRow
    revision: Revision
    image: Path


def export_workspace(
    ws: Workspace,
    target: Path,
    task: Task,
    eval_fraction: float,
    *,
    statuses: Collection[PageStatus] = ACCEPTED_ONLY,
    seed: int,
    dpi: float = DEFAULT_DPI,
    progress: Progress | None = None,
) -> ExportReport:
    """Write the labels of a workspace as a dataset.

    Args:
        ws: The workspace.
        target: Folder that is missing, empty, or an earlier export.
        task: Its prompt becomes the question of every line.
        eval_fraction: Share of the pages for eval.jsonl; documents are kept together.
        statuses: Which pages; accepted ones unless told otherwise.
        seed: Of the split.
        dpi: Resolution of the pictures.
        progress: Told after each page. What it raises ends the export before anything is written.

    Raises:
        DatasetError: There is nothing to export, or the target cannot be used.
    """
    settings = load_app_settings()
    choice = _Choice(statuses, eval_fraction, seed, dpi)
    try:
        with PageDrawer() as drawer:
            drawn = partial(page_image, ws, dpi=dpi, max_pixels=settings.max_image_pixels, draw=drawer.draw)
            return _export(ws, target, task, choice, drawn, progress)
    finally:
        ws.page_cache.trim(settings.disk_cache_mib * _MIB)


@dataclass(frozen=True)
class _Choice:
    """What to export and how to divide it; see `export_workspace`."""

    statuses: Collection[PageStatus]
    eval_fraction: float
    seed: int
    dpi: float


def _export(
    ws: Workspace,
    target: Path,
    task: Task,
    choice: _Choice,
    drawn: Callable[[Page], Path],
    progress: Progress | None,
) -> ExportReport:
    pages, skipped, remarks = _collect(ws, task, choice.statuses, drawn, progress)
    prompt = student_prompt(task)
    split = split_by_document([page.row.document_name for page in pages], choice.eval_fraction, choice.seed)
    parts = {TRAIN: [_entry(pages[index], prompt) for index in split.train]}
    if split.evaluation:
        parts[EVALUATION] = [_entry(pages[index], prompt) for index in split.evaluation]
    samples = {name: _samples(entries) for name, entries in parts.items()}
    findings = [finding for part in samples.values() for finding in check_samples(part)]
    if split.by == "document":  # by pages, the shared document is what the remark says
        findings += check_leakage(samples[TRAIN], samples[EVALUATION])
    hashes = {name: dataset_sha256(part) for name, part in samples.items()}
    about = {
        "source_workspace": ws.root.name,
        "task": task.id,
        "prompt": prompt,
        "dpi": choice.dpi,
        "split": {"by": split.by, "eval_fraction": choice.eval_fraction, "seed": choice.seed},
        "samples": {name: len(part) for name, part in samples.items()},
        "sha256": hashes,
    }
    write_dataset(target, parts, about)
    folder = target.absolute()
    return ExportReport(
        folder=folder,
        train=folder / TRAIN,
        evaluation=folder / EVALUATION if split.evaluation else None,
        train_samples=len(split.train),
        evaluation_samples=len(split.evaluation),
        split_by=split.by,
        skipped=tuple(skipped),
        findings=tuple(findings),
        remarks=tuple(remarks + [split.remark] * bool(split.remark)),
        sha256=hashes[TRAIN],
    )


def import_dataset(
    ws: Workspace,
    path: Path,
    *,
    accepted: bool = False,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> DatasetImportReport:
    """Bring the labels of a JSONL file into a workspace, as revisions with the source ``import``.

    A picture that shows a page of the workspace (an export that was corrected elsewhere) gives its label to
    that page; any other becomes a document of its own. The label of a page that a person has worked on is
    only kept beside theirs.

    Args:
        ws: The workspace.
        path: The JSONL file.
        accepted: Whether the pages are accepted with these labels, or drafts to review.
        progress: Told after each line.
        should_stop: Asked before each line; what was imported until then stays.

    Raises:
        DatasetError: The file cannot be read, or has no usable line.
        WorkspaceError: The workspace cannot be written.
    """
    dataset = read_dataset(path)
    if not dataset.samples:
        raise DatasetError(f"{path} has no usable line: {dataset.problems[0]}", "Correct the file.")
    counts: Counter[str] = Counter()
    failures: list[tuple[int, str]] = []
    stopped = False
    for done, sample in enumerate(dataset.samples, start=1):
        if should_stop():
            stopped = True
            break
        try:
            counts.update(_import_sample(ws, dataset, sample, accepted=accepted))
        except WorkspaceError:
            raise
        except OcrStudioError as error:
            failures.append((sample.line, str(error)))
        if progress is not None:
            progress(done, len(dataset.samples))
    return DatasetImportReport(
        labels=counts["labels"],
        new_documents=counts["new_documents"],
        matched=counts["matched"],
        unchanged=counts["unchanged"],
        kept_beside=counts["kept_beside"],
        problems=dataset.problems,
        failures=tuple(failures),
        stopped=stopped,
    )


def _collect(
    ws: Workspace,
    task: Task,
    statuses: Collection[PageStatus],
    drawn: Callable[[Page], Path],
    progress: Progress | None,
) -> tuple[list[_Labelled], list[tuple[str, str]], list[str]]:
    """Labels and pictures of the wanted pages; one that fails is left out and named."""
    rows = ws.pages.list(statuses=statuses)
    pages: list[_Labelled] = []
    skipped: list[tuple[str, str]] = []
    other_task = 0
    for done, row in enumerate(rows, start=1):
        place = f"{row.document_name}, page {row.page.index + 1}"
        revision = ws.labels.current(row.page.id)
        if revision is None or not revision.text.strip():
            skipped.append((place, "it has no label"))
        else:
            try:
                pages.append(_Labelled(row, revision, drawn(row.page)))
                other_task += revision.task not in ("", task.id)
            except OcrStudioError as error:
                skipped.append((place, str(error)))
        if progress is not None:
            progress(done, len(rows))
    if not pages:
        names = ", ".join(sorted(status.value.replace("_", " ") for status in statuses))
        reason = f" {skipped[0][0]}: {skipped[0][1]}" if skipped else ""
        raise DatasetError(
            f"The workspace {ws.root} has nothing to export: no page that is {names} has a label.{reason}",
            "Accept some pages first, or export other pages as well (command line: --status draft).",
        )
    remarks = [
        f"{other_task} of the labels began as drafts for another task than {task.id}; "
        "check that they answer its prompt."
    ] * bool(other_task)
    return pages, skipped, remarks


def _entry(page: _Labelled, prompt: str) -> Entry:
    name = f"{IMAGES}/{page.row.document_name}_p{page.row.page.index + 1}.png"
    return Entry(DatasetRecord(prompt, name, page.revision.text), page.image)


def _samples(entries: Sequence[Entry]) -> list[Sample]:
    """The lines as a reader will see them, for the checks before anything is written."""
    return [
        Sample(entry.image, entry.record.prompt, entry.record.answer, line, entry.record.image)
        for line, entry in enumerate(entries, start=1)
    ]


def _import_sample(ws: Workspace, dataset: Dataset, sample: Sample, *, accepted: bool) -> Counter[str]:
    page, is_new = _page_of(ws, sample)
    current = ws.labels.current(page.id)
    if current is not None and current.text == sample.answer:
        return Counter(unchanged=1)
    revision = NewRevision(
        sample.answer,
        IMPORT,
        prompt=sample.prompt,
        parameters={"file": dataset.path.name, "line": sample.line},
    )
    added = add_import(ws, page.id, revision, accepted=accepted)
    return Counter(
        labels=1,
        new_documents=int(is_new),
        matched=int(not is_new),
        kept_beside=int(ws.pages.get(page.id).revision_id != added.id),
    )


def _page_of(ws: Workspace, sample: Sample) -> tuple[Page, bool]:
    """The page that a picture shows, and whether it was made for it."""
    known = ws.pages.find_by_content(pixels_sha256(np.asarray(load_image(sample.image))))
    if known is not None:
        return known, False
    report = import_sources(ws, [sample.image])
    if report.problems:
        raise report.problems[0].error
    documents = [*report.imported, *report.restored, *(document for _, document in report.duplicates)]
    return ws.pages.of_document(documents[0].id)[0], bool(report.imported)
