"""What this machine offers: versions, GPU, memory, disk, model. Works without torch installed."""

import platform
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil

from ocrstudio import __version__
from ocrstudio.domain.embedded import EMBEDDED, REPAIR, is_embedded
from ocrstudio.domain.wording import size_of
from ocrstudio.jobs import training_environment
from ocrstudio.jobs.training_environment import CONSTRAINTS, Status
from ocrstudio.paths import resources_dir
from ocrstudio.services.disk import free_bytes
from ocrstudio.services.model_download import needs_download
from ocrstudio.services.model_folder import download_command, embedded_problem, folder_problem
from ocrstudio.services.run_requests import base_revision, installed_version, own_version

_GPU_TIMEOUT = 20.0
_GPU_FIELDS = "name,driver_version,memory.total,memory.free"
_MIB = 2**20
_DOWNLOAD_BYTES = 7 * 2**30
"""Room that the public model takes, with some to spare."""


class Verdict(StrEnum):
    """How something was found."""

    OK = "ok"
    DIFFERS = "differs"
    MISSING = "missing"
    PROBLEM = "problem"


@dataclass(frozen=True)
class PackageCheck:
    """A package beside the version that is known to work.

    Attributes:
        name: Distribution name.
        installed: Version, or None.
        known: Version that was tried with the others.
    """

    name: str
    installed: str | None
    known: str

    @property
    def verdict(self) -> Verdict:
        """Whether it is the known version; a local part (``2.11.0+cu130``) makes no difference."""
        if self.installed is None:
            return Verdict.MISSING
        return Verdict.OK if _release(self.installed) == _release(self.known) else Verdict.DIFFERS


@dataclass(frozen=True)
class Gpu:
    """A GPU as its driver describes it; memory in bytes, None where it shares the machine's."""

    name: str
    driver: str
    memory_total: int | None
    memory_free: int | None

    def in_words(self) -> str:
        """One line."""
        if self.memory_total is None or self.memory_free is None:
            return f"{self.name}, memory not stated, driver {self.driver}"
        room = f"{size_of(self.memory_free)} of {size_of(self.memory_total)} free"
        return f"{self.name}, {room}, driver {self.driver}"


@dataclass(frozen=True)
class ModelCheck:
    """A model folder.

    Attributes:
        name: The folder, or the word of an embedded student.
        verdict: OK, MISSING or PROBLEM.
        detail: One sentence.
    """

    name: str
    verdict: Verdict
    detail: str


@dataclass(frozen=True)
class Environment:
    """What `look_around` found; sizes in bytes.

    Attributes:
        ocrstudio: Version of this program.
        python: Version of Python.
        platform: Operating system and machine.
        processors: Logical CPU cores.
        memory_total: Main memory.
        memory_available: Main memory that programs can have now.
        disk_free: Free space where runs would be written.
        packages: The packages that matter.
        gpus: GPUs that the NVIDIA driver lists.
        gpu_problem: Why there is no list of GPUs, or empty.
        training: Why an installed program cannot train yet and what to do about it, or empty.
    """

    ocrstudio: str
    python: str
    platform: str
    processors: int
    memory_total: int
    memory_available: int
    disk_free: int
    packages: tuple[PackageCheck, ...]
    gpus: tuple[Gpu, ...]
    gpu_problem: str
    training: str = ""


def look_around(folder: Path) -> Environment:
    """Describe this machine.

    Args:
        folder: Where runs would be written; its disk is looked at.
    """
    memory = psutil.virtual_memory()
    gpus, problem = find_gpus()
    return Environment(
        ocrstudio=__version__,
        python=platform.python_version(),
        platform=platform.platform(terse=True) + " " + platform.machine(),
        processors=psutil.cpu_count() or 1,
        memory_total=memory.total,
        memory_available=memory.available,
        disk_free=free_bytes(folder),
        packages=tuple(check_packages()),
        gpus=tuple(gpus),
        gpu_problem=problem,
        training=str(training_environment.problem() or ""),
    )


def known_versions(text: str) -> dict[str, str]:
    """Read a constraints file of ``name==version`` lines."""
    pairs = (line.partition("#")[0].strip().partition("==") for line in text.splitlines())
    return {name.strip(): version.strip() for name, equal, version in pairs if equal}


