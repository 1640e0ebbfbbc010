"""Where the adapter of the best evaluation so far lies: beside the checkpoints, one at a time."""

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

_PREFIX = "best-"


def keep_best(checkpoints: Path, step: int, write: Callable[[Path], None]) -> None:
    """Write the adapter of a step; the one before is superseded.

    Args:
        checkpoints: Folder of a run's checkpoints.
        step: Of the evaluation.
        write: Writes the adapter into the folder that it is given.
    """
    target = checkpoints / f"{_PREFIX}{step}"
    write(target)
    for folder in checkpoints.glob(f"{_PREFIX}*"):
        if folder != target:
            shutil.rmtree(folder, ignore_errors=True)


def kept_adapter(places: Iterable[Path], step: int) -> Path | None:
    """The adapter of a step, in the first folder of checkpoints that has it."""
    kept = [place / f"{_PREFIX}{step}" for place in places]
    return next((folder for folder in kept if folder.is_dir()), None)
