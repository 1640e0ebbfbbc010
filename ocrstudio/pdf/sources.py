"""Which files can be opened, and as what: decided by their first bytes, not by their names alone."""

from pathlib import Path

from ocrstudio.domain.errors import DocumentError, InputError
from ocrstudio.domain.text import storable

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


def find_sources(path: Path) -> list[Path]:
    """The documents at `path`: the file itself, or the openable files of a folder (sorted, no sub-folders).

    Raises:
        InputError: Nothing is there that can be read, or the folder holds no document.
    """
    try:
        if path.is_file():
            return [path]
        if not path.is_dir():
            found = "is neither a file nor a folder" if path.exists() else "does not exist"
            raise InputError(f"{path} {found}.", "Give a file or a folder that holds PDF or image files.")
        documents = _documents_in(path)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}.", "Check the path and its permissions."
        ) from error
    if not documents:
        kinds = ", ".join(OPENABLE_SUFFIXES)
        raise InputError(f"The folder {path} holds no document.", f"Looked for {kinds}, not in sub-folders.")
    return documents


def _documents_in(folder: Path) -> list[Path]:
    return [
        entry
        for entry in sorted(folder.iterdir(), key=lambda entry: (entry.name.casefold(), entry.name))
        if entry.suffix.lower() in OPENABLE_SUFFIXES and not entry.name.startswith(".") and entry.is_file()
    ]


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
