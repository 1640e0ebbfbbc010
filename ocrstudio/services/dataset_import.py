"""From a dataset back into a workspace: labels find their pages, other pictures become documents."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ocrstudio.datasets import Columns, Dataset, LineProblem, Sample, read_dataset
from ocrstudio.datasets.writer import read_manifest
from ocrstudio.domain.document import Page, PageStatus
from ocrstudio.domain.errors import DatasetError, OcrStudioError, WorkspaceError
from ocrstudio.domain.label import IMPORT, NewRevision
from ocrstudio.domain.page_files import page_of_file
from ocrstudio.domain.wording import count_of
from ocrstudio.imaging import load_image
from ocrstudio.imaging.size import picture_dpi
from ocrstudio.pdf import DEFAULT_DPI
from ocrstudio.services.document_import import DocumentImporter
from ocrstudio.services.labelling import accept, add_import
from ocrstudio.services.page_drawing import DrawPage, PageDrawer, pixels_sha256
from ocrstudio.services.workspaces import page_image
from ocrstudio.settings.app import load_app_settings
from ocrstudio.store import Workspace

Progress = Callable[[int, int], None]
"""Called with the number of lines done and of all."""


@dataclass(frozen=True)
class DatasetImportReport:
    """What importing a dataset did.

    Attributes:
        labels: Number of revisions added.
        new_documents: Number of pictures that became documents.
        matched: Number of labels for pages that were there already.
        unchanged: Number of lines whose label the page has already.
        accepted: Number of these whose page is accepted now and was not before.
        kept_beside: Number of labels that are only in the history, because a person has labelled the page.
        problems: Lines that could not be used.
        failures: (place, reason) of samples whose picture could not be imported.
        read_as: What the dataset was taken for; nothing for the program's own form.
        stopped: Whether the user stopped before the last line.
    """

    labels: int
    new_documents: int
    matched: int
    unchanged: int
    accepted: int
    kept_beside: int
    problems: tuple[LineProblem, ...]
    failures: tuple[tuple[str, str], ...]
    read_as: str = ""
    stopped: bool = False

    @property
    def unusable(self) -> int:
        """Number of lines that brought no label."""
        return len(self.failures) + sum(problem.kind.skips for problem in self.problems)

    @property
    def notes(self) -> list[str]:
        """Every line that could not be used or is odd, as sentences."""
        return [*map(str, self.problems), *(f"{place}: {reason}" for place, reason in self.failures)]

    def in_words(self, name: str) -> str:
        """One sentence with all counts.

        Args:
            name: What the dataset is called.
        """
        parts = {
            f"{self.new_documents:,} with new pictures": self.new_documents,
            f"{self.kept_beside:,} kept beside what a person wrote": self.kept_beside,
            f"{count_of(self.unchanged, 'page')} had the same label already": self.unchanged,
            f"{self.accepted:,} of them accepted now": self.accepted,
            f"{count_of(self.unusable, 'line')} could not be used": self.unusable,
            "stopped before the last line": self.stopped,
        }
        told = [words for words, count in parts.items() if count]
        source = f"{name} ({self.read_as})" if self.read_as else name
        return "; ".join([f"Imported {count_of(self.labels, 'label')} from {source}", *told]) + "."


def import_dataset(
    ws: Workspace,
    path: Path,
    *,
    columns: Columns | None = None,
    accepted: bool = False,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> DatasetImportReport:
    """Bring the labels of a dataset into a workspace, as revisions with the source ``import``.

    A picture that shows a page of the workspace (an export that was corrected elsewhere) gives its label to
    that page; any other becomes a document of its own. The label of a page that a person has worked on is
    only kept beside theirs. A label belongs to one page: samples of several pictures or turns are left out.

    Args:
        ws: The workspace.
        path: The file or folder.
        columns: Where picture and text stand, as the user said.
        accepted: Whether the pages are accepted with these labels, or drafts to review.
        progress: Told after each line.
        should_stop: Asked before each line; what was imported until then stays.

    Raises:
        DatasetError: The file cannot be read, or has no usable line.
        WorkspaceError: The workspace cannot be written.
    """
    dataset = read_dataset(path, one_page=True, columns=columns)
    if not dataset.samples:
        raise DatasetError(f"{path} has no usable line: {dataset.problems[0]}", "Correct the file.")
    counts: Counter[str] = Counter()
    failures: list[tuple[str, str]] = []
    stopped = False
    importer = DocumentImporter(ws, {sample.image: None for sample in dataset.samples})
    with PageDrawer(load_app_settings().max_page_seconds) as drawer:
        for done, sample in enumerate(dataset.samples, start=1):
            if should_stop():
                stopped = True
                break
            try:
                counts.update(_import_sample(ws, dataset, sample, importer, drawer.draw, accepted=accepted))
            except WorkspaceError:
                raise
            except OcrStudioError as error:
                failures.append((sample.where, str(error)))
            if progress is not None:
                progress(done, len(dataset.samples))
    return DatasetImportReport(
        labels=counts["labels"],
        new_documents=counts["new_documents"],
        matched=counts["matched"],
        unchanged=counts["unchanged"],
        accepted=counts["accepted"],
        kept_beside=counts["kept_beside"],
        problems=dataset.problems,
        failures=tuple(failures),
        read_as=dataset.read_as,
        stopped=stopped,
    )


def _import_sample(
    ws: Workspace,
    dataset: Dataset,
    sample: Sample,
    importer: DocumentImporter,
    draw: DrawPage,
    *,
    accepted: bool,
) -> Counter[str]:
    page, is_new = _page_of(ws, sample, importer, draw)
    current = ws.labels.current(page.id)
    if current is not None and current.text == sample.answer:
        newly = accepted and page.status not in (PageStatus.ACCEPTED, PageStatus.EXCLUDED)
        if newly:
            accept(ws, page.id, seen=current.id)
        return Counter(unchanged=1, accepted=int(newly))
    revision = NewRevision(
        sample.answer,
        IMPORT,
        prompt=sample.prompt,
        parameters={
            "file": dataset.path.name,
            "line": sample.line,
            **({"place": sample.place} if sample.place else {}),
            **({"form": ", ".join(dataset.forms)} if dataset.read_as else {}),
        },
    )
    added = add_import(ws, page.id, revision, accepted=accepted)
    return Counter(
        labels=1,
        new_documents=int(is_new),
        matched=int(not is_new),
        kept_beside=int(ws.pages.get(page.id).revision_id != added.id),
    )


def _page_of(ws: Workspace, sample: Sample, importer: DocumentImporter, draw: DrawPage) -> tuple[Page, bool]:
    """The page that a picture shows, and whether it was made for it."""
    known = _shown_page(ws, sample, draw)
    if known is not None:
        return known, False
    imported = importer.take(sample.image)
    pages = ws.pages.of_document(imported.document.id)
    return next(page for page in pages if page.index == imported.index), imported.is_new


def _shown_page(ws: Workspace, sample: Sample, draw: DrawPage) -> Page | None:
    """The page of the workspace that a picture shows: the same pixels, drawn as usual or as exported."""
    shown = pixels_sha256(np.asarray(load_image(sample.image)))
    known = ws.pages.find_by_content(shown)
    if known is not None:
        return known
    named = page_of_file(sample.image.name)
    document = ws.documents.find(named[0]) if named else None
    pages = ws.pages.of_document(document.id) if document is not None else []
    page = next((page for page in pages if named is not None and page.index == named[1] - 1), None)
    if page is None:
        return None
    dpi = _exported_dpi(sample.image)
    drawn = page_image(ws, page, dpi, load_app_settings().max_image_pixels, draw=draw)
    return page if pixels_sha256(np.asarray(load_image(drawn))) == shown else None


def _exported_dpi(picture: Path) -> float:
    """The resolution at which a picture of a dataset was drawn: of its manifest, else as the file says."""
    manifest = read_manifest(picture.parent.parent)
    if manifest is not None and isinstance(manifest.get("dpi"), int | float):
        return float(manifest["dpi"])
    return picture_dpi(picture) or DEFAULT_DPI
