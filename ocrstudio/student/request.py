"""What a training run was asked to do, read from its run folder and checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ocrstudio.datasets import Columns
from ocrstudio.domain.errors import RunError
from ocrstudio.domain.run import TrainMode
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.settings.layers import merge
from ocrstudio.settings.train import TrainConfig, load_train_config

_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True)
class TrainRequest:
    """A training run in full.

    Attributes:
        dataset: File or folder of any form.
        eval_dataset: The same for evaluation; None splits the dataset.
        mode: What is adapted.
        model: Folder of the base model, or the word of an embedded student.
        resume_from: Checkpoint folder, or None for a fresh start.
        strict: Whether a sample that cannot be used ends the run.
        config: Everything else.
        columns: Where picture and text stand, as the user said, or None.
    """

    dataset: Path
    eval_dataset: Path | None
    mode: TrainMode
    model: str
    resume_from: Path | None
    strict: bool
    config: TrainConfig
    columns: Columns | None = None


def read_train_request(folder: RunFolder) -> TrainRequest:
    """Read and check the request of a training run.

    Raises:
        RunError: A field is missing or cannot be.
    """
    request = folder.spec.request
    resume_from = optional_path(request, "resume_from")
    if resume_from is not None and not resume_from.is_absolute():
        resume_from = folder.path / resume_from
    try:
        return TrainRequest(
            dataset=Path(request["dataset"]),
            eval_dataset=optional_path(request, "eval_dataset"),
            mode=TrainMode(request["mode"]),
            model=str(request["model"]),
            resume_from=resume_from,
            strict=bool(request.get("strict")),
            config=read_config(folder),
            columns=Columns.of_request(request),
        )
    except KeyError as error:
        raise RunError(f"The run {folder.id} does not say its {error.args[0]}.") from error
    except ValueError as error:
        raise RunError(f"The request of the run {folder.id} cannot be read: {error}.") from error


def optional_path(request: Mapping[str, Any], name: str) -> Path | None:
    """A path of a request, or None when it is absent or empty."""
    value = request.get(name)
    return Path(value) if value else None


def read_config(folder: RunFolder) -> TrainConfig:
    """The configuration of a run; what its version of the program did not know is as shipped.

    Raises:
        RunError: It does not fit; every problem is named.
    """
    shipped = load_train_config().model_dump(mode="json")
    return read_model(TrainConfig, merge(shipped, folder.spec.config), folder)


def read_model(kind: type[_Model], data: Mapping[str, Any], folder: RunFolder) -> _Model:
    """Read a part of a run's configuration.

    Raises:
        RunError: It does not fit; every problem is named.
    """
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors()
        )
        raise RunError(
            f"The configuration of the run {folder.id} does not fit this version: {problems}.",
            "Start a new run with the current configuration.",
        ) from error
