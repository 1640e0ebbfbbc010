"""The environment that child processes are started with."""

import os
from collections.abc import Mapping

from ocrstudio.paths import data_root, is_frozen

# Threads of OpenMP spin while they wait for each other. On a machine that does something else as well, one of
# them is not running, and the others burn their time slices waiting for it: a training step of the micro
# student with two threads took 1.7 s (up to 6.7 s) on two busy cores, and 0.26 s with waiting threads asleep.
# On idle cores, waking them costs about 0.07 s a step.
_DEFAULTS = {"OMP_WAIT_POLICY": "PASSIVE"}

_PYINSTALLER = "_PYI_"


def child_environment(given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our environment (or a given one) with defaults for numerical libraries; what it already sets wins."""
    return {**_DEFAULTS, **(os.environ if given is None else given)}


def leave_bundle() -> None:
    """Take what PyInstaller set for this process out of the environment that its children get.

    A frozen application runs with the folder of its own libraries in LD_LIBRARY_PATH and in variables of Qt.
    Every program that is not part of it (Tesseract, nvidia-smi, the file manager, the Python that trains)
    would load those libraries in place of its own. Children that are this executable set them again by
    themselves. Elsewhere than in a frozen application nothing happens.
    """
    if is_frozen():
        kept = outside_environment(os.environ, str(data_root()))
        for name in [name for name in os.environ if name not in kept]:
            del os.environ[name]
        os.environ.update(kept)


def outside_environment(given: Mapping[str, str], bundle: str) -> dict[str, str]:
    """An environment without what points into the folder of a frozen application.

    Args:
        given: The environment of its process.
        bundle: Its folder.
    """
    kept = {}
    for name, value in given.items():
        places = value.split(os.pathsep)
        others = [place for place in places if place != bundle and not place.startswith(bundle + os.sep)]
        if name.startswith(_PYINSTALLER):
            continue
        if len(others) == len(places):
            kept[name] = value
        elif others:
            kept[name] = os.pathsep.join(others)
    return kept
