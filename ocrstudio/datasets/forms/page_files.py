"""The pages of a folder: which files are pictures, and which file belongs to which picture."""

from collections.abc import Iterator
from pathlib import Path, PurePath

from ocrstudio.domain.names import nfc
from ocrstudio.domain.page_files import natural_key

PICTURES = frozenset((".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".gif", ".jp2"))
"""Endings of pictures, in small letters."""


def files_below(folder: Path, endings: frozenset[str]) -> Iterator[Path]:
    """Files of a folder and its sub-folders with one of some endings, in the order people number them.

    Hidden files and folders are not looked at.
    """
    try:
        entries = sorted(folder.iterdir(), key=lambda entry: natural_key(entry.name))
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir() and not entry.is_symlink():
            yield from files_below(entry, endings)
        elif entry.suffix.lower() in endings and entry.is_file():
            yield entry


def page_key(path: PurePath) -> tuple[str, str]:
    """What a picture and its text have in common: folder and name without ending."""
    return str(path.parent), nfc(path.stem)
