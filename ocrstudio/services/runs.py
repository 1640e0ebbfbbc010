"""The runs below a folder: list them, find one by what the user typed, sum one up."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ocrstudio.domain.errors import RunError
from ocrstudio.domain.run import RunKind, RunState
from ocrstudio.jobs.events import EventType, newest_first
from ocrstudio.jobs.run_folder import SPEC_NAME, RunFolder

RUNS_FOLDER = "runs"

_EVENTS_LOOKED_AT = 400


@dataclass(frozen=True)
class RunOverview:
    """A run in a list.

    Attributes:
        id: Name of the folder.
        path: The folder.
        kind: What it does.
        title: Its title.
        state: Where it stands.
        created: Unix time in seconds.
        done: Steps or pages done, or None when nothing was reported yet.
        total: Steps or pages in all, or None.
        values: The newest measurements (loss, …).
        seconds_left: The worker's own estimate, or None.
        curve: Id of the learning curve that it is a part of, or empty.
    """

    id: str
    path: Path
    kind: RunKind
    title: str
    state: RunState
    created: float
    done: int | None = None
    total: int | None = None
    values: dict[str, float] | None = None
    seconds_left: float | None = None
    curve: str = ""

    def to_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {
            "id": self.id,
            "path": str(self.path),
            "kind": self.kind.value,
            "title": self.title,
            "state": self.state.value,
            "created": self.created,
            "done": self.done,
            "total": self.total,
            "values": self.values,
            "seconds_left": self.seconds_left,
            "curve": self.curve or None,
        }


def overview(folder: RunFolder) -> RunOverview:
    """Sum up a run from the end of its event log."""
    progress: dict[str, Any] = {}
    values: dict[str, float] | None = None
    for event in islice(newest_first(folder.events_path), _EVENTS_LOOKED_AT):
        if event.type == EventType.PROGRESS and not progress:
            progress = dict(event.data)
        elif event.type == EventType.METRIC and values is None:
            values = dict(event.data.get("values", {}))
        if progress and values is not None:
            break
    spec = folder.spec
    return RunOverview(
        id=folder.id,
        path=folder.path,
        kind=spec.kind,
        title=spec.title,
        state=folder.state(),
        created=spec.created,
        done=progress.get("done"),
        total=progress.get("total"),
        values=values,
        seconds_left=progress.get("seconds_left"),
        curve=str(spec.request.get("curve") or ""),
    )


def find_run_folders(places: Iterable[Path]) -> tuple[list[RunFolder], list[str]]:
    """All runs in some places, newest first.

    A place is a folder of runs, or a folder (workspace, output of ``train``) that has one named ``runs``.

    Returns:
        The runs, and a sentence for each folder that looks like a run but cannot be read.
    """
    folders: dict[Path, RunFolder] = {}
    problems: list[str] = []
    for place in places:
        for marker in [*place.glob(f"*/{SPEC_NAME}"), *place.glob(f"{RUNS_FOLDER}/*/{SPEC_NAME}")]:
            path = marker.parent.resolve()
            try:
                folders.setdefault(path, RunFolder(path))
            except RunError as error:
                problems.append(str(error))
    return sorted(folders.values(), key=lambda folder: folder.spec.created, reverse=True), problems


def find_run(text: str, places: Iterable[Path]) -> RunFolder:
    """The run that the user means: a path, an id, or the beginning (or end) of an id that fits only one.

    Raises:
        RunError: None or several fit.
    """
    path = Path(text)
    if (path / SPEC_NAME).is_file():
        return RunFolder(path)
    folders, _ = find_run_folders(places)
    fitting = [folder for folder in folders if folder.id == text] or [
        folder for folder in folders if folder.id.startswith(text) or folder.id.endswith(text)
    ]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = ", ".join(folder.id for folder in fitting[:5])
        raise RunError(f"{text!r} fits {len(fitting)} runs: {names}.", "Type more of the id.")
    raise RunError(
        f"There is no run {text!r}.",
        "`ocrstudio runs list --in FOLDER` shows the runs of a folder; a path works too.",
    )
