"""The files of an adapter folder, and the one way to bring them to a folder of the user's."""

import shutil
from pathlib import Path
from typing import Final

CONFIG_FILE: Final = "adapter_config.json"
"""PEFT's settings."""
WEIGHTS_FILE: Final = "adapter_model.safetensors"
"""The low-rank factors."""
VECTORS_FILE: Final = "vectors.safetensors"
"""The newline and the separator of pictures, when they were trained."""
FULL_FILE: Final = "weights.safetensors"
"""In place of these three after a training of every weight: all of them."""
INFO_FILE: Final = "ocrstudio.json"
"""What the adapter belongs to. A folder without it is no adapter of ours."""


def copy_adapter(source: Path, target: Path) -> None:
    """Copy an adapter into a folder; what else stands there stays, a run that is kept there among it.

    The description goes first and comes last, so that a half-written adapter is never taken for a whole one.
    Files that an earlier adapter had and this one has not are removed: its trained vectors would be loaded
    together with the new weights.

    Raises:
        OSError: The target cannot be written. The source is intact.
    """
    files = [path.relative_to(source) for path in source.rglob("*") if path.is_file()]
    target.mkdir(parents=True, exist_ok=True)
    (target / INFO_FILE).unlink(missing_ok=True)
    for name in (CONFIG_FILE, WEIGHTS_FILE, VECTORS_FILE, FULL_FILE):
        if Path(name) not in files:
            (target / name).unlink(missing_ok=True)
    for file in sorted(files, key=lambda file: (file == Path(INFO_FILE), file)):
        _copy_whole(source / file, target / file)


def _copy_whole(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    try:
        shutil.copyfile(source, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
