"""The folder of a run: everything that is known about it, readable while it runs and years later.

run.yaml        what to do (immutable)          events.jsonl    what happened
commands.jsonl  what was asked meanwhile        worker.log      what libraries printed
worker.json     process that works on it        summary.json    the result
checkpoints/    adapter/
"""

import json
import secrets
import shlex
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Self

import filelock

from ocrstudio.domain.errors import RunError
from ocrstudio.domain.run import RunState
from ocrstudio.jobs.commands import Orders, current_orders
from ocrstudio.jobs.events import EventType, last_event, newest_first
from ocrstudio.jobs.lifecycle import compute_state
from ocrstudio.jobs.process_identity import ProcessIdentity
from ocrstudio.jobs.spec import RunSpec, dump_spec, load_spec
from ocrstudio.settings.files import write_text

SPEC_NAME = "run.yaml"

_START_GRACE = 30.0
"""Seconds after its creation in which a folder that no process has touched yet counts as starting."""


class RunFolder:
    """One run on disk.

    Args:
        path: The folder; it must hold ``run.yaml``.

    Raises:
        RunError: The folder is not a run folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._spec = load_spec(self.path / SPEC_NAME)

    @classmethod
    def create(cls, parent: Path, spec: RunSpec) -> Self:
        """Make a new run folder under ``parent`` (created when missing).

        Raises:
            RunError: The folder cannot be written.
        """
        stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(spec.created))
        path = parent / f"{stamp}-{spec.kind.value}-{secrets.token_hex(2)}"
        try:
            path.mkdir(parents=True)
            (path / "checkpoints").mkdir()
            write_text(path / SPEC_NAME, dump_spec(spec))
        except OSError as error:
            raise RunError(
                f"The run folder {path} cannot be created: {error.strerror or error}.",
                "Choose a folder that you can write to, or free some disk space.",
            ) from error
        return cls(path)

    @property
    def id(self) -> str:
        """Name of the folder."""
        return self.path.name

    @property
    def spec(self) -> RunSpec:
        """What to do now: ``run.yaml``, and for a resumed run the checkpoint where it goes on."""
        checkpoint = self.orders().checkpoint
        return self._spec.with_request(resume_from=checkpoint) if checkpoint else self._spec

    @property
    def events_path(self) -> Path:
        """The event log."""
        return self.path / "events.jsonl"

    @property
    def commands_path(self) -> Path:
        """The commands."""
        return self.path / "commands.jsonl"

    @property
    def log_path(self) -> Path:
        """Everything that the worker and its libraries printed."""
        return self.path / "worker.log"

    @property
    def identity_path(self) -> Path:
        """The process that works on the run."""
        return self.path / "worker.json"

    @property
    def summary_path(self) -> Path:
        """The result."""
        return self.path / "summary.json"

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints."""
        return self.path / "checkpoints"

    @property
    def adapter(self) -> Path:
        """Folder of the final adapter; absent until there is one."""
        return self.path / "adapter"

    @property
    def process_identity(self) -> ProcessIdentity | None:
        """The process that works or worked on the run, or None before the first."""
        return ProcessIdentity.load(self.identity_path)

    def orders(self) -> Orders:
        """What the user asked of the run so far."""
        return current_orders(self.commands_path)

    def state(self) -> RunState:
        """Where the run stands. Reads the end of the event log only."""
        identity = self.process_identity
        last = last_event(self.events_path)
        # Read after the process was found dead: an event written just before its death must count.
        alive = identity.is_alive if identity else self._is_fresh()
        if not alive:
            last = last_event(self.events_path)
        orders = self.orders()
        return compute_state(last, attempt=orders.attempt, stop_requested=orders.stop_requested, alive=alive)

    def summary(self) -> dict[str, Any] | None:
        """The result, or None while there is none.

        Raises:
            RunError: The file is damaged.
        """
        try:
            data = json.loads(self.summary_path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise RunError(f"{self.summary_path} cannot be read: {error}.") from error
        if not isinstance(data, dict):
            raise RunError(f"{self.summary_path} is damaged: it holds no summary.")
        return data

    def newest_checkpoint(self) -> Path | None:
        """The last checkpoint that was reported complete and is still there, or None."""
        for event in newest_first(self.events_path):
            if event.type == EventType.CHECKPOINT:
                reported = Path(str(event.data.get("path", "")))
                for path in (
                    self.path / reported,
                    self.checkpoints / reported.name,
                ):  # the folder may have moved
                    if reported.name and path.is_dir():
                        return path
        return None

    def log_tail(self, lines: int = 12) -> str:
        """The last lines of the worker's log; empty when there is none."""
        try:
            with self.log_path.open("rb") as file:
                file.seek(max(0, self.log_path.stat().st_size - 16_384))
                text = file.read().decode("utf-8", errors="replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def command(self, action: str) -> str:
        """The command that a user types to do something with this run, from any folder."""
        return f"ocrstudio runs {action} {shlex.quote(str(self.path))}"

    def claim(self) -> AbstractContextManager[object]:
        """Make sure that only one process works on the run, for the life of the returned context.

        Raises:
            RunError: Another process does.
        """
        lock = filelock.FileLock(self.path / ".worker.lock")
        try:
            return lock.acquire(timeout=0)
        except filelock.Timeout:
            raise RunError(
                f"The run {self.id} is already being worked on.",
                f"Watch it with: {self.command('attach')}",
            ) from None

    def _is_fresh(self) -> bool:
        return time.time() - self._spec.created < _START_GRACE
