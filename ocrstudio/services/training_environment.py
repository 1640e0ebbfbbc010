"""Makes the Python environment in which a frozen application trains, with uv, and removes it again.

uv and this version of the program (a wheel) are in the installer; the packages, and Python where the machine
has none that fits, come from the network. Whatever ends an installation, the next one goes on from there:
what has arrived stays in a cache, and the environment is used only once it is marked as complete. All of it,
that cache and a downloaded Python included, is in one folder.
"""

import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import metadata
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from ocrstudio.domain.errors import InputError, RunError
from ocrstudio.domain.wording import size_of
from ocrstudio.jobs import training_environment as environment
from ocrstudio.jobs.child_environment import child_environment
from ocrstudio.jobs.process_tree import own_session
from ocrstudio.jobs.training_environment import CONSTRAINTS, INSTALL_COMMAND, Status
from ocrstudio.paths import is_frozen, resources_dir, training_kit_dir
from ocrstudio.services.disk import free_bytes

LOG = "install.log"
ROOM_BYTES = 7 * 2**30
"""What the environment takes on disk (6.0 GiB on Linux with CUDA), with some to spare."""

_EXTRA = "train"
# PyPI's torch for Windows has no CUDA; uv finds the build that fits the driver on torch's own index.
_BACKENDS = {"win32": "auto"}
_CHECK = "from ocrstudio.worker.bodies import load_body; load_body('train')"
# A file that has not wholly arrived when an installation is interrupted is fetched again; uv
# would fetch fifty at once, all of the large ones among them.
_ENVIRONMENT = {"NO_COLOR": "1", "PYTHONUNBUFFERED": "1", "UV_CONCURRENT_DOWNLOADS": "4"}
_CACHE, _PYTHON = "uv-cache", "uv-python"
_HALF_ARRIVED = ".tmp*"
_POLL = 0.1
_PATIENCE = 5.0
_KEPT_LINES = 40
_CAUSES = (
    (("dns error", "error sending request", "could not connect", "timed out", "network is unreachable"),
     "there is no connection to the package index"),
    (("no space left", "not enough space", "quota exceeded"), "the disk is full"),
    (("no interpreter found", "no download found", "no python"),
     "no Python that fits was found or could be downloaded"),
    (("no solution found",), "the packages that fit together are not on the package index for this machine"),
)  # fmt: skip
_LISTED = ("+ ", "- ", "~ ")  # the packages, one by one
_SHOW_EVERY = 1.0
_AGAIN = f"`{INSTALL_COMMAND}` goes on where it stopped."

Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class Installation:
    """What an installation would do.

    Attributes:
        folder: The environment.
        status: How it stands now.
        free: Free bytes on its disk.
        uv: The program that installs.
        wheel: This version of OCR Studio.
    """

    folder: Path
    status: Status
    free: int
    uv: Path
    wheel: Path

    def in_words(self) -> str:
        """What the user is asked about, in sentences."""
        update = self.status is Status.OUTDATED
        what = (
            "brings the packages up to date"
            if update
            else "downloads PyTorch, Transformers and what they need (and Python, if none here fits)"
        )
        return (
            f"Training and running the student need packages that the installer does not hold. This {what} "
            f"from the package index into {self.folder}: up to {size_of(ROOM_BYTES)} on disk "
            f"({size_of(self.free)} are free). Nothing outside that folder is changed. "
            "An installation that is interrupted goes on where it stopped."
        )


class CancelledError(RunError):
    """The user ended the installation."""


