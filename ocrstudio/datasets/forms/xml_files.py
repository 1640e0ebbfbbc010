"""XML of strangers: no document type, so no entities; limited in size; names without their namespace."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from ocrstudio.datasets.conversation import Picture, page
from ocrstudio.datasets.forms.form import FileForm, Item
from ocrstudio.datasets.forms.page_files import PICTURES, files_below
from ocrstudio.datasets.record import ProblemKind, RecordError
from ocrstudio.domain.names import nfc

_ENDINGS = frozenset((".xml",))
_MAX_BYTES = 64 * 2**20
_MAX_DEPTH = 200
_HEAD_BYTES = 4096


def parse(path: Path) -> Element:
    """The root of a file.

    Raises:
        RecordError: It is no XML, has a document type, is too large or too deep, or cannot be read.
    """
    builder = TreeBuilder()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _MAX_DEPTH:
            raise RecordError(ProblemKind.NOT_XML, f"{path.name} has elements more than {_MAX_DEPTH} deep")
        builder.start(_local(name), {_local(key): value for key, value in attributes.items()})

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(_local(name))

    def refuse(*_: object) -> None:
        raise RecordError(
            ProblemKind.NOT_XML, f"{path.name} has a document type (<!DOCTYPE …>), which is not read"
        )

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise RecordError(
                ProblemKind.TOO_LONG, f"{path.name} is larger than {_MAX_BYTES // 2**20} MiB and was not read"
            )
        with path.open("rb") as stream:
            parser.ParseFile(stream)
    except expat.ExpatError as error:
        reason = f"{expat.ErrorString(error.code)}, line {error.lineno}"
        raise RecordError(ProblemKind.NOT_XML, f"{path.name} is not XML: {reason}") from error
    except OSError as error:
        raise RecordError(ProblemKind.NOT_XML, f"{path.name} cannot be read: {error.strerror}") from error
    return builder.close()


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


def xml_form(
    *, word: str, name: str, example: str, root: str, page: Callable[[Element], tuple[str, str]]
) -> FileForm:
    """A form of XML files with a page each; `FileForm` has the other arguments.

    Args:
        word: See there.
        name: See there.
        example: See there.
        root: Name of the root element.
        page: Finds the name of the picture (or nothing) and the text below a root.
    """
    return FileForm(
        word=word,
        name=name,
        example=example,
        matches=lambda path: any(True for _ in _xml_files(path, root)),
        read=lambda path: _read_pages(path, root, page),
    )


def _xml_files(path: Path, root: str) -> Iterator[Path]:
    """The files of a folder, or the file itself, whose root element has a name."""
    for file in files_below(path, _ENDINGS) if path.is_dir() else [path]:
        if file.suffix.lower() in _ENDINGS and _has_root(file, root):
            yield file


def _has_root(path: Path, root: str) -> bool:
    """Whether the beginning of a file has the tag of a root; cheap, and `parse` looks closely later."""
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
    except OSError:
        return False
    return f"<{root}".encode() in head or f":{root} ".encode() in head or f":{root}>".encode() in head


def _read_pages(path: Path, root: str, read: Callable[[Element], tuple[str, str]]) -> Iterator[Item]:
    """The pages of a folder of XML files, or of one file."""
    folder = path if path.is_dir() else path.parent
    used: set[Path] = set()
    pictures = _Pictures()
    for file in _xml_files(path, root):
        place = file.relative_to(folder).as_posix()
        try:
            name, text = read(parse(file))
            found = pictures.of(file, name)
            yield Item(place, folder, page(Picture(_name(found, folder) or name or f"{file.stem}.png"), text))
            used |= {found} if found else set()
        except RecordError as error:
            used |= {found} if (found := pictures.of(file, "")) else set()
            yield Item(place, folder, error)
    if path.is_dir():
        missing = RecordError(ProblemKind.NO_TEXT, f"no {root} file belongs to this picture")
        for picture in files_below(path, PICTURES):
            if picture not in used:
                yield Item(picture.relative_to(folder).as_posix(), folder, missing)


class _Pictures:
    """The pictures of the folders around XML files. Each is listed once: it may hold thousands of pages."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[dict[str, Path], dict[str, Path]]] = {}

    def of(self, file: Path, name: str) -> Path | None:
        """The picture that a file names, or one of its own name: beside it, else in the folder above.

        Transkribus writes ``page/0001.xml`` below the pictures, eScriptorium puts both into one folder.
        """
        plain = PurePath(name.replace("\\", "/")).name
        for folder in (file.parent, file.parent.parent):
            by_name, by_stem = self._listed(folder)
            found = by_name.get(nfc(plain)) or by_stem.get(nfc(file.stem))
            if found is not None:
                return found
        return None

    def _listed(self, folder: Path) -> tuple[dict[str, Path], dict[str, Path]]:
        """The pictures of a folder by name and by stem, in NFC; of several the first."""
        if folder not in self._known:
            by_name: dict[str, Path] = {}
            by_stem: dict[str, Path] = {}
            try:
                entries = sorted(folder.iterdir())
            except OSError:
                entries = []
            for entry in entries:
                if entry.suffix.lower() in PICTURES and entry.is_file():
                    by_name.setdefault(nfc(entry.name), entry)
                    by_stem.setdefault(nfc(entry.stem), entry)
            self._known[folder] = by_name, by_stem
        return self._known[folder]


def _name(picture: Path | None, folder: Path) -> str:
    return "" if picture is None else Path(os.path.relpath(picture, folder)).as_posix()
