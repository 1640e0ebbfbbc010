"""The cache of rendered pages: shared by all processes, and safe to delete at any time.

Whoever has rendered pages and needs their files no longer calls `PageCache.trim`.
"""

import os
import time
from pathlib import Path

IN_USE_S = 600.0
"""A file asked for within the last ten minutes, by whatever process, is in use and is not evicted."""


class PageCache:
    """Files under pages/, evicted least recently used first.

    Args:
        folder: The folder; it must exist.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, document_id: int, index: int, dpi: float, max_pixels: int) -> Path:
        """Where the picture of a page belongs, whether it is there or not."""
        return self._folder / f"d{document_id}_p{index + 1}_{dpi:g}dpi_{max_pixels}px.png"

    def find(self, document_id: int, index: int, dpi: float, max_pixels: int) -> Path | None:
        """The picture of a page if it is there; from now on it counts as just used."""
        path = self.path(document_id, index, dpi, max_pixels)
        try:
            os.utime(path)
        except FileNotFoundError:
            return None
        return path

    def trim(self, max_bytes: int, now: float | None = None) -> int:
        """Delete the least recently used files until the rest fits, and what interrupted writers left.

        Args:
            max_bytes: Size to stay under; exceeded only by files that are in use.
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
            if now - used <= IN_USE_S or (total <= max_bytes and not unfinished):
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