def plan() -> Installation:
    """Look at what is there; nothing is changed.

    Raises:
        InputError: The folder for the environment holds something else.
        RunError: This program needs no such environment, or its installer lacks what makes one.
    """
    if not is_frozen():
        raise RunError(
            f"This OCR Studio runs in a Python of its own ({sys.prefix}); what trains belongs there.",
            "Install it with: pip install 'ocrstudio[train]' (in a checkout: uv sync --extra train).",
        )
    wheel = next(iter(sorted(training_kit_dir().glob("ocrstudio-*.whl"))), None)
    uv = _uv()
    if wheel is None or uv is None:
        lacking = "the wheel of OCR Studio" if wheel is None else "uv"
        raise RunError(
            f"The training environment cannot be made: {lacking} is missing in {training_kit_dir()}.",
            "Install OCR Studio again."
            if wheel is None
            else "Install OCR Studio again, or uv on this machine.",
        )
    folder = environment.folder()
    if folder.exists() and not environment.is_ours(folder) and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(
            f"{folder} is not a training environment of OCR Studio and is left alone.",
            f"Name a new folder in {environment.FOLDER_VARIABLE}, or move this one away.",
        )
    return Installation(folder, environment.status(), free_bytes(folder), uv, wheel)


def install(
    what: Installation,
    on_progress: Progress,
    cancelled: Callable[[], bool] = lambda: False,
    *,
    backend: str | None = None,
) -> None:
    """Make the environment, go on with an unfinished one, or bring it up to date.

    Args:
        what: From `plan`.
        on_progress: Told what happens, and how many bytes were written so far (0 where the system does not
            say); called in this thread, once a second or more often.
        cancelled: Asked ten times a second whether to stop.
        backend: Which build of torch, as uv's ``--torch-backend`` takes it (``cpu``, ``auto``, ``cu128``, …);
            None for what the package index has (on Windows: what fits the driver).

    Raises:
        CancelledError: The user ended it.
        RunError: It failed; the next attempt goes on from there.
    """
    try:
        what.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(what.folder.with_name(what.folder.name + ".lock"), timeout=0):
            environment.mark(ready=False)
            for half_arrived in (what.folder / _CACHE).glob(_HALF_ARRIVED):
                shutil.rmtree(half_arrived)
            with (what.folder / LOG).open("w", encoding="utf-8") as log:
                steps = _Steps(what, on_progress, cancelled, log.write)
                steps.create()
                steps.fill(backend or _BACKENDS.get(sys.platform))
                steps.check()
            environment.mark(ready=True)
            shutil.rmtree(
                what.folder / _CACHE, ignore_errors=True
            )  # it shares its files with the environment
    except Timeout:
        raise RunError(
            f"The training environment in {what.folder} is being installed by another process.",
            "Wait until it is done.",
        ) from None
    except OSError as error:
        raise RunError(
            f"The training environment cannot be written: {error.filename or what.folder}: "
            f"{error.strerror or error}.",
            f"Name another folder in {environment.FOLDER_VARIABLE}.",
        ) from error


def remove() -> Path | None:
    """Delete the environment; its folder, or None when there was none.

    Raises:
        RunError: It cannot be deleted.
    """
    folder = environment.folder()
    if not environment.is_ours(folder):
        return None
    try:
        environment.mark(ready=False)  # should deleting stop halfway
        shutil.rmtree(folder)
    except OSError as error:
        raise RunError(
            f"{error.filename or folder} cannot be deleted: {error.strerror or error}.",
            "Is a training still running?",
        ) from error
    return folder


def _uv() -> Path | None:
    name = "uv.exe" if sys.platform == "win32" else "uv"
    shipped = training_kit_dir() / name
    if shipped.is_file():
        return shipped
    found = shutil.which(name)
    return Path(found) if found else None


