"""The workspace's own list of its runs: what they were, how they ended; also after a folder was deleted."""

from contextlib import suppress

from ocrstudio.domain.errors import ProtocolError, RunError
from ocrstudio.domain.run import RunState
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.services.runs import find_run_folders
from ocrstudio.store import RunRecord, Workspace


def record_runs(ws: Workspace) -> list[RunRecord]:
    """Bring the list in the database in step with the run folders, and return it, newest first.

    The folders have the truth, because a worker may go on while nobody looks at the workspace. Only runs that
    are new or have changed are written. A folder that cannot be read (damaged, or of another version) changes
    nothing: what is known of its run stays.

    Raises:
        WorkspaceError: The workspace cannot be written.
    """
    known = {run.id: run for run in ws.runs.list()}
    folders, _ = find_run_folders([ws.runs_folder])
    with ws.transaction():
        for folder in folders:
            with suppress(RunError, ProtocolError):
                state = folder.state()
                if folder.id not in known:
                    ws.runs.add(_record(ws, folder, state))
                elif known[folder.id].state is not state:
                    ws.runs.update(folder.id, state=state, summary=_figures(folder))
    return ws.runs.list()


def _record(ws: Workspace, folder: RunFolder, state: RunState) -> RunRecord:
    return RunRecord(
        id=folder.id,
        kind=folder.spec.kind,
        state=state,
        title=folder.spec.title,
        folder=folder.path.relative_to(ws.root.resolve()).as_posix(),
        created=folder.spec.created,
        summary=_figures(folder),
    )


def _figures(folder: RunFolder) -> dict[str, object]:
    """The numbers of a summary; its paths belong to the folder."""
    return {name: value for name, value in (folder.summary() or {}).items() if isinstance(value, int | float)}
