"""One relay as a child process of the window: bytes in, events out, and a named outcome at the end."""

from collections import deque
from collections.abc import Sequence
from time import perf_counter

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal

from ocrstudio.jobs.events import Event, EventStream, EventType, UnknownVersionError
from ocrstudio.ui.jobs import outcome
from ocrstudio.ui.jobs.outcome import ProcessEnd, RunOutcome

_SLICE_SECONDS = 0.008
"""Longest time that decoding keeps the window's thread; a long history comes in many slices."""
_ERRORS_KEPT = 16_384
_TAKEOVER_MS = 15_000
_KILL_MS = 3_000


class RelayProcess(QObject):
    """Runs ``python -m ocrstudio.worker launch|relay RUN`` and decodes what it writes.

    Args:
        command: Program and arguments.
        launches: Whether the process starts the worker itself; it is then not ended before the worker has
            taken over.
        after: Number of the last event that is known already.
        parent: Owner.

    Signals:
        received: A tuple of `Event` in order; each event once.
        ended: The `RunOutcome`; nothing comes after it.
    """

    received = Signal(object)
    ended = Signal(object)

    def __init__(
        self, command: Sequence[str], *, launches: bool, after: int = 0, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._command = list(command)
        self._launches = launches
        self._stream = EventStream(after)
        self._rest = b""
        self._lines: deque[bytes] = deque()
        self._errors = ""
        self._last: Event | None = None
        self._end: Event | None = None
        self._exit: ProcessEnd | None = None
        self._told = False
        self._process = QProcess(self)
        environment = QProcessEnvironment.systemEnvironment()
        environment.insert("PYTHONUNBUFFERED", "1")
        self._process.setProcessEnvironment(environment)
        self._process.readyReadStandardOutput.connect(self._read)
        self._process.readyReadStandardError.connect(self._read_errors)
        self._process.errorOccurred.connect(self._failed)
        self._process.finished.connect(self._finished)
        self._pump = QTimer(self)
        self._pump.setInterval(0)
        self._pump.timeout.connect(self._decode)

    @property
    def missing(self) -> int:
        """Events that are missing in the log."""
        return sum(gap.missing for gap in self._stream.gaps)

    def start(self) -> None:
        """Starts the process; a failure arrives through `ended` as well."""
        self._process.start(self._command[0], self._command[1:])

    def close(self) -> None:
        """Ends the relay, never the run; nothing is emitted any more."""
        self._told = True
        self._pump.stop()
        process = self._process
        if process.state() != QProcess.ProcessState.NotRunning:
            if self._launches and self._last is None:
                # The worker is being started at this moment: its first event says that it stands by itself.
                process.waitForReadyRead(_TAKEOVER_MS)
            process.kill()
            process.waitForFinished(_KILL_MS)

    # From the process

    def _read(self) -> None:
        data = bytes(self._process.readAllStandardOutput().data())
        *complete, self._rest = (self._rest + data).split(b"\n")
        self._lines.extend(complete)
        if not self._told:
            self._pump.start()

    def _read_errors(self) -> None:
        text = bytes(self._process.readAllStandardError().data()).decode("utf-8", errors="replace")
        self._errors = (self._errors + text)[-_ERRORS_KEPT:]

    def _failed(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:
            self._tell(outcome.not_started(self._command[0], self._process.errorString()))

    def _finished(self, code: int, status: QProcess.ExitStatus) -> None:
        self._read_errors()
        self._read()
        self._exit = ProcessEnd(code, status is QProcess.ExitStatus.CrashExit, self._errors)
        if not self._told:
            self._pump.start()

    # To the window

    def _decode(self) -> None:
        events: list[Event] = []
        stop_at = perf_counter() + _SLICE_SECONDS
        try:
            while self._lines and perf_counter() < stop_at:
                event = self._stream.accept(self._lines.popleft())
                if event is not None and event.type == EventType.ENDED:
                    self._end = event
                elif event is not None:
                    events.append(event)
        except UnknownVersionError as problem:
            self._lines.clear()
            self._tell(outcome.unreadable(problem.message, problem.hint))
            self.close()
            return
        if events:
            self._last = events[-1]
            self.received.emit(tuple(events))
        if not self._lines:
            self._pump.stop()
            if self._exit is not None:
                self._tell(self._outcome(self._exit))

    def _outcome(self, end: ProcessEnd) -> RunOutcome:
        if self._end is not None:
            return outcome.of_run(self._end, self._last)
        return outcome.without_ending(end)

    def _tell(self, result: RunOutcome) -> None:
        if not self._told:
            self._told = True
            self._pump.stop()
            self.ended.emit(result)
