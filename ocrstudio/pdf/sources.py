"""Which files can be opened, and as what: decided by their first bytes, not by their names alone."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ocrstudio.domain.errors import DocumentError, InputError
from ocrstudio.domain.page_files import natural_key
from ocrstudio.domain.text import storable
from ocrstudio.domain.wording import some_of

_EXAMPLES = 4
_HEADER_BYTES = 1024  # readers accept a PDF header anywhere in the first kilobyte
_IMAGE_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"BM", "bmp"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
)
OPENABLE_SUFFIXES = (".pdf", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".gif")


_WORKSPACE_FILE = "workspace.db"


class Reason(StrEnum):
    """Why something in a folder is not taken."""

    KIND = "kind"
    HIDDEN = "hidden"
    WORKSPACE = "workspace"
    OUTPUT = "output"
    LINK = "link"
    UNREADABLE = "unreadable"


_WORDS = {
    Reason.KIND: ("file that is neither PDF nor image", "files that are neither PDF nor image"),
    Reason.HIDDEN: ("hidden one", "hidden ones"),
    Reason.WORKSPACE: ("workspace", "workspaces"),
    Reason.OUTPUT: ("output folder", "output folders"),
    Reason.LINK: ("link to a folder", "links to folders"),
    Reason.UNREADABLE: ("folder that cannot be read", "folders that cannot be read"),
}


@dataclass(frozen=True)
class LeftOut:
    """A file or folder that is not taken, and why."""

    path: Path
    reason: Reason


@dataclass(frozen=True)
class Listing:
    """What a folder holds.

    Attributes:
        files: The files that can be opened, those of a folder before those of its sub-folders, in the order
            in which people number them.
        left_out: Everything else; of a folder that is not looked into, only the folder.
    """

    files: tuple[Path, ...]
    left_out: tuple[LeftOut, ...] = ()


def find_sources(path: Path, skip: Collection[Path] = ()) -> list[Path]:
    """The documents at `path`: the file itself, or the openable files of a folder and its sub-folders.

    Args:
        path: File or folder.
        skip: Folders that are not looked into, such as the one for the output.

    Raises:
        InputError: Nothing is there that can be read, or the folder holds no document.
    """
    return list(list_sources(path, skip).files)


def list_sources(path: Path, skip: Collection[Path] = ()) -> Listing:
    """The same with what was left out; see `find_sources`."""
    try:
        if path.is_file():
            return Listing((path,))
        if not path.is_dir():
            found = "is neither a file nor a folder" if path.exists() else "does not exist"
            raise InputError(f"{path} {found}.", "Give a file or a folder that holds PDF or image files.")
        listing = _look_into(path, {folder.resolve() for folder in skip})
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}.", "Check the path and its permissions."
        ) from error
    if not listing.files:
        kinds = ", ".join(OPENABLE_SUFFIXES)
        words = left_out_in_words(listing.left_out) or "It is empty."
        raise InputError(f"The folder {path} holds no document.", f"Looked for {kinds}. {words}")
    return listing


def left_out_in_words(left_out: Sequence[LeftOut]) -> str:
    """One sentence on what was left out of folders, with a count for each reason; empty when nothing was."""
    groups: dict[Reason, list[Path]] = {}
    for each in left_out:
        groups.setdefault(each.reason, []).append(each.path)
    if not groups:
        return ""
    parts = [
        f"{len(groups[reason]):,} {_WORDS[reason][len(groups[reason]) > 1]} "
        f"({some_of(_examples(reason, groups[reason]), _EXAMPLES)})"
        for reason in Reason
        if reason in groups
    ]
    return f"Left out: {'; '.join(parts)}."


def _examples(reason: Reason, paths: Sequence[Path]) -> list[str]:
    """Endings of files of other kinds, the most frequent first; names of everything else."""
    if reason is not Reason.KIND:
        return [path.name for path in paths]
    endings = Counter(path.suffix.lower() or path.name for path in paths)
    return [ending for ending, _ in endings.most_common()]


def _look_into(folder: Path, skip: Collection[Path]) -> Listing:
    files: list[Path] = []
    left_out: list[LeftOut] = []
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            entries = sorted(here.iterdir(), key=lambda entry: natural_key(entry.name))
        except OSError:
            if here == folder:
                raise
            left_out.append(LeftOut(here, Reason.UNREADABLE))
            continue
        deeper: list[Path] = []
        for entry in entries:
            is_folder = entry.is_dir()
            reason = _reason_against(entry, skip, is_folder=is_folder)
            if reason is not None:
                left_out.append(LeftOut(entry, reason))
            else:
                (deeper if is_folder else files).append(entry)
        waiting.extend(reversed(deeper))
    return Listing(tuple(files), tuple(left_out))


def _reason_against(entry: Path, skip: Collection[Path], *, is_folder: bool) -> Reason | None:
    if entry.name.startswith("."):
        return Reason.HIDDEN
    if not is_folder:
        taken = entry.suffix.lower() in OPENABLE_SUFFIXES and entry.is_file()
        return None if taken else Reason.KIND
    if entry.is_symlink():
        return Reason.LINK
    if entry.resolve() in skip:
        return Reason.OUTPUT
    return Reason.WORKSPACE if (entry / _WORKSPACE_FILE).exists() else None


def file_type(path: Path) -> str:
    """The format of a file: ``pdf``, ``png``, ``jpeg``, ``tiff``, ``webp``, ``bmp`` or ``gif``.

    Raises:
        DocumentError: The file is missing, unreadable, empty, or neither a PDF nor an image.
    """
    header = _header(path)
    if b"%PDF-" in header:
        return "pdf"
    if header[:4] == b"RIFF" and header[8:12] == b"WEBP":
        return "webp"
    for signature, name in _IMAGE_SIGNATURES:
        if header.startswith(signature):
            return name
    if path.suffix.lower() == ".pdf":
        raise DocumentError(
            f"{path} is not a PDF: it does not begin with the mark %PDF.", "Export it again as PDF."
        )
    raise DocumentError(
        f"{path} is neither a PDF nor an image that can be read.", "Convert it to PDF or PNG."
    )


def _header(path: Path) -> bytes:
    if storable(str(path)) != str(path):  # MuPDF takes names as UTF-8 only
        raise DocumentError(f"The name of {path} is not valid Unicode.", "Rename the file.")
    try:
        with path.open("rb") as stream:
            header = stream.read(_HEADER_BYTES)
    except FileNotFoundError:
        raise DocumentError(f"{path} does not exist.") from None
    except IsADirectoryError:
        raise DocumentError(f"{path} is a folder, not a document.") from None
    except OSError as error:
        raise DocumentError(f"{path} cannot be read: {error.strerror}.") from error
    if not header:
        raise DocumentError(f"{path} is empty (0 bytes).", "Copy or download it again.")
    return header
