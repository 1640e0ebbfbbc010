"""The command that starts another process of this program: checkout, wheel or frozen application."""

import sys

from ocrstudio.jobs import training_environment
from ocrstudio.paths import is_frozen

WORKER_MODULE = "ocrstudio.worker"
_FROZEN_WORD = "--worker"


def worker_command(*args: str) -> list[str]:
    """The command line of ``python -m ocrstudio.worker ARGS`` for what needs the student's packages.

    A frozen application does not hold them: the Python of its training environment is called.

    Raises:
        RunError: There is no such environment yet, or it does not fit.
    """
    return [training_environment.worker_python(), "-m", WORKER_MODULE, *args]


def relay_command(action: str, *args: str) -> list[str]:
    """The command line of ``python -m ocrstudio.worker launch|relay``: needs no packages of the student."""
    return module_command(WORKER_MODULE, action, *args)


def module_command(module: str, *args: str) -> list[str]:
    """The command line of ``python -m MODULE ARGS`` for a module of this package that is a process entry.

    A frozen application has no interpreter to call: its own executable is started with a word in front of the
    module, by which ``ocrstudio.__main__`` knows what to run in place of the window.
    """
    if is_frozen():
        return [sys.executable, _FROZEN_WORD, module, *args]
    return [sys.executable, "-m", module, *args]


def frozen_module(argv: list[str]) -> tuple[str, list[str]] | None:
    """The module and arguments that `module_command` put into ``argv`` of a frozen application, or None."""
    if len(argv) >= 2 and argv[0] == _FROZEN_WORD:  # noqa: PLR2004 - the word and the module
        return argv[1], argv[2:]
    return None
