"""Copying the adapter of a run to where the user asked for it."""

from pathlib import Path

from ocrstudio.domain.errors import RunError
from ocrstudio.jobs.adapter_files import copy_adapter
from ocrstudio.jobs.run_folder import RunFolder


def copy_where_asked(folder: RunFolder) -> Path | None:
    """Copy the adapter of a run to the folder that its request names.

    Returns:
        The target, or None when nothing was asked for or the run has no adapter.

    Raises:
        RunError: The target cannot be written. The adapter in the run folder is intact.
    """
    asked = folder.spec.request.get("copy_adapter_to")
    if not asked or not folder.adapter.is_dir():
        return None
    target = Path(asked)
    try:
        copy_adapter(folder.adapter, target)
    except OSError as error:
        raise RunError(
            f"The adapter cannot be copied to {target}: {error.strerror or error}.",
            f"It is complete in {folder.adapter}; copy it from there.",
        ) from error
    return target