@dataclass
class _Steps:
    """The commands of an installation."""

    what: Installation
    on_progress: Progress
    cancelled: Callable[[], bool]
    log: Callable[[str], object]
    text: str = ""
    shown: float = 0.0

    def create(self) -> None:
        """An environment with a Python that fits; what one that exists already holds stays."""
        self._say("Looking for Python …")
        wanted = metadata("ocrstudio")["Requires-Python"]
        self._run([str(self.what.uv), "venv", "--allow-existing", "--python", wanted, str(self.what.folder)])

    def fill(self, backend: str | None) -> None:
        """This version of the program, and what trains, in the versions that were tried together."""
        self._say("Choosing the packages …")
        command = [
            str(self.what.uv), "pip", "install", "--python", str(environment.python_of(self.what.folder)),
            "--constraint", str(resources_dir() / CONSTRAINTS), "--reinstall-package", "ocrstudio",
        ]  # fmt: skip
        command += ["--torch-backend", backend] if backend else []
        self._run([*command, f"ocrstudio[{_EXTRA}] @ {self.what.wheel.as_uri()}"])

    def check(self) -> None:
        """Import what trains once: a library that this machine lacks shows now."""
        self._say("Trying whether everything can be loaded …")
        self._run([str(environment.python_of(self.what.folder)), "-c", _CHECK], told=False)

    def _say(self, line: str) -> None:
        self.log(f"# {line}\n")
        self._show(line, 0)

    def _run(self, command: Sequence[str], *, told: bool = True) -> None:
        """Run a command to its end; what it says goes into the log, and to the user if he is to be told."""
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            cwd=self.what.folder,  # uv reads a pyproject.toml or uv.toml where it is started
            env={
                **_ENVIRONMENT,
                "UV_CACHE_DIR": str(self.what.folder / _CACHE),
                "UV_PYTHON_INSTALL_DIR": str(self.what.folder / _PYTHON),
                **child_environment(),
            },
            **own_session(detached=False),
        )
        lines: queue.Queue[str | None] = queue.Queue()
        reader = threading.Thread(target=_read, args=(process, lines), daemon=True)
        reader.start()
        said: list[str] = []
        try:
            while (line := self._next(lines)) is not None:
                if line:
                    said = [*said, line][-_KEPT_LINES:]
                    self.log(f"{line}\n")
                if told and line and not line.startswith(_LISTED):
                    self._show(line, _written(process.pid))
                elif time.monotonic() - self.shown >= _SHOW_EVERY:
                    self._show(self.text, _written(process.pid))
                if self.cancelled():
                    raise CancelledError("The installation was stopped.", _AGAIN)
        finally:
            _end(process)
            reader.join()
        if process.returncode != 0:
            raise self._failure(said, process.returncode)

    def _show(self, text: str, written: int) -> None:
        self.text, self.shown = text, time.monotonic()
        self.on_progress(text, written)

    @staticmethod
    def _next(lines: "queue.Queue[str | None]") -> str | None:
        """The next line, empty when there is none yet, None when there will be none."""
        try:
            return lines.get(timeout=_POLL)
        except queue.Empty:
            return ""

    def _failure(self, said: Sequence[str], status: int) -> RunError:
        text = "\n".join(said).lower()
        cause = next((words for signs, words in _CAUSES if any(sign in text for sign in signs)), None)
        if cause is None:
            told = next((line for line in reversed(said) if "rror" in line), said[-1] if said else "")
            cause = told.removeprefix("error: ").rstrip(".") or f"the installer ended with status {status}"
        return RunError(
            f"The training environment is not complete: {cause}.",
            f"{_AGAIN} Everything that was said is in {self.what.folder / LOG}.",
        )


def _written(pid: int) -> int:
    try:
        return int(psutil.Process(pid).io_counters().write_bytes)
    except (psutil.Error, AttributeError):  # gone; or a system that does not count
        return 0


def _read(process: "subprocess.Popen[str]", lines: "queue.Queue[str | None]") -> None:
    if process.stdout is not None:
        with process.stdout:
            for line in process.stdout:
                lines.put(line.strip())
    lines.put(None)


def _end(process: "subprocess.Popen[str]") -> None:
    """Collect a process; one that still runs is ended first, so that it lets go of the environment."""
    if process.poll() is None:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_POLL)  # its output has ended a moment before itself
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE)
    if process.poll() is None:
        process.kill()
    process.wait()
