"""What can be evaluated, and how a choice becomes a run. No Qt."""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ocrstudio.datasets.writer import EVALUATION, TRAIN
from ocrstudio.domain.document import Page
from ocrstudio.domain.embedded import is_embedded
from ocrstudio.domain.errors import DatasetError
from ocrstudio.domain.names import nfc
from ocrstudio.domain.wording import moment_in_words
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.settings.train import load_train_config
from ocrstudio.store import Workspace
from ocrstudio.tasks import Task
from ocrstudio.ui.jobs.students import StudentOption

_PARTS = {EVALUATION: "Held-out pages", TRAIN: "Training pages"}

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class DataOption:
    """A dataset in a list; without a path, the accepted pages as they are now."""

    title: str
    path: Path | None


def data_options(exports: Path) -> list[DataOption]:
    """The parts of the exported datasets, the newest held-out pages first, then the accepted pages."""
    found = [path for name in _PARTS for path in exports.glob(f"*/{name}")]
    found.sort(key=lambda path: (path.name == EVALUATION, path.parent.stat().st_mtime), reverse=True)
    parts = [DataOption(f"{_PARTS[path.name]}, {_exported(path.parent)}", path) for path in found]
    return [*parts, DataOption("Accepted pages, as they are now", None)]


def _exported(folder: Path) -> str:
    """When a dataset was exported."""
    return moment_in_words(folder.stat().st_mtime, seconds=True)


def prepare_evaluation(
    root: Path,
    data: DataOption,
    student: StudentOption,
    train_file: Path | None,
    tasks: Mapping[str, Task],
    task: Task,
    told: Progress,
    profile: str | None = None,
) -> RunFolder:
    """Exports the accepted pages when they are to be evaluated, and writes the run folder (slow).

    Args:
        root: The workspace.
        data: What is measured on.
        student: What is measured.
        train_file: The user's training values for DeepSeek-OCR, or None.
        tasks: All tasks by id.
        task: The task of an export.
        told: Called with pages done, pages in all, and words.
        profile: Name of the profile that texts are compared under; None for that of the configuration.

    Raises:
        OcrStudioError: The data cannot be exported or used, or the run folder cannot be written.
    """
    from ocrstudio.services.dataset_export import export_workspace
    from ocrstudio.services.evaluation import EvaluationRequest, create_evaluation_run

    embedded = student.model is not None and is_embedded(student.model)
    changes = {f"image.{key}": value for key, value in student.image.items()}
    if profile is not None:
        changes["scoring.profile"] = profile
    config = load_train_config(None if embedded else train_file, changes or None, student.model)
    with Workspace.open(root) as workspace:
        stamp = f"evaluation-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
        dataset = data.path
        if dataset is None:
            dataset = export_workspace(
                workspace,
                workspace.exports_folder / stamp,
                task,
                0.0,
                seed=config.training.seed,
                progress=lambda done, total: told(done, total, "exporting accepted pages"),
            ).train
        if not dataset.is_file():
            raise DatasetError(f"The dataset {dataset} is gone.", "Choose another one.")
        told(0, 0, "checking the dataset")
        request = EvaluationRequest(
            dataset=dataset,
            output=workspace.exports_folder / f"{stamp}.json",
            model=student.model,
            adapter=student.adapter,
            title=f"{student.title.partition(' (')[0]}: {_words(data.title)}",
        )
        return create_evaluation_run(workspace.runs_folder, request, config, tasks)


def find_page(workspace: Workspace, document: str, number: int) -> Page | None:
    """The page of a workspace that a result is about, or None.

    Args:
        workspace: The workspace.
        document: Name of the document; empty when unknown.
        number: Page counted from one.
    """
    found = workspace.documents.find(document) if document else None
    if found is None and document:  # a Mac may have named one of the two
        same = (each for each in workspace.documents.list() if nfc(each.name) == nfc(document))
        found = next(same, None)
    pages = workspace.pages.of_document(found.id) if found is not None else []
    return next((page for page in pages if page.index == number - 1), None)


def _words(title: str) -> str:
    """The first words of an entry of the list of datasets."""
    first = title.partition(",")[0]
    return first[0].lower() + first[1:]
