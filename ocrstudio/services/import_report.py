"""What importing documents did, file by file."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ocrstudio.domain.document import Document
from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.pdf.sources import LeftOut

ImportProgress = Callable[[int, int, Path], None]
"""Called before each file with the number of files done, of all files, and the file."""


@dataclass(frozen=True)
class ImportProblem:
    """A file that could not be imported.

    Attributes:
        path: The file.
        error: Why, and what to do.
    """

    path: Path
    error: OcrStudioError


@dataclass(frozen=True)
class ImportReport:
    """What importing did, file by file.

    Attributes:
        imported: New documents.
        extended: (document, pages added) of documents that were there and got more pictures of pages.
        restored: Documents that had been removed and are back with their labels.
        duplicates: (file, document that has the same content already).
        problems: Files that were left out; the others are in.
        left_out: What folders held besides.
        remarks: Sentences the user should read (a copy without encryption, a repaired file).
        stopped: Whether the user stopped before the last file.
    """

    imported: tuple[Document, ...]
    extended: tuple[tuple[Document, int], ...]
    restored: tuple[Document, ...]
    duplicates: tuple[tuple[Path, Document], ...]
    problems: tuple[ImportProblem, ...]
    left_out: tuple[LeftOut, ...]
    remarks: tuple[str, ...]
    stopped: bool = False
