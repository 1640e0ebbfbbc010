"""The students that can draft or be evaluated: base models, and the adapters of trainings. No Qt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ocrstudio.domain.embedded import offered
from ocrstudio.domain.errors import RunError
from ocrstudio.domain.run import RunKind, RunState
from ocrstudio.domain.wording import moment_in_words
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.services.runs import RunOverview

_IMAGE_KEYS = ("base_size", "image_size", "crop_mode", "max_tiles")
_WITH_ADAPTER = frozenset({RunState.FINISHED, RunState.STOPPED})


@dataclass(frozen=True)
class StudentOption:
    """A student in a list.

    Attributes:
        title: Words.
        model: Folder of the base model, or the word of an embedded student; None for the configured
            DeepSeek-OCR.
        adapter: Adapter folder, or None for the base model alone.
        image: Values of the ``image`` section that it was trained with.
        run_id: The training, or empty.
        note: What to expect of it, or empty.
    """

    title: str
    model: str | None = None
    adapter: Path | None = None
    image: Mapping[str, Any] = field(default_factory=dict)
    run_id: str = ""
    note: str = ""


def student_options(runs: Sequence[RunOverview]) -> list[StudentOption]:
    """All students: the newest training first, behind the trainings the base models.

    Args:
        runs: The runs of the workspace, newest first.
    """
    trained = [
        option
        for run in runs
        if run.kind is RunKind.TRAIN and run.state in _WITH_ADAPTER
        for option in _of_run(run)
    ]
    return [
        *trained,
        *(StudentOption(student.title, student.name, note=student.note) for student in offered()),
        StudentOption("DeepSeek-OCR, not fine-tuned"),
    ]


def _of_run(run: RunOverview) -> list[StudentOption]:
    try:
        folder = RunFolder(run.path)
    except RunError:
        return []  # the list of runs has said it
    if not folder.adapter.is_dir():
        return []
    spec = folder.spec
    config = spec.config.get("image") or {}
    image = {key: config[key] for key in _IMAGE_KEYS if key in config}
    title = f"{run.title} ({moment_in_words(run.created)})"
    return [StudentOption(title, spec.base_model, folder.adapter, image, run.id)]
