"""Claims standard output for protocol lines, so that no print of any library can break them.

Libraries print from Python and from C. Swapping ``sys.stdout`` catches only the first kind; so the file
descriptor itself is moved: 1 becomes a copy of 2 (the log), and the pipe that was 1 lives on under a number
that only `ClaimedOutput` knows.
"""

import os
import sys
import threading


class ClaimedOutput:
    """The original standard output; everything else that is printed goes to standard error."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()

    def write(self, line: bytes) -> None:
        """Write one whole line; thread safe.

        Raises:
            BrokenPipeError: The reader is gone.
        """
        with self._lock:
            rest = memoryview(line)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]


def claim_stdout() -> ClaimedOutput:
    """Take standard output away from everybody else; call before heavy libraries are imported."""
    sys.stdout.flush()
    descriptor = os.dup(1)
    os.set_inheritable(descriptor, False)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return ClaimedOutput(descriptor)
