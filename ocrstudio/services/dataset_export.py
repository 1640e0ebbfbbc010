"""From a workspace to a dataset folder."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ocrstudio.datasets import DatasetRecord, Sample
from ocrstudio.datasets.checks import (
    Finding,
    check_leakage,
    check_samples,
    dataset_sha256,
)
from ocrstudio.datasets.split import split_by_document
from ocrstudio.datasets.writer import EVALUATION, IMAGES, TRAIN, Entry, write_dataset
from ocrstudio.domain.document import DocumentKind, Page, PageStatus
from ocrstudio.domain.errors import DatasetError, OcrStudioError
from ocrstudio.domain.label import Revision
from ocrstudio.domain.page_files import origin_of, page_file_name
from ocrstudio.domain.wording import count_of
from ocrstudio.pdf.render import capped_dpi
from ocrstudio.services.page_drawing import PageDrawer
from ocrstudio.services.picture_pages import places_of
from ocrstudio.services.workspaces import page_image
from ocrstudio.settings.app import load_app_settings
from ocrstudio.store import PageRow, Workspace
from ocrstudio.tasks import Task, student_prompt

Progress = Callable[[int, int], None]
"""Called with the number of pages done and of all."""

ACCEPTED_ONLY = frozenset({PageStatus.ACCEPTED})
_MIB = 2**20
_NO_LABEL = "it has no label."


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
        skipped: (page, reason) of pages in the wanted states that could not be exported; a whole sentence.
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

    @property
    def notes(self) -> list[str]:
        """Every page that was left out and everything that should be looked at, as sentences."""
        left_out = [f"Left out {place}: {reason}" for place, reason in self.skipped]
        return [*left_out, *(f"Look at {finding}." for finding in self.findings)]


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
    dpi: float | None = None,
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
        dpi: Resolution of the pictures; None for the one in the settings.
        progress: Told after each page. What it raises ends the export before anything is written.

    Raises:
        DatasetError: There is nothing to export, or the target cannot be used.
    """
    settings = load_app_settings()
    dpi = dpi or settings.default_dpi
    choice = _Choice(statuses, eval_fraction, seed, dpi, settings.max_image_pixels)
    try:
        with PageDrawer(settings.max_page_seconds) as drawer:
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
    max_pixels: int


def _export(
    ws: Workspace,
    target: Path,
    task: Task,
    choice: _Choice,
    drawn: Callable[[Page], Path],
    progress: Progress | None,
) -> ExportReport:
    pages, skipped, remarks = _collect(ws, task, choice.statuses, drawn, progress)
    remarks += _reduced(ws, pages, choice)
    prompt = student_prompt(task)
    origins = [origin_of(page.row.document_name) for page in pages]
    split = split_by_document(origins, _identities(ws, pages), choice.eval_fraction, choice.seed)
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
        place = _place(row)
        revision = ws.labels.current(row.page.id)
        if revision is None or not revision.text.strip():
            skipped.append((place, _NO_LABEL))
        else:
            try:
                pages.append(_Labelled(row, revision, drawn(row.page)))
                other_task += revision.task not in ("", task.id)
            except OcrStudioError as error:
                skipped.append((place, str(error)))
        if progress is not None:
            progress(done, len(rows))
    if not pages:
        raise _nothing(ws, statuses, skipped)
    remarks = [
        f"{other_task} of the labels began as drafts for another task than {task.id}; "
        "check that they answer its prompt."
    ] * bool(other_task)
    return pages, skipped, remarks


def _nothing(
    ws: Workspace, statuses: Collection[PageStatus], skipped: Sequence[tuple[str, str]]
) -> DatasetError:
    for place, reason in skipped:
        if reason != _NO_LABEL:
            return DatasetError(
                f"None of {count_of(len(skipped), 'page')} of {ws.root} can be exported. {place}: {reason}"
            )
    names = ", ".join(sorted(status.value.replace("_", " ") for status in statuses))
    return DatasetError(
        f"The workspace {ws.root} has nothing to export: no page that is {names} has a label.",
        "Accept some pages first, or export other pages as well (command line: --status draft).",
    )


def _reduced(ws: Workspace, pages: Sequence[_Labelled], choice: _Choice) -> list[str]:
    """A remark when pages are so large that their pictures have a lower resolution than the others."""
    pdfs = {document.id for document in ws.documents.list() if document.kind is DocumentKind.PDF}
    drawn = {
        page.row: capped_dpi(page.row.page.width, page.row.page.height, choice.dpi, choice.max_pixels)
        for page in pages
        if page.row.page.document_id in pdfs  # a picture is only ever reduced to what was asked for
    }
    reduced = [(row, used) for row, used in drawn.items() if used < choice.dpi]
    if not reduced:
        return []
    row, used = reduced[0]
    return [
        f"{count_of(len(reduced), 'page')} too large for {choice.dpi:g} dpi "
        f"(max_image_pixels in the settings): {_place(row)} is drawn at {used:.3g} dpi"
        f"{', …' if len(reduced) > 1 else '.'}"
    ]


def _identities(ws: Workspace, pages: Sequence[_Labelled]) -> list[str]:
    """What tells each page from the others, as `page_counts` told it before the export."""
    documents = {document.id: document for document in ws.documents.list()}
    places = {number: places_of(ws.root, document) for number, document in documents.items()}
    rows = [page.row.page for page in pages]
    return [
        places[row.document_id].identity(documents[row.document_id], row.index)
        if row.document_id in documents
        else f"page {row.id}"  # its document was removed while its picture was drawn
        for row in rows
    ]


def _place(row: PageRow) -> str:
    return f"{row.document_name}, page {row.page.index + 1}"


def _entry(page: _Labelled, prompt: str) -> Entry:
    name = f"{IMAGES}/{page_file_name(page.row.document_name, page.row.page.index + 1)}"
    return Entry(DatasetRecord(prompt, name, page.revision.text), page.image)


def _samples(entries: Sequence[Entry]) -> list[Sample]:
    """The lines as a reader will see them, for the checks before anything is written."""
    return [
        Sample(entry.image, entry.record.prompt, entry.record.answer, line, entry.record.image)
        for line, entry in enumerate(entries, start=1)
    ]
