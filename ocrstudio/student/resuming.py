"""Whether a training can go on from a checkpoint; asked before anything is loaded.

The library takes a checkpoint without its optimiser for one and goes on with a fresh one, and knows nothing
of modes and ranks; a damaged file it reports in words of its own.
"""

import json
import zipfile
from pathlib import Path
from typing import Any

from ocrstudio.domain.errors import RunError
from ocrstudio.domain.run import TrainMode
from ocrstudio.jobs.adapter_files import CONFIG_FILE, FULL_FILE, WEIGHTS_FILE
from ocrstudio.student.adapters import read_info
from ocrstudio.student.arguments import StepPlan
from ocrstudio.student.request import TrainRequest

_STATE_FILE = "trainer_state.json"
_TORCH_FILES = ("optimizer.pt", "scheduler.pt")
_OTHER_CHECKPOINT = "Resume from another checkpoint of this run."


def check_checkpoint(folder: Path, request: TrainRequest, plan: StepPlan) -> list[str]:
    """Make sure that a run can go on from a checkpoint as if it had never been interrupted.

    Args:
        folder: The checkpoint folder.
        request: What the run was asked to do.
        plan: Its length.

    Returns:
        What is allowed, but makes another training of it.

    Raises:
        RunError: The checkpoint is missing, incomplete or damaged, belongs to another kind of training, or is
            behind the end of this one.
        ModelError: It does not say what it belongs to.
    """
    if not folder.is_dir():
        raise RunError(f"The checkpoint {folder} does not exist.", _OTHER_CHECKPOINT)
    step = _read_json(folder / _STATE_FILE).get("global_step")
    weights = FULL_FILE if request.mode is TrainMode.FULL else WEIGHTS_FILE
    _check_mode(folder, request)
    damaged = [name for name in _TORCH_FILES if not zipfile.is_zipfile(folder / name)]
    damaged += [name for name in (weights,) if not (folder / name).is_file()]
    if damaged or not isinstance(step, int):
        raise RunError(
            f"The checkpoint {folder} is incomplete or damaged ({', '.join(damaged) or _STATE_FILE}).",
            _OTHER_CHECKPOINT,
        )
    if step > plan.total:
        raise RunError(
            f"The checkpoint {folder} is at step {step}, and this training has {plan.total} steps.",
            "Raise training.max_steps or num_train_epochs: the steps of the checkpoint count too.",
        )
    before, now = read_info(folder).augment, request.config.training.augment
    if before == now:
        return []
    return [
        f"The checkpoint {folder.name} was trained with training.augment {before}, and this run goes on with "
        f"{now}: its pages look different from those before, and so do its losses."
    ]


def is_at_the_end(folder: Path, plan: StepPlan) -> bool:
    """Whether a checkpoint that `check_checkpoint` has passed is that of the last step."""
    return bool(_read_json(folder / _STATE_FILE)["global_step"] == plan.total)


def _check_mode(folder: Path, request: TrainRequest) -> None:
    mode = read_info(folder).mode
    if mode != request.mode.value:
        raise RunError(
            f"The checkpoint {folder} was trained in mode {mode}, not {request.mode.value}.",
            f"Resume with mode {mode}.",
        )
    if request.mode is TrainMode.FULL:
        return
    found, wanted = _read_json(folder / CONFIG_FILE), request.config.lora
    for name in ("r", "lora_alpha"):
        if found.get(name) != getattr(wanted, name):
            raise RunError(
                f"The checkpoint {folder} was trained with lora.{name} {found.get(name)}, "
                f"not {getattr(wanted, name)}.",
                f"Set lora.{name} to {found.get(name)}, or start a new training.",
            )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read: {error}.", _OTHER_CHECKPOINT) from error
    if not isinstance(data, dict):
        raise RunError(f"{path} does not hold a JSON object.", _OTHER_CHECKPOINT)
    return data
