"""The worker's side of `ocrstudio.jobs.context.RunContext`."""

import threading
from typing import Any

from ocrstudio.jobs.events import EventType, EventWriter
from ocrstudio.jobs.run_folder import RunFolder


class WorkerContext:
    """What the body of a run is given.

    Args:
        folder: The run.
        writer: Its event log.
    """

    def __init__(self, folder: RunFolder, writer: EventWriter) -> None:
        self.folder = folder
        self._writer = writer
        self._stop = threading.Event()
        self._told = False
        self._commands_size = -1

    def emit(self, type: str, **data: Any) -> None:  # noqa: A002, ANN401 - the protocol's word; any JSON value
        """Write one event."""
        self._writer.write(type, data)

    def request_stop(self) -> None:
        """Note that the run is to end (also called by the signal handler: it only sets a flag)."""
        self._stop.set()

    @property
    def was_stopped(self) -> bool:
        """Whether the body was told to stop. A request that came after its last question does not count."""
        return self._told

    def should_stop(self) -> bool:
        """Whether the run is to end. One ``stat`` while no new command was written."""
        size = self._size_of_commands()
        if size != self._commands_size:
            self._commands_size = size
            if self.folder.orders().stop_requested:
                self._stop.set()
        if self._stop.is_set() and not self._told:
            self._told = True
            self.emit(EventType.STOPPING, message="Saving and ending as asked")
        return self._told

    def _size_of_commands(self) -> int:
        try:
            return self.folder.commands_path.stat().st_size
        except OSError:
            return 0
