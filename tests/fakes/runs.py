"""Run folders with a scripted student, and the environment their workers need."""

import json
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ocrstudio.domain.run import RunKind
from ocrstudio.jobs.process_tree import kill_tree
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


def scripted_curves(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let workers be the scripted student of curves; returns what tells it what to do."""
    for name, value in fake_environment(folder / "state", "tests.fakes.curve_student").items():
        monkeypatch.setenv(name, value)
    script = folder / "script.json"
    monkeypatch.setenv("FAKE_CURVE", str(script))

    def tell(**wishes: object) -> None:
        script.write_text(json.dumps(wishes))

    return tell


def end_workers(folders: Iterable[RunFolder]) -> None:
    """End the workers of runs that a test has left behind."""
    for folder in folders:
        identity = folder.process_identity
        process = identity.process() if identity is not None else None
        if process is not None:
            kill_tree(process)


def until(condition: Callable[[], object], timeout: float = 20.0) -> None:
    """Wait until a condition holds; fail when it does not in time."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.01)
