"""Watches the runs of the open workspace: starts, attaches, stops and resumes them."""

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.domain.run import RunState
from ocrstudio.jobs.command_line import relay_command
from ocrstudio.jobs.events import Event
from ocrstudio.jobs.launch import resume
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.jobs.spec import RunSpec
from ocrstudio.jobs.stop import Patience, force_stop, request_stop
from ocrstudio.services.runs import RunOverview, find_run_folders, overview
from ocrstudio.ui.background import Background
from ocrstudio.ui.jobs.history import RunHistory
from ocrstudio.ui.jobs.outcome import Ending, RunOutcome
from ocrstudio.ui.jobs.relay_process import RelayProcess
from ocrstudio.ui.messages import Messages
from ocrstudio.ui.session import Session

_DRAW_MS = 100
_LOOK_MS = 2_000
_ATTACH_AGAIN = 3
_IMPATIENT = Patience(save=2.0, terminate=5.0)


@dataclass
class _Watched:
    folder: RunFolder
    spec: RunSpec
    history: RunHistory
    relay: RelayProcess | None = None
    live: bool = True
    """Whether the run went on when watching began; the end of an old one is no news."""
    retries: int = 0
    """Times in a row that a relay was lost without a new event."""


class RunMonitor(QObject):
    """All runs of the open workspace.

    Args:
        session: What is open.
        background: Reads the list of runs and waits for forced stops.
        messages: Where failures to start, stop or resume are said.

    Signals:
        changed: Id of a run whose history has grown; at most ten times a second for each run.
        ended: Id of a run that went on until now, and the `RunOutcome` of watching it.
        lines_added: Id of a run that goes on, and new `LogLine` records.
        listed: All runs as a tuple of `RunOverview`, newest first.
    """

    changed = Signal(str)
    ended = Signal(str, object)
    lines_added = Signal(str, object)
    listed = Signal(object)

    def __init__(self, session: Session, background: Background, messages: Messages) -> None:
        super().__init__()
        self._session = session
        self._background = background
        self._messages = messages
        self._watched: dict[str, _Watched] = {}
        self._names: frozenset[str] = frozenset()
        self._dirty: set[str] = set()
        self._draw = QTimer(self)
        self._draw.setSingleShot(True)
        self._draw.setInterval(_DRAW_MS)
        self._draw.timeout.connect(self._tell_changes)
        self._look = QTimer(self)
        self._look.setInterval(_LOOK_MS)
        self._look.timeout.connect(self._look_for_runs)
        session.opened.connect(self._open)
        session.closing.connect(self.close)
        if session.workspace is not None:
            self._open()

    # Reading

    def history(self, run_id: str) -> RunHistory | None:
        """What is known of a run that is or was watched."""
        watched = self._watched.get(run_id)
        return watched.history if watched is not None else None

    def folder(self, run_id: str) -> RunFolder | None:
        """The folder of a run that is or was watched."""
        watched = self._watched.get(run_id)
        return watched.folder if watched is not None else None

    def spec(self, run_id: str) -> RunSpec | None:
        """What a run that is or was watched was asked to do."""
        watched = self._watched.get(run_id)
        return watched.spec if watched is not None else None

    def curve_of(self, run_id: str) -> str:
        """The learning curve that a watched run is a part of, or nothing; it speaks for its parts."""
        spec = self.spec(run_id)
        return str(spec.request.get("curve") or "") if spec is not None else ""

    def refresh(self) -> None:
        """Reads the list of runs again and attaches to those that go on."""
        if self._session.workspace is None:
            return
        root = self._session.root
        self._names = _names(self._session.workspace.runs_folder)

        def done(found: tuple[list[tuple[RunFolder, RunOverview]], list[str]]) -> None:
            if not self._session.is_at(root):
                return
            runs, problems = found
            for problem in problems:
                self._messages.warning(problem)
            for folder, run in runs:
                if not run.state.is_over:
                    self.attach(folder)
            self.listed.emit(tuple(run for _, run in runs))

        self._background.run(lambda _: _read_runs(root), done)

    # Acting

    def launch(self, folder: RunFolder) -> None:
        """Starts the worker of a run and watches it."""
        self._watch(folder, "launch")
        self.refresh()

    def attach(self, folder: RunFolder) -> None:
        """Watches a run: all of its history first. A run that is watched already is left alone."""
        watched = self._watched.get(folder.id)
        if watched is not None and watched.relay is not None:
            return
        result = watched.history.outcome if watched is not None else None
        if result is None or result.ending is Ending.LOST or not folder.state().is_over:
            self._watch(folder, "relay")

    def stop(self, run_id: str) -> None:
        """Asks a run to save a checkpoint and end."""
        watched = self._watched[run_id]
        try:
            request_stop(watched.folder)
        except OcrStudioError as problem:
            self._messages.failure(problem)
            return
        watched.history.state = RunState.STOPPING
        self._mark(run_id)

    def stop_now(self, run_id: str) -> None:
        """Ends the worker of a run within seconds, whether it could save or not."""
        watched = self._watched[run_id]
        watched.history.state = RunState.STOPPING
        self._mark(run_id)
        folder = watched.folder
        self._background.run(lambda _: force_stop(folder, _IMPATIENT), lambda _: None)

    def resume(self, folder: RunFolder) -> None:
        """Goes on with a run that was stopped, interrupted or failed."""
        try:
            resume(folder)
        except OcrStudioError as problem:
            self._messages.failure(problem)
            return
        watched = self._watched.get(folder.id)
        if watched is not None:
            watched.history.restart()
            watched.retries = 0
        self.launch(folder)

    def close(self) -> None:
        """Ends all relays; the runs go on."""
        self._look.stop()
        self._draw.stop()
        for watched in self._watched.values():
            if watched.relay is not None:
                _dispose(watched.relay)
        self._watched.clear()
        self._dirty.clear()
        self._names = frozenset()

    # Inside

    def _open(self) -> None:
        self.refresh()
        self._look.start()

    def _look_for_runs(self) -> None:
        """Runs that the command line started in this workspace appear by themselves."""
        if self._session.workspace is not None and _names(self._session.workspace.runs_folder) != self._names:
            self.refresh()

    def _watch(self, folder: RunFolder, action: str, *, known_live: bool = False) -> None:
        """Starts a relay; with ``known_live`` the run went on a moment ago, so its end is news anyway."""
        watched = self._watched.get(folder.id)
        if watched is None:
            spec = folder.spec
            watched = self._watched[folder.id] = _Watched(folder, spec, RunHistory(spec.kind))
        elif watched.relay is not None:
            _dispose(watched.relay)
        watched.live = known_live or action == "launch" or not folder.state().is_over
        after = watched.history.last_seq
        command = relay_command(action, str(folder.path), "--after", str(after))
        relay = RelayProcess(command, launches=action == "launch", after=after, parent=self)
        watched.relay = relay
        relay.received.connect(lambda events: self._take(folder.id, events))
        relay.ended.connect(lambda result: self._end(folder.id, relay, result))
        relay.start()
        self._mark(folder.id)

    def _take(self, run_id: str, events: tuple[Event, ...]) -> None:
        watched = self._watched[run_id]
        watched.retries = 0
        lines = watched.history.take_all(events)
        if lines and watched.live:
            self.lines_added.emit(run_id, tuple(lines))
        self._mark(run_id)

    def _end(self, run_id: str, relay: RelayProcess, result: RunOutcome) -> None:
        watched = self._watched[run_id]
        watched.relay = None
        relay.deleteLater()
        if result.ending is Ending.LOST and watched.retries < _ATTACH_AGAIN:
            watched.retries += 1
            self._watch(watched.folder, "relay", known_live=watched.live)
            return
        if relay.missing:
            self._messages.warning(f"{relay.missing} events of the run {run_id} are missing in its log.")
        watched.history.end(result)
        self._mark(run_id)
        self._tell_changes()
        if watched.live:
            self.ended.emit(run_id, result)
            self.refresh()

    def _mark(self, run_id: str) -> None:
        self._dirty.add(run_id)
        if not self._draw.isActive():
            self._draw.start()

    def _tell_changes(self) -> None:
        dirty, self._dirty = self._dirty, set()
        for run_id in dirty:
            self.changed.emit(run_id)


def _dispose(relay: RelayProcess) -> None:
    relay.close()
    relay.deleteLater()


def _names(runs: Path) -> frozenset[str]:
    """Names of the folders of runs; an unreadable folder has none."""
    try:
        return frozenset(entry.name for entry in runs.iterdir())
    except OSError:
        return frozenset()


def _read_runs(root: Path) -> tuple[list[tuple[RunFolder, RunOverview]], list[str]]:
    folders, problems = find_run_folders([root])
    return [(folder, overview(folder)) for folder in folders], problems
