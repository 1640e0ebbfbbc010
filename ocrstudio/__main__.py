"""``ocrstudio`` and ``python -m ocrstudio``: the window, or the command line.

Without arguments, or with the path of a workspace or document as the only one, the window opens.
"""

import sys
import warnings
from pathlib import Path

from ocrstudio.paths import is_frozen


def main() -> int:
    """Start what the arguments ask for; returns the exit status."""
    argv = sys.argv[1:]
    if is_frozen():
        status = _frozen_child(argv)
        if status is not None:
            return status
    if not argv or _is_path_to_open(argv):
        return _window(argv)
    from ocrstudio.cli.main import main as command_line

    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # what libraries warn of is for programmers
    return command_line(argv)


def _is_path_to_open(argv: list[str]) -> bool:
    """Whether the only argument names something on disk that is not also the name of a command."""
    from ocrstudio.cli.main import COMMANDS

    try:
        return len(argv) == 1 and argv[0] not in COMMANDS and Path(argv[0]).exists()
    except OSError:  # a name too long, or a folder that may not be looked into: the command line says so
        return False


def _window(argv: list[str]) -> int:
    try:
        from ocrstudio.ui.app import main as window
    except ImportError as error:
        sys.stderr.write(
            f"Error: The window cannot be opened on this machine: {error}.\n"
            "Hint: The command line works without it; see `ocrstudio --help`.\n"
        )
        return 1
    return window(argv)


def _frozen_child(argv: list[str]) -> int | None:
    """Be the child process that a frozen application started through its own executable, or return None."""
    import multiprocessing
    import runpy

    from ocrstudio.jobs.child_environment import leave_bundle
    from ocrstudio.jobs.command_line import frozen_module

    leave_bundle()
    multiprocessing.freeze_support()
    child = frozen_module(argv)
    if child is None:
        return None
    module, arguments = child
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
