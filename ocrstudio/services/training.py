"""Training runs: from what the user asked for to a run folder that a worker can take."""

import time
from dataclasses import dataclass
from pathlib import Path

from ocrstudio.datasets import Columns
from ocrstudio.domain.run import RunKind, TrainMode
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.jobs.spec import RunSpec
from ocrstudio.jobs.training_environment import require_installed
from ocrstudio.services.model_folder import require_embedded
from ocrstudio.services.run_requests import (
    base_revision,
    check_dataset,
    recorded_versions,
    require_checkpoint,
    resolve_model,
)
from ocrstudio.settings.train import TrainConfig


@dataclass(frozen=True)
class TrainingRequest:
    """What the user asked for, beside the configuration.

    Attributes:
        dataset: File or folder to train on.
        mode: Which part of the student is adapted.
        model: Folder of the base model, or the word of an embedded student; None for the one that the
            configuration names (``model.base_model_path``).
        eval_dataset: File or folder for evaluation; None to hold out a part of the documents.
        resume_from: Checkpoint folder to go on from, or None.
        export_to: Folder that also gets the final adapter, or None.
        strict: Refuse datasets with lines that would be skipped.
        title: Shown in lists; None for one made from the dataset and mode.
        curve: Id of the learning curve that it is a part of, or None.
        columns: Where picture and text stand in both datasets, as the user said, or None.
    """

    dataset: Path
    mode: TrainMode
    model: str | None = None
    eval_dataset: Path | None = None
    resume_from: Path | None = None
    export_to: Path | None = None
    strict: bool = False
    title: str | None = None
    curve: str | None = None
    columns: Columns | None = None


def create_training_run(parent: Path, request: TrainingRequest, config: TrainConfig) -> RunFolder:
    """Check a request and write the run folder; `ocrstudio.jobs.launch` starts it.

    Both datasets are read and hashed, pictures included, which takes seconds for thousands of pages: call it
    off the window's thread.

    Args:
        parent: Folder that gets the run folder.
        request: What to do.
        config: The resolved configuration; it is written into the run folder, whole.

    Raises:
        DatasetError: A dataset cannot be used.
        ModelError: The checkpoint to resume from does not exist, or the files of an embedded student are
            damaged.
        RunError: Nothing that trains is installed, or the run folder cannot be written.
    """
    require_installed()
    columns = request.columns
    dataset = check_dataset(request.dataset, strict=request.strict, columns=columns)
    held_out = (
        check_dataset(request.eval_dataset, strict=request.strict, columns=columns)
        if request.eval_dataset
        else None
    )
    model = resolve_model(request.model or config.model.base_model_path)
    require_embedded(model)
    spec = RunSpec(
        kind=RunKind.TRAIN,
        title=request.title or f"{dataset.path.stem}, {request.mode.value}",
        created=time.time(),
        request={
            "dataset": str(dataset.path),
            "dataset_summary": dataset.summary,
            "eval_dataset": str(held_out.path) if held_out else None,
            "eval_dataset_summary": held_out.summary if held_out else None,
            "mode": request.mode.value,
            "model": model,
            "resume_from": require_checkpoint(request.resume_from) if request.resume_from else None,
            # The worker copies it itself, file by file: the folder may hold this very run.
            "copy_adapter_to": str(request.export_to.resolve()) if request.export_to else None,
            "strict": request.strict,
            **(columns.to_request() if columns else {}),
            **({"curve": request.curve} if request.curve else {}),
        },
        config=config.model_dump(mode="json"),
        versions=recorded_versions(),
        dataset_sha256=dataset.sha256,
        base_model=model,
        base_revision=base_revision(model),
    )
    return RunFolder.create(parent, spec)
