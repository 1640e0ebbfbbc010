"""The program files that travel with a public checkpoint, carried to a merged one; nothing here runs them.

Some loaders (`AutoModel` with ``trust_remote_code``) find a model's classes by the ``auto_map`` of its
configuration, in files beside it.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from ocrstudio.student.configuration import CONFIG_FILE

_MAP = "auto_map"
_SECTION = "language_config"


def with_code_of(config: dict[str, Any], base: Path) -> dict[str, Any]:
    """A public configuration with the entries that name the classes of its base.

    Args:
        config: From `to_checkpoint_dict`.
        base: Folder of the base model, which was read before.
    """
    original = json.loads((base / CONFIG_FILE).read_text(encoding="utf-8"))
    section = {**_map_of(original.get(_SECTION, {})), **config[_SECTION]}
    return {**_map_of(original), **config, _SECTION: section}


def _map_of(section: dict[str, Any]) -> dict[str, Any]:
    return {_MAP: section[_MAP]} if _MAP in section else {}


def copy_code(base: Path, target: Path) -> None:
    """Copy the program files of a model folder to another one.

    Raises:
        OSError: One cannot be read or written.
    """
    for file in sorted(base.glob("*.py")):
        if file.is_file():
            shutil.copyfile(file, target / file.name)
