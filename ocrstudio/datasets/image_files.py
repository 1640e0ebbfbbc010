"""Finds the pictures that the lines of a dataset name."""

from collections.abc import Iterator
from pathlib import Path, PurePath, PureWindowsPath

from ocrstudio.domain.names import nfc


class ImageFiles:
    """The picture files around one dataset.

    A name is taken as it stands first. Where there is no such file, the folders are looked through for a name
    that is the same in another Unicode form: a Mac writes ``é`` as two characters, a dataset made elsewhere
    as one, and most file systems take them for different names.

    Args:
        folder: Folder of the JSONL file.
    """

    def __init__(self, folder: Path) -> None:
        self._bases = (folder, Path(), folder / "images")
        self._listed: dict[Path, dict[str, Path]] = {}

    def find(self, name: str) -> Path | None:
        """The absolute path of the existing file that a line names, or None.

        Beside the JSONL file first, then in the working directory, then in ``images`` beside the file, where
        benchmarks keep pictures that they name without a folder.

        Args:
            name: Path as it stands in the line; backslashes of a dataset made on Windows are understood. Of
                a path with a drive letter its last parts are looked for, as many as there are.
        """
        names = tuple(dict.fromkeys((name, name.replace("\\", "/"), *_without_drive(name))))
        for candidate in names:
            for base in self._bases:
                path = (base / candidate).absolute()
                if _is_file(path):
                    return path
        for base in self._bases:
            found = self._in_any_form(base.absolute(), PurePath(name.replace("\\", "/")).parts)
            if found is not None and _is_file(found):
                return found
        return None

    def _in_any_form(self, base: Path, parts: tuple[str, ...]) -> Path | None:
        """The path below a folder whose parts are the same in NFC."""
        path = base
        for part in parts:
            exact = path / part  # an absolute part begins anew, and ".." has no entry of its own
            if part == ".." or PurePath(part).is_absolute() or _exists(exact):
                path = exact
                continue
            entry = self._entries(path).get(nfc(part))
            if entry is None:
                return None
            path = entry
        return path

    def _entries(self, folder: Path) -> dict[str, Path]:
        """What a folder holds, by name in NFC. Listed once: a dataset may name thousands of missing files."""
        if folder not in self._listed:
            try:
                self._listed[folder] = {nfc(entry.name): entry for entry in folder.iterdir()}
            except (OSError, ValueError):  # ValueError: a name no file system takes
                self._listed[folder] = {}
        return self._listed[folder]


def _without_drive(name: str) -> Iterator[str]:
    """The ends of a path of another Windows machine, the longest first; nothing for any other path."""
    path = PureWindowsPath(name)
    parts = path.parts[1:] if path.drive else ()
    if ".." not in parts:
        yield from ("/".join(parts[start:]) for start in range(len(parts)))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
