"""An evaluation of the untrained student that was made before, on the very same pages and in the same way."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from ocrstudio.datasets import read_dataset
from ocrstudio.datasets.checks import dataset_sha256
from ocrstudio.domain.embedded import model_folder
from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.domain.run import RunKind, RunState
from ocrstudio.evaluation.report import read
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.paths import resources_dir
from ocrstudio.services.run_requests import base_revision, recorded_versions
from ocrstudio.services.runs import find_run_folders
from ocrstudio.settings.train import TrainConfig

_SECTIONS = ("image", "evaluation", "scoring")


def measured_base(
    runs: Path, held_out: Path, model: str, config: TrainConfig
) -> tuple[RunFolder, Path] | None:
    """Look for a finished evaluation of a base model whose figures hold for a new one, too.

    Args:
        runs: Folder of runs.
        held_out: JSONL file with the pages.
        model: Folder of the base model, or the word of an embedded student.
        config: The configuration that an evaluation would have now.

    Returns:
        The newest such run and its report, or None.

    Raises:
        DatasetError: The pages cannot be read.
    """
    sha256 = dataset_sha256(read_dataset(held_out, blank_pages=True, one_page=True).samples)
    wanted = config.model_dump(mode="json")
    changed = _last_change(model)
    for folder in find_run_folders([runs])[0]:
        spec = folder.spec
        if (
            spec.kind is RunKind.EVALUATE
            and spec.dataset_sha256 == sha256
            and (spec.base_model, spec.base_revision) == (model, base_revision(model))
            and not (spec.request.get("adapter") or spec.request.get("prompt"))
            and spec.versions == recorded_versions()
            and all(spec.config.get(section) == wanted[section] for section in _SECTIONS)
            and spec.config.get("model", {}).get("load_in_4bit") == wanted["model"]["load_in_4bit"]
            and spec.created > changed
        ):
            report = _own_report(folder)
            if report is not None:
                return folder, report
    return None


def _own_report(folder: RunFolder) -> Path | None:
    """The report of a finished run, unless another evaluation has written over it since."""
    with suppress(OcrStudioError):  # whatever is wrong with it, measuring again is right
        summary: dict[str, Any] = folder.summary() or {}
        path = Path(str(folder.spec.request.get("output") or ""))
        if folder.state() is not RunState.FINISHED or not path.is_file():
            return None
        report = read(path)
        same = report.system.get("adapter") is None and report.system.get("model") == folder.spec.base_model
        figures = (report.overall.pages, report.overall.cer.corpus)
        if same and figures == (summary.get("pages"), summary.get("cer")):
            return path
    return None


def _last_change(model: str) -> float:
    """When the files of a model were last changed."""
    with suppress(OSError):
        return max(
            (entry.stat().st_mtime for entry in model_folder(model, resources_dir()).iterdir()), default=0.0
        )
    return 0.0
