"""The one place that finds config/ and resources/.

Three layouts: a checkout (both folders beside the package), a wheel (inside the package, under ``_data``) and
a frozen application (PyInstaller unpacks them under ``sys._MEIPASS``). Nothing else may compute these paths.
"""

import sys
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def data_root() -> Path:
    """The folder that holds ``config/`` and ``resources/``."""
    frozen = getattr(sys, "_MEIPASS", None)
    if frozen is not None:
        return Path(frozen)
    inside_wheel = _PACKAGE / "_data"
    return inside_wheel if inside_wheel.is_dir() else _PACKAGE.parent


def config_dir() -> Path:
    """The shipped, read-only defaults."""
    return data_root() / "config"


def resources_dir() -> Path:
    """Icons, styles, the demo document, the students that come with the program."""
    return data_root() / "resources"


def training_kit_dir() -> Path:
    """What a frozen application makes its training environment with: uv, and this version as a wheel."""
    return data_root() / "training"


def is_frozen() -> bool:
    """Whether this is the installer's program, which has no Python of its own to install packages into."""
    return bool(getattr(sys, "frozen", False))
