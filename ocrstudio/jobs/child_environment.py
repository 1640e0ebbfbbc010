"""The environment that child processes which compute are started with."""

import os
from collections.abc import Mapping

# Threads of OpenMP spin while they wait for each other. On a machine that does something else as well, one of
# them is not running, and the others burn their time slices waiting for it: a training step of the micro
# student with two threads took 1.7 s (up to 6.7 s) on two busy cores, and 0.26 s with waiting threads asleep.
# On idle cores, waking them costs about 0.07 s a step.
_DEFAULTS = {"OMP_WAIT_POLICY": "PASSIVE"}


def child_environment(given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our environment (or a given one) with defaults for numerical libraries; what it already sets wins."""
    return {**_DEFAULTS, **(os.environ if given is None else given)}
