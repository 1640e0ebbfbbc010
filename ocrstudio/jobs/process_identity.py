"""Which process works on a run, safely named: a pid alone may belong to somebody else after a restart."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import psutil

from ocrstudio.jobs.files import write_atomically

_START_TOLERANCE = 2.0
"""Seconds by which two readings of one process's start time may differ (boot time is corrected by NTP)."""


@dataclass(frozen=True)
class ProcessIdentity:
    """A process.

    Attributes:
        pid: Process id.
        started: Unix time at which the process started, as psutil reports it.
    """

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int | None = None) -> Self:
        """The identity of a process, by default this one.

        Raises:
            psutil.NoSuchProcess: There is no such process.
        """
        pid = os.getpid() if pid is None else pid
        return cls(pid, psutil.Process(pid).create_time())

    def process(self) -> psutil.Process | None:
        """The live process, or None when it is gone, a zombie, or another process has its pid now."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < _START_TOLERANCE
            if same and process.status() != psutil.STATUS_ZOMBIE:
                return process
        except psutil.Error:
            return None
        return None

    @property
    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return self.process() is not None

    def save(self, path: Path) -> None:
        """Write it atomically."""
        write_atomically(path, json.dumps(asdict(self)) + "\n")

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """Read it, or None when it was never written or is damaged."""
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            return cls(int(data["pid"]), float(data["started"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
