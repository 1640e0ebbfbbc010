"""The run that is chosen in a list: what the training and the evaluation panel do with it alike."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.domain.run import RunKind
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.services.runs import RunOverview
from ocrstudio.ui.desktop import open_folder
from ocrstudio.ui.jobs.monitor import RunMonitor
from ocrstudio.ui.jobs.run_list import RunList
from ocrstudio.ui.jobs.run_status import RunStatus
from ocrstudio.ui.messages import Messages
from ocrstudio.ui.session import Session


class ChosenRun(QObject):
    """Joins a list of runs and the head of the chosen one to the monitor.

    Args:
        kinds: Which runs the list shows.
        runs: The list.
        status: The head, with its buttons.
        monitor: Starts, watches, stops and resumes runs.
        session: What is open.
        messages: Where failures are said.

    Signals:
        chosen: Id of the run that the user chose; it is watched now.
        resuming: Id of a run that begins another attempt.
    """

    chosen = Signal(str)
    resuming = Signal(str)

    def __init__(
        self,
        kinds: frozenset[RunKind],
        runs: RunList,
        status: RunStatus,
        monitor: RunMonitor,
        session: Session,
        messages: Messages,
    ) -> None:
        super().__init__(runs)
        self._kinds, self._runs, self._monitor = kinds, runs, monitor
        self._session, self._messages = session, messages
        self._wanted: str | None = None
        runs.chosen.connect(self._choose)
        status.stop_requested.connect(lambda: self._act(lambda folder: monitor.stop(folder.id)))
        status.stop_now_requested.connect(lambda: self._act(lambda folder: monitor.stop_now(folder.id)))
        status.resume_requested.connect(lambda: self._act(self._resume))
        status.folder_requested.connect(lambda: self._act(lambda folder: open_folder(folder.path)))

    @property
    def id(self) -> str | None:
        """Id of the chosen run."""
        return self._runs.current

    def launch(self, folder: RunFolder) -> None:
        """Starts a run that was prepared, unless its workspace was closed meanwhile."""
        workspace = self._session.workspace
        if workspace is not None and folder.path.is_relative_to(workspace.root.resolve()):
            self._wanted = folder.id
            self._monitor.launch(folder)

    def show_runs(self, runs: tuple[RunOverview, ...]) -> tuple[RunOverview, ...]:
        """Shows the runs of the kinds; the one just started is chosen, or the same as before, or the newest.

        Returns:
            What is shown, newest first.
        """
        shown = tuple(run for run in runs if run.kind in self._kinds)
        self._runs.show_runs(shown)
        if any(run.id == self._wanted for run in shown):
            self._runs.choose(str(self._wanted))
            self._wanted = None
        elif self._runs.current is None and shown:
            whole = [run for run in shown if not run.curve]  # rather a curve than one of its parts
            self._runs.choose((whole or shown)[0].id)
        return shown

    def _choose(self, run_id: str) -> None:
        if self._monitor.history(run_id) is None:
            try:
                self._monitor.attach(RunFolder(self._session.require().runs_folder / run_id))
            except OcrStudioError as problem:
                self._messages.failure(problem)
                return
        self.chosen.emit(run_id)

    def _act(self, act: Callable[[RunFolder], None]) -> None:
        folder = self._monitor.folder(self._runs.current or "")
        if folder is not None:
            act(folder)

    def _resume(self, folder: RunFolder) -> None:
        self.resuming.emit(folder.id)
        self._monitor.resume(folder)
