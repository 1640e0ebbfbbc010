"""One run on a GPU at a time, over all windows and terminals of this user.

A GPU's memory is not shared out: two runs would both fail. A CPU's time is, so nobody waits for a CPU.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from ocrstudio.domain.errors import RunError

_RETRY = 0.5


def device_names(count: int = 1) -> list[str]:
    """The GPUs that a run will take, found without torch: ``gpu-0`` and so on; none on a CPU.

    Args:
        count: GPUs that the run wants; there may be fewer.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return [f"gpu-{number}" for number in range(count)] if shutil.which("nvidia-smi") else []
    ids = [one.strip() for one in visible.split(",")]
    if ids[0] in ("", "-1"):
        return []
    return ["gpu-" + "".join(c if c.isalnum() else "-" for c in one) for one in ids[:count]]


@contextmanager
def device_lock(
    locks: Path, device: str, *, on_wait: Callable[[], None], give_up: Callable[[], bool]
) -> Iterator[bool]:
    """Hold the lock of a device.

    The operating system releases it when the process ends in whatever way.

    Args:
        locks: Folder of the lock files, created when missing.
        device: One of `device_names`.
        on_wait: Called once when another run holds the device.
        give_up: Asked while waiting; true ends the wait.

    Yields:
        Whether the device is ours; false when the wait was given up.

    Raises:
        RunError: The lock cannot be made.
    """
    try:
        locks.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(locks / f"{device}.lock")
        taken = _take(lock, on_wait, give_up)
    except OSError as error:
        raise RunError(
            f"The lock for {device} in {locks} cannot be made: {error.strerror or error}.",
            "Set OCRSTUDIO_STATE_DIR to a folder that you can write to.",
        ) from error
    try:
        yield taken
    finally:
        lock.release()


def _take(lock: filelock.BaseFileLock, on_wait: Callable[[], None], give_up: Callable[[], bool]) -> bool:
    try:
        lock.acquire(timeout=0)
        return True
    except filelock.Timeout:
        on_wait()
    while not give_up():
        try:
            lock.acquire(timeout=_RETRY)
            return True
        except filelock.Timeout:
            continue
    return False
