"""What training and evaluation runs have in common before they start: versions, base model, dataset."""

import importlib.metadata
from dataclasses import dataclass
from pathlib import Path

from ocrstudio import __version__
from ocrstudio.datasets import Columns, Dataset, Sample, read_dataset
from ocrstudio.datasets.checks import dataset_sha256
from ocrstudio.domain.embedded import is_embedded
from ocrstudio.domain.errors import DatasetError, ModelError
from ocrstudio.jobs import training_environment
from ocrstudio.jobs.run_folder import SPEC_NAME, RunFolder
from ocrstudio.paths import is_frozen

_TRAINER_STATE = "trainer_state.json"

_RECORDED_PACKAGES = (
    "torch",
    "transformers",
    "peft",
    "trl",
    "accelerate",
    "bitsandbytes",
    "unsloth",
    "safetensors",
    "pillow",
    "numpy",
    "pymupdf",
    "rapidfuzz",
)


@dataclass(frozen=True)
class CheckedDataset:
    """A dataset that was read once before the run.

    Attributes:
        path: The file or folder, absolute.
        sha256: Hash of its pictures, questions and answers.
        summary: One sentence with the counts, skipped lines included.
        skipped: Number of lines that training or evaluation will leave out.
        samples: Its usable lines.
    """

    path: Path
    sha256: str
    summary: str
    skipped: int
    samples: tuple[Sample, ...]


def check_dataset(
    path: Path,
    *,
    strict: bool,
    blank_pages: bool = False,
    one_page: bool = False,
    columns: Columns | None = None,
) -> CheckedDataset:
    """Read a dataset and make sure that it can be used.

    Args:
        path: A dataset of any form, file or folder.
        strict: Refuse it when a line would be skipped.
        blank_pages: Lines with an empty answer are pages without text, which an evaluation measures.
        one_page: Samples of several pictures or turns are left out: an evaluation asks once about one page.
        columns: Where picture and text stand, as the user said.

    Raises:
        DatasetError: It cannot be read or has no usable line; when strict, the first skipped line.
    """
    dataset: Dataset = read_dataset(
        path, strict=strict, blank_pages=blank_pages, one_page=one_page, columns=columns
    )
    if not dataset.samples:
        shown = " ".join(str(problem) for problem in dataset.problems[:3])
        raise DatasetError(
            f"{path} has no usable line. {shown}", "Correct the lines; `ocrstudio inspect` lists them."
        )
    sha256 = dataset_sha256(dataset.samples)
    return CheckedDataset(path.resolve(), sha256, dataset.summary(), dataset.skipped, dataset.samples)


def resolve_model(name: str) -> str:
    """A model as a worker takes it: a word, or the absolute path of a folder (which may not exist yet)."""
    return name if is_embedded(name) else str(Path(name).expanduser().resolve())


def require_folder(path: Path | None, what: str) -> str | None:
    """The absolute path of a folder that has to exist, or None for None.

    Raises:
        ModelError: It does not exist.
    """
    if path is None:
        return None
    if not path.is_dir():
        raise ModelError(f"The {what} {path} does not exist or is not a folder.", "Check the path.")
    return str(path.resolve())


def adapter_folder(path: Path) -> Path:
    """The folder of an adapter that was named itself, or through the training run that made it.

    Raises:
        RunError: The run cannot be read.
        ModelError: The run has no adapter.
    """
    if not (path / SPEC_NAME).is_file():
        return path
    run = RunFolder(path)
    if not run.adapter.is_dir():
        raise ModelError(f"The run {run.id} has no adapter ({run.state()}).", "Name a finished training run.")
    return run.adapter


def require_checkpoint(path: Path) -> str:
    """The absolute path of a checkpoint folder.

    Raises:
        ModelError: It does not exist, or is no checkpoint.
    """
    if path.is_dir() and not (path / _TRAINER_STATE).is_file():
        raise ModelError(
            f"{path} is not a checkpoint: it has no {_TRAINER_STATE}.",
            "Name one such as RUN/checkpoints/checkpoint-50, or a whole run folder.",
        )
    return str(require_folder(path, "checkpoint"))


def base_revision(model: str) -> str | None:
    """The revision that a downloaded model folder states about itself, or None.

    The Hugging Face client notes the commit of each file that it downloads into a local folder.
    """
    notes = Path(model) / ".cache" / "huggingface" / "download" / "config.json.metadata"
    try:
        return notes.read_text(encoding="utf-8").splitlines()[0].strip() or None
    except (OSError, IndexError, UnicodeDecodeError):
        return None


def recorded_versions() -> dict[str, str]:
    """Versions of Python, OCR Studio and the packages that can change a result, as far as installed."""
    versions = {"python": training_environment.python_version(), "ocrstudio": __version__}
    for name in _RECORDED_PACKAGES:
        version = installed_version(name)
        if version is not None:
            versions[name] = version
    return versions


def installed_version(name: str) -> str | None:
    """The version of a distribution that workers use, without importing it, or None."""
    if is_frozen():
        places = training_environment.search_path()
        found = next(iter(importlib.metadata.distributions(name=name, path=places)), None)
        return found.version if found is not None else None
    return own_version(name)


def own_version(name: str) -> str | None:
    """The version of a distribution beside this program, without importing it, or None."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
