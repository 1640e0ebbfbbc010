"""The cache of rendered pages: bounded, shared by all processes, and safe to delete at any time."""

import os
import time
from pathlib import Path

DEFAULT_MAX_BYTES = 4 * 2**30
IN_USE_S = 600.0
"""A file asked for within the last ten minutes, by whatever process, is in use and is not evicted."""

_WRITES_BETWEEN_TRIMS = 32


class PageCache:
    """Files under pages/, evicted least recently used first.

    Args:
        folder: The folder; it must exist.
        max_bytes: Size to stay under; exceeded only by files that are in use.
    """

    def __init__(self, folder: Path, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._writes = 0

    def path(self, document_id: int, index: int, dpi: float) -> Path:
        """Where the picture of a page belongs, whether it is there or not."""
        return self._folder / f"d{document_id}_p{index + 1}_{dpi:g}dpi.png"

    def find(self, document_id: int, index: int, dpi: float) -> Path | None:
        """The picture of a page if it is there; from now on it counts as just used."""
        path = self.path(document_id, index, dpi)
        try:
            os.utime(path)
        except FileNotFoundError:
            return None
        return path

    def written(self) -> None:
        """Count a new picture; now and then the oldest ones have to go."""
        if self._writes % _WRITES_BETWEEN_TRIMS == 0:
            self.trim()
        self._writes += 1

    def trim(self, now: float | None = None) -> int:
        """Delete the least recently used files until the rest fits, and what interrupted writers left.

        Args:
            now: Unix time; None for the clock.

        Returns:
            How many files were deleted.
        """
        now = time.time() if now is None else now
        files: list[tuple[float, int, Path]] = []
        for entry in self._folder.iterdir():
            try:
                found = entry.stat()
            except FileNotFoundError:  # another process was faster
                continue
            files.append((found.st_mtime, found.st_size, entry))
        total = sum(size for _, size, _ in files)
        deleted = 0
        for used, size, path in sorted(files):
            unfinished = path.name.startswith(".")
            if now - used <= IN_USE_S or (total <= self._max_bytes and not unfinished):
                continue
            if _delete(path):
                total -= size
                deleted += 1
        return deleted


def _delete(path: Path) -> bool:
    try:
        path.unlink()
    except OSError:  # gone already, or (Windows) open in another program
        return False
    return True