def _release(version: str) -> str:
    """The part of a version that counts: ``2.0`` and ``2.0.0+cu130`` are both ``2``."""
    release = version.partition("+")[0]
    while release.endswith(".0"):
        release = release.removesuffix(".0")
    return release


def check_packages() -> list[PackageCheck]:
    """Compare the installed packages with the versions that were tried together."""
    known = known_versions((resources_dir() / CONSTRAINTS).read_text(encoding="utf-8"))
    checks = [
        PackageCheck(name, own_version(name) or installed_version(name), version)
        for name, version in known.items()
    ]
    if training_environment.status() in (Status.OWN, Status.READY):
        return checks
    return [check for check in checks if check.installed is not None]  # the others come all together


def find_gpus(command: Sequence[str] = ("nvidia-smi",)) -> tuple[list[Gpu], str]:
    """Ask the NVIDIA driver for its GPUs, without torch.

    Returns:
        The GPUs, and a sentence when they cannot be listed.
    """
    program = shutil.which(command[0])
    if program is None:
        return [], "no NVIDIA driver was found; training on the CPU suits the built-in reader only"
    query = [program, *command[1:], f"--query-gpu={_GPU_FIELDS}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(
            query, capture_output=True, text=True, errors="replace", timeout=_GPU_TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return [], f"nvidia-smi did not answer: {error}"
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()[:200] or f"status {done.returncode}"
        return [], f"nvidia-smi failed: {said}"
    return [gpu for line in done.stdout.splitlines() if (gpu := _gpu(line)) is not None], ""


def _gpu(line: str) -> Gpu | None:
    try:
        name, driver, total, free = (part.strip() for part in line.rsplit(",", 3))
    except ValueError:
        return None
    return Gpu(name, driver, _mebibytes(total), _mebibytes(free))


def _mebibytes(text: str) -> int | None:
    """Bytes; None for ``[N/A]`` and the like, which is what a GPU without memory of its own says."""
    return int(text) * _MIB if text.isascii() and text.isdigit() else None


def check_model(name: str) -> ModelCheck:
    """Look whether a model folder is there and complete; nothing is loaded or downloaded.

    Args:
        name: A folder, or the word of an embedded student.
    """
    embedded = EMBEDDED.get(name)
    if embedded is not None:
        detail = "random weights, for trying out" if embedded.random else "reads print, runs on any CPU"
        problem = embedded_problem(name)
        return ModelCheck(name, Verdict.PROBLEM if problem else Verdict.OK, problem or f"built in; {detail}")
    folder = Path(name).expanduser()
    if not folder.is_dir():
        comes = "not there yet; train, evaluate and infer download it (about 6.7 GB)"
        absent = comes if needs_download(str(folder)) else "there is no such folder"
        return ModelCheck(name, Verdict.MISSING, absent)
    problem = folder_problem(folder)
    if problem:
        return ModelCheck(name, Verdict.PROBLEM, problem)
    revision = base_revision(name)
    return ModelCheck(
        name,
        Verdict.OK,
        "complete, in the public layout" + (f", revision {revision[:12]}" if revision else ""),
    )


def advice(environment: Environment, model: ModelCheck) -> list[str]:
    """What the user may want to do before training, as sentences."""
    sentences = []
    missing = [check.name for check in environment.packages if check.verdict is Verdict.MISSING]
    if environment.training:
        sentences.append(environment.training)
    elif "torch" in missing or "transformers" in missing:
        sentences.append("To train or run the student, install: pip install 'ocrstudio[train]'.")
    differing = [check.name for check in environment.packages if check.verdict is Verdict.DIFFERS]
    if differing:
        known = resources_dir() / CONSTRAINTS
        sentences.append(
            f"{', '.join(differing)}: not the versions that were tried together; use -c {known}."
        )
    if model.verdict is Verdict.MISSING and environment.disk_free < _DOWNLOAD_BYTES:
        sentences.append("The disk has too little room for the model (about 7 GiB).")
    if model.verdict is Verdict.PROBLEM:
        sentences.append(
            REPAIR if is_embedded(model.name) else f"Download the model again: {download_command(model.name)}"
        )
    return sentences
