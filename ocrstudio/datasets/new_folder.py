"""A dataset folder that is there whole or not at all."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ocrstudio.domain.errors import DatasetError

PART = "part"
"""Last ending of a folder that is being filled."""


@contextmanager
def writing(target: Path) -> Iterator[None]:
    """What goes wrong on the disk while a dataset is written, as a sentence.

    Raises:
        DatasetError: In place of an OSError.
    """
    try:
        yield
    except OSError as error:
        raise DatasetError(
            f"The dataset {target} cannot be written: {error.strerror or error}.",
            "Free some space, or choose another folder.",
        ) from error


@contextmanager
def building_beside(target: Path) -> Iterator[Path]:
    """A new folder beside the target, to be filled and moved there; it is gone afterwards in any case."""
    building = target.with_name(f".{target.name}.{secrets.token_hex(4)}.{PART}")
    building.mkdir(parents=True)
    try:
        yield building
    finally:
        shutil.rmtree(building, ignore_errors=True)
