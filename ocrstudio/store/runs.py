"""The runs that a workspace knows; everything else about a run is in its folder."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ocrstudio.domain.errors import WorkspaceError
from ocrstudio.domain.run import RunKind, RunState
from ocrstudio.store.database import Database

_SELECT = "SELECT id, kind, state, title, folder, created, summary FROM runs "


@dataclass(frozen=True)
class RunRecord:
    """A run as the list of runs shows it.

    Attributes:
        id: Name of the run, unique in the workspace.
        kind: What it does.
        state: Its last known state; the run folder has the true one.
        title: Name shown to the user.
        folder: Its folder, relative to the workspace, with forward slashes.
        created: Unix time in seconds.
        summary: Last known figures (loss, steps, CER, …).
    """

    id: str
    kind: RunKind
    state: RunState
    title: str
    folder: str
    created: float
    summary: Mapping[str, Any] = field(default_factory=dict)


class RunRepository:
    """Reads and writes `runs`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, run: RunRecord) -> None:
        """Remember a new run.

        Raises:
            WorkspaceError: There is a run of this id or in this folder.
        """
        with self._database.transaction():
            if self._database.integer("SELECT 1 FROM runs WHERE id = ? OR folder = ?", (run.id, run.folder)):
                raise WorkspaceError(f"The workspace already has a run {run.id} or one in {run.folder}.")
            self._database.write(
                "INSERT INTO runs (id, kind, state, title, folder, created, summary) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    run.id,
                    run.kind.value,
                    run.state.value,
                    run.title,
                    run.folder,
                    run.created,
                    json.dumps(dict(run.summary), ensure_ascii=False),
                ),
            )

    def list(self, kind: RunKind | None = None) -> list[RunRecord]:
        """All runs, or those of one kind, newest first."""
        condition, parameters = ("WHERE kind = ?", [kind.value]) if kind is not None else ("", [])
        rows = self._database.rows(_SELECT + f"{condition} ORDER BY created DESC, id DESC", parameters)
        return [_run(row) for row in rows]

    def get(self, run_id: str) -> RunRecord:
        """A run by id.

        Raises:
            WorkspaceError: There is no such run.
        """
        row = self._database.row(_SELECT + "WHERE id = ?", (run_id,))
        if row is None:
            raise WorkspaceError(f"The workspace has no run {run_id}.")
        return _run(row)

    def update(
        self, run_id: str, *, state: RunState | None = None, summary: Mapping[str, Any] | None = None
    ) -> RunRecord:
        """Set the last known state or figures; what is None stays as it was.

        Raises:
            WorkspaceError: There is no such run.
        """
        self._database.write(
            "UPDATE runs SET state = coalesce(?, state), summary = coalesce(?, summary) WHERE id = ?",
            (
                None if state is None else state.value,
                None if summary is None else json.dumps(dict(summary), ensure_ascii=False),
                run_id,
            ),
        )
        return self.get(run_id)


def _run(row: tuple[Any, ...]) -> RunRecord:
    run_id, kind, state, title, folder, created, summary = row
    return RunRecord(run_id, RunKind(kind), RunState(state), title, folder, created, json.loads(summary))
