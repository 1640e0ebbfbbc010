"""Run folders with a scripted student, and the environment their workers need."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ocrstudio.domain.run import RunKind
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.jobs.spec import RunSpec

REPOSITORY = Path(__file__).resolve().parents[2]


def fake_environment(state: Path, bodies: str = "tests.fakes.worker") -> dict[str, str]:
    """Variables for processes that shall run a scripted student, with locks of their own."""
    return {
        "OCRSTUDIO_WORKER_BODIES": bodies,
        "OCRSTUDIO_STATE_DIR": str(state),
        "PYTHONPATH": str(REPOSITORY),
        "CUDA_VISIBLE_DEVICES": "",
    }


def scripted_run(
    parent: Path, script: Sequence[Sequence[Any]], *, processes: int = 1, **request: Any
) -> RunFolder:
    """A new run folder whose worker, and its peers, will follow ``script``."""
    spec = RunSpec(
        kind=RunKind.TRAIN,
        title="scripted",
        created=time.time(),
        request={"script": [list(line) for line in script], "resume_from": None, **request},
        config={"training": {"num_processes": processes}},
    )
    return RunFolder.create(parent, spec)


def until(condition: Callable[[], object], timeout: float = 20.0) -> None:
    """Wait until a condition holds; fail when it does not in time."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.01)
