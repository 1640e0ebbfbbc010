"""The copy of a source file in a workspace: its name, its bytes, and what happens to a password."""

import os
import re
import secrets
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ocrstudio.domain.errors import DocumentError, InputError
from ocrstudio.domain.names import nfc
from ocrstudio.pdf import engine
from ocrstudio.settings.files import file_sha256

_MAX_NAME_LENGTH = 100  # room for "_p1234.png" and a counter on every file system
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]+')
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)
_DECRYPTED = (
    "{} is encrypted; its copy in the workspace is not, and no password was kept. "
    "Protect the workspace like the original."
)


def source_sha256(path: Path) -> str:
    """Hash of a source's bytes.

    Raises:
        InputError: It cannot be read.
    """
    try:
        return file_sha256(path)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error


def free_name(stem: str, taken: Collection[str]) -> str:
    """A document name like `stem` that works as a file name everywhere and is not taken.

    Args:
        stem: Name of the source without its ending.
        taken: Names in use, case-folded.
    """
    cleaned = _FORBIDDEN.sub("_", nfc(stem))[:_MAX_NAME_LENGTH].strip(" .") or "document"
    base = f"{cleaned}_" if _DEVICES.fullmatch(cleaned) else cleaned
    name, number = base, 1
    while name.casefold() in taken:
        number += 1
        name = f"{base}-{number}"
    return name


@dataclass(frozen=True)
class StagedCopy:
    """A finished copy under a temporary name.

    Attributes:
        path: The copy; rename it to where it belongs, or delete it.
        remark: A sentence for the user when the copy is not as protected as the source, or empty.
    """

    path: Path
    remark: str


@contextmanager
def staged_copy(source: Path, folder: Path, password: str | None) -> Iterator[StagedCopy]:
    """Copy a document into a folder under a temporary name, on the disk before the block begins.

    Renaming it inside the block is quick, so no database lock has to be held while a large file is copied.
    What was not renamed is deleted at the end. An encrypted PDF is decrypted on the way: the program never
    keeps a password, and without one nobody could open the workspace again.

    Raises:
        InputError: The copy cannot be written.
        DocumentError: The PDF cannot be decrypted.
    """
    temporary = folder / f".{secrets.token_hex(8)}.part"
    try:
        try:
            decrypted = password is not None and _decrypt(source, temporary, password)
            if not decrypted:
                shutil.copyfile(source, temporary)
            with temporary.open("rb+") as stream:
                os.fsync(stream.fileno())
        except OSError as error:
            raise InputError(
                f"{source} cannot be copied to {folder}: {error.strerror or error}.",
                "Free some space, or check the permissions.",
            ) from error
        yield StagedCopy(temporary, _DECRYPTED.format(source.name) if decrypted else "")
    finally:
        temporary.unlink(missing_ok=True)


def _decrypt(source: Path, target: Path, password: str) -> bool:
    """Write a PDF without encryption; False when it has none (or is an image) and needs no such copy."""
    pymupdf = engine.load()
    with engine.collected_warnings():
        try:
            with pymupdf.open(source) as document:
                if not document.needs_pass:
                    return False
                document.authenticate(password)
                document.save(target, encryption=pymupdf.PDF_ENCRYPT_NONE)
        except engine.failures() as error:
            raise DocumentError(
                f"{source} cannot be decrypted: {error}.", "Remove its password in a PDF program first."
            ) from error
    return True
