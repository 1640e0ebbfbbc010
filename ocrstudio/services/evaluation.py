"""Evaluation runs: from what the user asked for to a run folder that a worker can take."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ocrstudio.datasets import Columns
from ocrstudio.domain.errors import InputError
from ocrstudio.domain.run import RunKind
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.jobs.spec import RunSpec
from ocrstudio.jobs.training_environment import require_installed
from ocrstudio.services.model_folder import require_embedded
from ocrstudio.services.run_requests import (
    adapter_folder,
    base_revision,
    check_dataset,
    recorded_versions,
    require_folder,
    resolve_model,
)
from ocrstudio.settings.train import TrainConfig
from ocrstudio.tasks import Task, get_task, student_prompt


@dataclass(frozen=True)
class EvaluationRequest:
    """What the user asked for.

    Attributes:
        dataset: File or folder with the reference answers.
        output: Report file; written at the end, and left alone when the run fails.
        task: Task whose prompt replaces the dataset's; None to ask what each line asks.
        model: Folder of the model, or the word of an embedded student; None for the one that the
            configuration names (``model.base_model_path``).
        adapter: Adapter folder or training run, or None for the model alone.
        strict: Refuse a dataset with lines that would be skipped; stop at a picture that cannot be read.
        title: Shown in lists; None for one made from the dataset and adapter.
        curve: Id of the learning curve that it is a part of, or None.
        columns: Where picture and text stand, as the user said, or None.
    """

    dataset: Path
    output: Path
    task: str | None = None
    model: str | None = None
    adapter: Path | None = None
    strict: bool = False
    title: str | None = None
    curve: str | None = None
    columns: Columns | None = None


def create_evaluation_run(
    parent: Path, request: EvaluationRequest, config: TrainConfig, tasks: Mapping[str, Task]
) -> RunFolder:
    """Check a request and write the run folder; `ocrstudio.jobs.launch` starts it.

    The dataset is read and hashed, pictures included, which takes seconds for thousands of pages: call it off
    the window's thread.

    Args:
        parent: Folder that gets the run folder.
        request: What to do.
        config: The resolved configuration (its ``model``, ``image``, ``evaluation`` and ``scoring`` sections
            count); written into the run folder.
        tasks: All tasks by id.

    Raises:
        DatasetError: The dataset cannot be used.
        InputError: The task is unknown, or the output cannot be a file.
        ModelError: The adapter does not exist, or the files of an embedded student are damaged.
        RunError: Nothing that trains is installed, or the run folder cannot be written.
    """
    require_installed()
    if request.output.is_dir():
        raise InputError(f"The output {request.output} is a folder.", "Name a file, such as results.json.")
    columns = request.columns
    dataset = check_dataset(
        request.dataset, strict=request.strict, blank_pages=True, one_page=True, columns=columns
    )
    prompt = student_prompt(get_task(tasks, request.task)) if request.task else None
    model = resolve_model(request.model or config.model.base_model_path)
    require_embedded(model)
    adapter = require_folder(adapter_folder(request.adapter), "adapter") if request.adapter else None
    tested = request.adapter.name if request.adapter else Path(model).name
    spec = RunSpec(
        kind=RunKind.EVALUATE,
        title=request.title or f"{dataset.path.stem}, {tested}",
        created=time.time(),
        request={
            "dataset": str(dataset.path),
            "dataset_summary": dataset.summary,
            "task": request.task,
            "prompt": prompt,
            "model": model,
            "adapter": adapter,
            "output": str(request.output.resolve()),
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
