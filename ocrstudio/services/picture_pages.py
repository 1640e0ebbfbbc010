"""Documents that are made of pictures: ``x_p1.png``, ``x_p2.png``, … are the pages of one document ``x``.

Such a document is a folder ``documents/x.pages``; its pages are the pictures as they came, named
``p{number}.{beginning of the SHA-256 of their bytes}{ending}``. Numbers may have gaps. Every other document
is one file whose pages, or frames, are counted through.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ocrstudio.domain.document import Document
from ocrstudio.domain.page_files import page_of_file

ENDING = ".pages"
_FILE = re.compile(r"p(?P<number>\d+)\.(?P<sha256>[0-9a-f]{16})\.\w+")
_MOST_PAGES = 100_000  # a larger number is no page number


@dataclass(frozen=True)
class Picture:
    """A picture that is a page of such a document.

    Attributes:
        path: The file.
        number: Its page number, from 1.
        sha256: Beginning of the hash of its bytes; tells two pictures apart.
    """

    path: Path
    number: int
    sha256: str


def page_of_picture(path: Path) -> tuple[str, int] | None:
    """The document and the page number that the name of a picture stands for, or None."""
    named = page_of_file(path.name) if path.suffix.lower() != ".pdf" else None
    return named if named is not None and 1 <= named[1] <= _MOST_PAGES else None


def is_made_of_pictures(path: Path | str) -> bool:
    """Whether the path of a document is the folder of its pages."""
    return str(path).endswith(ENDING)


def pictures_of(folder: Path) -> dict[int, Picture]:
    """The pictures of a document by page number; none when its folder is gone."""
    try:
        found = [(_FILE.fullmatch(entry.name), entry) for entry in folder.iterdir()]
    except OSError:
        return {}
    pictures = [Picture(entry, int(match["number"]), match["sha256"]) for match, entry in found if match]
    return {picture.number: picture for picture in sorted(pictures, key=lambda picture: picture.number)}


def picture_file(folder: Path, number: int, sha256: str, ending: str) -> Path:
    """Where the picture of a page belongs."""
    return folder / f"p{number}.{sha256[:16]}{ending.lower()}"


@dataclass(frozen=True)
class Places:
    """Where the pages of a document are.

    Attributes:
        path: Its file, or the folder of its pictures.
        count: Number of its pages.
        pictures: Its pictures by page number; None for a file.
    """

    path: Path
    count: int
    pictures: Mapping[int, Picture] | None

    @property
    def last_number(self) -> int:
        """The number of the last page, from 1; with gaps it is more than the number of pages."""
        return max(self.pictures, default=self.count) if self.pictures is not None else self.count

    def at(self, index: int) -> tuple[Path, int] | None:
        """The file that shows a page, and which page of that file; None when there is no such page."""
        if self.pictures is None:
            return (self.path, index) if 0 <= index < self.count else None
        picture = self.pictures.get(index + 1)
        return (picture.path, 0) if picture is not None else None

    def identity(self, document: Document, index: int) -> str:
        """What tells a page of the workspace from every other one, whatever is added or removed beside it."""
        picture = self.pictures.get(index + 1) if self.pictures is not None else None
        return picture.sha256 if picture is not None else f"{document.sha256} {index}"


def places_of(root: Path, document: Document) -> Places:
    """Where the pages of a document of the workspace at `root` are."""
    path = root / document.path
    return Places(
        path, document.page_count, pictures_of(path) if is_made_of_pictures(document.path) else None
    )


def page_place(root: Path, document: Document, index: int) -> tuple[Path, int]:
    """The file that shows a page, and which page of that file. It may be gone; opening it says so.

    Args:
        root: The workspace.
        document: The document.
        index: Zero-based page.
    """
    places = places_of(root, document)
    return places.at(index) or (
        (places.path, index) if places.pictures is None else (places.path / f"p{index + 1}", 0)
    )
