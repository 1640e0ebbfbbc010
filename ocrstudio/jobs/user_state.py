"""Where this user's machine-wide files live: locks, the log, what trains. Never labels, runs or secrets."""

import os
import sys
from pathlib import Path

STATE_VARIABLE = "OCRSTUDIO_STATE_DIR"


def state_dir() -> Path:
    """The folder for state of this user on this machine (not created here).

    ``OCRSTUDIO_STATE_DIR`` wins; otherwise the place that the platform names for it.
    """
    chosen = os.environ.get(STATE_VARIABLE)
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "ocrstudio"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "ocrstudio"
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "ocrstudio"


def data_dir() -> Path:
    """The folder for large files of this user on this machine that can be had again (not created here).

    The same as `state_dir`, but for Linux, where the two have places of their own.
    """
    if os.environ.get(STATE_VARIABLE) or sys.platform in ("win32", "darwin"):
        return state_dir()
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "ocrstudio"
