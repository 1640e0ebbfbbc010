"""The students that can draft: base models, and the adapters of finished trainings. No Qt."""

from collections.abc import Sequence
from typing import Any

from ocrstudio.domain.errors import RunError
from ocrstudio.domain.run import RunState
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.services.runs import RunOverview
from ocrstudio.ui.teachers.choices import StudentChoice

_MICRO = "micro"
_TINY: dict[str, Any] = {"local.model_path": _MICRO, "image.preset": "tiny"}
_IMAGE_KEYS = ("base_size", "image_size", "crop_mode", "max_tiles")
_WITH_ADAPTER = frozenset({RunState.FINISHED, RunState.STOPPED})


def student_choices(trainings: Sequence[RunOverview]) -> list[StudentChoice]:
    """All students, the newest training first.

    Args:
        trainings: The trainings of the workspace, newest first.
    """
    trained = [choice for run in trainings if run.state in _WITH_ADAPTER for choice in _of_run(run)]
    return [
        *trained,
        StudentChoice("DeepSeek-OCR, not fine-tuned", {}),
        StudentChoice("Micro student, not trained (a stand-in)", _TINY),
    ]


def _of_run(run: RunOverview) -> list[StudentChoice]:
    try:
        folder = RunFolder(run.path)
    except RunError:
        return []
    if not folder.adapter.is_dir():
        return []
    spec = folder.spec
    image = spec.config.get("image") or {}
    overrides = {f"image.{key}": image[key] for key in _IMAGE_KEYS if key in image}
    overrides |= {"local.model_path": spec.base_model, "local.adapter_path": str(folder.adapter)}
    return [StudentChoice(f"{run.title} ({run.id.partition('-train')[0]})", overrides)]
