"""Copying the adapter of a run to where the user asked for it."""

import shutil
import tempfile
from pathlib import Path

from ocrstudio.domain.errors import RunError
from ocrstudio.jobs.run_folder import RunFolder

REQUEST_KEY = "copy_adapter_to"


def export_adapter(folder: RunFolder) -> Path | None:
    """Copy the adapter file by file; everything else in the target folder stays, the run itself among it.

    Each file appears whole, weights before descriptions, so that no description is there before its
    weights.

    Returns:
        The target, or None when nothing was asked for or the run has no adapter.

    Raises:
        RunError: The target cannot be written. The adapter in the run folder is intact.
    """
    asked = folder.spec.request.get(REQUEST_KEY)
    if not asked or not folder.adapter.is_dir():
        return None
    target = Path(asked)
    files = [path for path in folder.adapter.rglob("*") if path.is_file()]
    try:
        for path in sorted(files, key=lambda path: (path.suffix == ".json", path)):
            _copy_whole(path, target / path.relative_to(folder.adapter))
    except OSError as error:
        raise RunError(
            f"The adapter cannot be copied to {target}: {error.strerror or error}.",
            f"It is complete in {folder.adapter}; copy it from there.",
        ) from error
    return target


def _copy_whole(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".copy-", dir=target.parent) as temporary:
        copy = Path(temporary) / source.name
        shutil.copyfile(source, copy)
        copy.replace(target)
