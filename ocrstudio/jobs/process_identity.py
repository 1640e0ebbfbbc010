"""Which process works on a run, safely named: a pid alone may belong to somebody else after a restart."""

import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import psutil

from ocrstudio.settings.files import write_text


@dataclass(frozen=True)
class ProcessIdentity:
    """A process.

    Attributes:
        pid: Process id.
        started: When it started, as an exact mark: on Linux the boot id and the kernel's ticks (its Unix
            time shifts when the clock is set), elsewhere Unix time in seconds.
    """

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int | None = None) -> Self:
        """The identity of a process, by default this one.

        Raises:
            psutil.NoSuchProcess: There is no such process.
        """
        pid = os.getpid() if pid is None else pid
        return cls(pid, _start_mark(pid))

    def process(self) -> psutil.Process | None:
        """The live process, or None when it is gone, a zombie, or another process has its pid now."""
        try:
            process = psutil.Process(self.pid)
            if _start_mark(self.pid) == self.started and process.status() != psutil.STATUS_ZOMBIE:
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
        write_text(path, json.dumps(asdict(self)) + "\n")

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """Read it, or None when it was never written or is damaged."""
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            return cls(int(data["pid"]), str(data["started"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None


def _start_mark(pid: int) -> str:
    if not sys.platform.startswith("linux"):
        return f"{psutil.Process(pid).create_time():.3f}"
    try:
        # Field 22 of /proc/PID/stat; the name in field 2 may hold spaces and parentheses.
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError as error:
        raise psutil.NoSuchProcess(pid) from error
    ticks = status.rpartition(")")[2].split()[19]
    return f"{boot}:{ticks}"
