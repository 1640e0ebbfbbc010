"""The Python environment in which a frozen application trains: where it is, and whether it can be used.

The installer leaves torch out. `ocrstudio.services.training_environment` makes this environment when the user
asks for it; workers are then started with its Python. In a checkout or a wheel nothing of this is needed:
what trains is installed beside the program.
"""

import hashlib
import json
import os
import platform
import sys
from enum import StrEnum
from functools import cache
from pathlib import Path

from ocrstudio.domain.errors import RunError
from ocrstudio.jobs.user_state import data_dir
from ocrstudio.paths import is_frozen, resources_dir, training_kit_dir

FOLDER_VARIABLE = "OCRSTUDIO_TRAINING_ENVIRONMENT"
"""Names another folder for the environment, for instance on a larger disk."""

INSTALL_COMMAND = "ocrstudio environment install"
CONSTRAINTS = "known_versions.txt"

_FOLDER = "training"
_MARK = "ocrstudio-environment.json"


class Status(StrEnum):
    """How the environment stands."""

    OWN = "own"
    """None is needed: what trains is, or can be, installed beside this program."""
    ABSENT = "absent"
    UNFINISHED = "unfinished"
    OUTDATED = "outdated"
    """It was made by another version of the program, or with other versions of the packages."""
    READY = "ready"


_SENTENCES = {
    Status.ABSENT: "The installed program does not hold what trains and runs the student (torch).",
    Status.UNFINISHED: "The training environment in {folder} is not complete.",
    Status.OUTDATED: "The training environment in {folder} belongs to another version of OCR Studio.",
}
_HINTS = {
    Status.ABSENT: f"`{INSTALL_COMMAND}` gets it, and the Environment panel of the window does, too.",
    Status.UNFINISHED: f"`{INSTALL_COMMAND}` goes on where it stopped.",
    Status.OUTDATED: f"`{INSTALL_COMMAND}` brings it up to date.",
}


def folder() -> Path:
    """Where the environment is, or will be."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    return Path(chosen).expanduser().absolute() if chosen else data_dir().absolute() / _FOLDER


def python_of(environment: Path) -> Path:
    """The interpreter of a virtual environment."""
    return environment / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def status() -> Status:
    """Look at the environment; a moment's work, nothing is started."""
    if not is_frozen():
        return Status.OWN
    place = folder()
    if not is_ours(place):
        return Status.ABSENT
    try:
        made_from = json.loads((place / _MARK).read_text(encoding="utf-8"))["made_from"]
    except (OSError, ValueError, KeyError, TypeError):
        return Status.UNFINISHED
    if not made_from or not python_of(place).exists():  # the Python that it was made with may be gone
        return Status.UNFINISHED
    return Status.READY if made_from == fingerprint() else Status.OUTDATED


def is_ours(place: Path) -> bool:
    """Whether a folder was made by this program, finished or not; what is in another one is never touched."""
    return (place / _MARK).is_file()


def problem() -> RunError | None:
    """Why nothing can be trained, as a sentence with what to do; None when all is there (or ought to be)."""
    found = status()
    if found in (Status.OWN, Status.READY):
        return None
    return RunError(_SENTENCES[found].format(folder=folder()), _HINTS[found])


def require_installed() -> None:
    """Make sure that the student can be trained and run, as far as this can be known without trying.

    Raises:
        RunError: The environment is absent, unfinished or outdated.
    """
    found = problem()
    if found is not None:
        raise found


def worker_python() -> str:
    """The interpreter that workers are started with: ours, or that of the environment.

    Raises:
        RunError: As `require_installed`.
    """
    require_installed()
    return str(python_of(folder())) if is_frozen() else sys.executable


def search_path() -> list[str]:
    """Where the packages of the environment are, for `importlib.metadata`; empty when it cannot be used."""
    if status() is not Status.READY:
        return []
    place = folder()
    return [str(one) for one in (place / "Lib" / "site-packages", *place.glob("lib/python*/site-packages"))]


def python_version() -> str:
    """Version of the Python of workers; empty when the environment does not say."""
    if not is_frozen():
        return platform.python_version()
    try:
        lines = (folder() / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return ""
    values = dict(line.replace(" ", "").partition("=")[::2] for line in lines)
    return values.get("version_info") or values.get("version", "")


@cache
def fingerprint() -> str:
    """What an environment is made from: a hash of this version's wheel and of the list of known versions."""
    digest = hashlib.sha256()
    for source in (*sorted(training_kit_dir().glob("*.whl")), resources_dir() / CONSTRAINTS):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def mark(*, ready: bool) -> None:
    """Record that the environment is complete, or that it is being made or changed.

    Raises:
        OSError: It cannot be written.
    """
    target = folder() / _MARK
    unfinished = target.with_suffix(".tmp")
    unfinished.write_text(json.dumps({"made_from": fingerprint() if ready else ""}), encoding="utf-8")
    unfinished.replace(target)
