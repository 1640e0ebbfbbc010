"""A child process for `LineProcess` that behaves as its first argument says."""

import os
import sys
import time

from ocrstudio.domain.errors import TeacherError
from ocrstudio.jobs.line_server import serve_lines


def _handlers():
    return {
        "echo": lambda **values: values,
        "refuse": _refuse,
        "break": lambda: 1 // 0,
        "die": _die,
        "hang": lambda: time.sleep(60),
        "noise": _noise,
        "environment": os.environ.get,
        "group": lambda: os.getpgid(0),
    }


def _refuse() -> None:
    raise TeacherError("The page is upside down.", "Turn it.", retryable=True)


def _die() -> None:
    sys.stderr.write("out of memory, they said\n")
    sys.stderr.flush()
    os.kill(os.getpid(), 9)


def _noise() -> str:
    print("a library prints")  # noqa: T201 - what libraries do
    os.write(1, b"{native half line")
    return "fine"


def main() -> int:
    how = sys.argv[1]
    if how == "dies early":
        sys.stderr.write("cannot load libfoo.so\n")
        return 3
    if how == "never ready":
        time.sleep(60)

    def setup(notify):
        notify({"message": "loading"})
        if how == "refuses":
            raise TeacherError("The engine is not installed.", "Install it.")
        return _handlers(), {"engine": "fake"}

    return serve_lines(setup)


if __name__ == "__main__":
    sys.exit(main())
