"""Brings documents into a workspace: files, folders with all that is in them, pages that come as pictures."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from ocrstudio.domain.document import Document, DocumentKind
from ocrstudio.domain.errors import DocumentError, OcrStudioError, WorkspaceError
from ocrstudio.pdf import PdfDocument, open_document
from ocrstudio.pdf.sources import LeftOut, list_sources
from ocrstudio.services.document_copy import free_name, source_sha256, staged_copy
from ocrstudio.services.import_report import ImportProblem, ImportProgress, ImportReport
from ocrstudio.services.picture_pages import (
    ENDING,
    Picture,
    is_made_of_pictures,
    page_of_picture,
    picture_file,
    pictures_of,
)
from ocrstudio.store import Workspace

_DAMAGED_PAGES_NAMED = 5


def import_sources(
    ws: Workspace,
    sources: Iterable[Path],
    *,
    password: str | None = None,
    progress: ImportProgress | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> ImportReport:
    """Copy files, or all openable files of folders and their sub-folders, into the workspace.

    Each file succeeds or fails by itself. A file whose content is there already is reported and not copied;
    one that was removed comes back with its labels. Pictures of one folder that are named
    ``{name}_p{page}`` become the pages of one document.

    Args:
        ws: The workspace.
        sources: Files and folders.
        password: Tried on encrypted PDFs; their copy in the workspace is decrypted, the password is not kept.
        progress: Told before each file.
        should_stop: Asked before each file.

    Raises:
        WorkspaceError: The workspace itself cannot be written.
    """
    importer = DocumentImporter(ws, sources, password)
    stopped = False
    for done, path in enumerate(importer.files):
        if should_stop():
            stopped = True
            break
        if progress is not None:
            progress(done, len(importer.files), path)
        try:
            importer.take(path)
        except WorkspaceError:
            raise
        except OcrStudioError as error:
            importer.problems.append(ImportProblem(path, error))
    return importer.report(stopped=stopped)


@dataclass(frozen=True)
class _Unit:
    """What becomes one document: a file, or the pictures of its pages in one folder.

    Attributes:
        name: What the document would be called.
        within: Names of the sub-folders that it was found in.
        folder: Where it was found.
        file: Name of the file; empty when several pictures may belong to it.
    """

    name: str
    within: tuple[str, ...]
    folder: Path
    file: str


@dataclass(frozen=True)
class _File:
    """A file to import, and the page that it is when its name says so."""

    unit: _Unit
    number: int | None


@dataclass(frozen=True)
class Imported:
    """Where a file is in the workspace now.

    Attributes:
        document: Its document.
        index: Its zero-based page, or the first one.
        is_new: Whether it was not there before.
    """

    document: Document
    index: int
    is_new: bool


class DocumentImporter:
    """Imports files one by one. It is told all of them first, because names say what belongs together.

    Args:
        ws: The workspace.
        sources: Files and folders.
        password: See `import_sources`.

    Attributes:
        files: Every file once, in the order in which they should be taken.
        problems: Files and folders that could not be read; whoever takes a file adds its failure.
    """

    def __init__(self, ws: Workspace, sources: Iterable[Path], password: str | None = None) -> None:
        self._ws = ws
        self._password = password
        self._plan: dict[Path, _File] = {}
        self._left_out: list[LeftOut] = []
        self.problems: list[ImportProblem] = []
        for source in sources:
            self._list(source)
        self.files = tuple(self._plan)
        self._names = Counter(unit.name.casefold() for unit in {file.unit for file in self._plan.values()})
        self._hashes: dict[Path, str] = {}
        self._documents: dict[_Unit, int] = {}
        self._imported: dict[int, None] = {}
        self._extended: Counter[int] = Counter()
        self._restored: dict[int, None] = {}
        self._duplicates: list[tuple[Path, Document]] = []
        self._remarks: list[str] = []
        self._twins = self._known_pictures()

    def _list(self, source: Path) -> None:
        try:
            listing = list_sources(source)
        except OcrStudioError as error:
            self.problems.append(ImportProblem(source, error))
            return
        self._left_out.extend(listing.left_out)
        for path in listing.files:
            within = path.parent.relative_to(source).parts if path != source else ()
            named = page_of_picture(path)
            name, number = named if named is not None else (path.stem, None)
            file_name = "" if named is not None else path.name
            # A Mac writes names in another form of Unicode; they are the same document all the same.
            unit = _Unit(unicodedata.normalize("NFC", name), within, path.parent.absolute(), file_name)
            self._plan.setdefault(path.absolute(), _File(unit, number))

    def _known_pictures(self) -> dict[str, tuple[int, int]]:
        """(document, page number) of each picture that is a page already, by the beginning of its hash."""
        documents = [*self._ws.documents.list(), *self._ws.documents.list(removed=True)]
        return {
            picture.sha256: (document.id, number)
            for document in documents
            if is_made_of_pictures(document.path)
            for number, picture in self._pictures_there(document).items()
        }

    def report(self, *, stopped: bool = False) -> ImportReport:
        """What was done."""
        get = self._ws.documents.get
        return ImportReport(
            imported=tuple(map(get, self._imported)),
            extended=tuple((get(number), added) for number, added in self._extended.items()),
            restored=tuple(map(get, self._restored)),
            duplicates=tuple(self._duplicates),
            problems=tuple(self.problems),
            left_out=tuple(self._left_out),
            remarks=tuple(self._remarks),
            stopped=stopped,
        )

    def take(self, path: Path) -> Imported:
        """Import one of the files.

        Raises:
            OcrStudioError: It cannot be read or copied.
            WorkspaceError: The workspace cannot be written.
        """
        path = path.absolute()
        file = self._plan.get(path)
        if file is None:
            raise next(problem.error for problem in self.problems if problem.path.absolute() == path)
        digest = self._hash(path)
        known = self._ws.documents.find_by_sha256(digest)
        if known is not None:
            if not (self._ws.root / known.path).exists():
                self._remarks.append(_replace_lost_copy(self._ws, path, known, self._password))
            return self._seen_before(path, known, 0)
        twin = self._twins.get(digest[:16])
        if twin is not None:
            self._documents.setdefault(file.unit, twin[0])
            return self._seen_before(path, self._ws.documents.get(twin[0]), twin[1] - 1)
        with open_document(path, self._password) as document:
            if file.number is not None and document.kind is DocumentKind.IMAGE and document.page_count == 1:
                return self._take_page(path, file, document)
            return self._take_file(path, file, document)

    def _hash(self, path: Path) -> str:
        if path not in self._hashes:
            self._hashes[path] = source_sha256(path)
        return self._hashes[path]

    def _seen_before(self, path: Path, known: Document, index: int) -> Imported:
        if self._ws.documents.is_removed(known.id):
            self._ws.documents.restore(known.id)
            self._restored[known.id] = None
        elif known.id not in self._restored:  # its other pages came back with the first one
            self._duplicates.append((path, known))
        return Imported(known, index, is_new=False)

    # Whole files

    def _take_file(self, path: Path, file: _File, document: PdfDocument) -> Imported:
        """Copy one file and add its row and pages.

        The copy is complete before the row is committed. A crash in between leaves a file that no row knows;
        the next import of that name replaces it.
        """
        ws, digest = self._ws, self._hash(path)
        sizes, damage = _page_sizes(document)
        with staged_copy(path, ws.documents_folder, self._password) as copy, ws.transaction():
            known = ws.documents.find_by_sha256(digest)
            if known is not None:  # another process was faster
                return self._seen_before(path, known, 0)
            name = self._free_name(file.unit, path.stem)
            target = ws.documents_folder / f"{name}{path.suffix.lower()}"
            copy.path.replace(target)
            added = ws.documents.add(
                name=name,
                path=target.relative_to(ws.root).as_posix(),
                kind=document.kind,
                sha256=digest,
                page_sizes=sizes,
            )
        self._imported[added.id] = None
        self._remarks += [*document.warnings, *damage, *filter(None, [copy.remark])]
        return Imported(added, 0, is_new=True)

    def _free_name(self, unit: _Unit, stem: str) -> str:
        """A name that is not taken; what has an equal name in another folder is told apart by its folder."""
        documents = self._ws.documents.list() + self._ws.documents.list(removed=True)
        taken = {known.name.casefold() for known in documents}
        plain = free_name(stem, ())
        if unit.within and (self._names[unit.name.casefold()] > 1 or plain.casefold() in taken):
            return free_name("-".join((*unit.within, stem)), taken)
        return free_name(stem, taken)

    # Pictures of pages

    def _take_page(self, path: Path, file: _File, document: PdfDocument) -> Imported:
        """Copy a picture into the document that it is a page of; the first one makes the document."""
        ws, digest, number = self._ws, self._hash(path), file.number or 1
        size = document.page_size(0)
        with staged_copy(path, ws.documents_folder, None) as copy, ws.transaction():
            known = self._documents.get(file.unit, self._document_with_room(file.unit))
            owner = ws.documents.get(known) if known is not None else None
            there = self._pictures_there(owner).get(number) if owner is not None else None
            if there is None:
                owner = self._page_row(file.unit, owner, number, size)
                folder = ws.root / owner.path
                folder.mkdir(exist_ok=True)
                for stale in folder.glob(f"p{number}.*"):  # a crash left it before its page was there
                    stale.unlink()
                copy.path.replace(picture_file(folder, number, digest, path.suffix))
                self._documents[file.unit] = owner.id
                self._twins[digest[:16]] = (owner.id, number)
                if ws.documents.is_removed(owner.id):
                    ws.documents.restore(owner.id)
                    self._restored[owner.id] = None
                self._remarks.extend(document.warnings)
                return Imported(owner, number - 1, is_new=True)
            if owner is not None and there.sha256 == digest[:16]:  # another process was faster
                self._documents[file.unit] = owner.id
                return self._seen_before(path, owner, number - 1)
        # A second picture of this page, such as x_p1.jpg beside x_p1.png.
        return self._take_file(path, file, document)

    def _page_row(
        self, unit: _Unit, owner: Document | None, number: int, size: tuple[float, float]
    ) -> Document:
        """The row of a page, and of its document if it is the first one."""
        ws = self._ws
        if owner is None:
            name = self._free_name(unit, unit.name)
            folder = ws.documents_folder / f"{name}{ENDING}"
            owner = ws.documents.add(
                name=name,
                path=folder.relative_to(ws.root).as_posix(),
                kind=DocumentKind.IMAGE,
                sha256=sha256(f"pages of {name}".encode()).hexdigest(),
                page_sizes=[size],
                first_index=number - 1,
            )
            self._imported[owner.id] = None
        elif number - 1 in {page.index for page in ws.pages.of_document(owner.id)}:
            self._remarks.append(f"The picture of page {number} of {owner.name} was missing and is back.")
        else:
            ws.documents.add_page(owner.id, number - 1, size)
            if owner.id not in self._imported:
                self._extended[owner.id] += 1
        return owner

    def _pictures_there(self, document: Document) -> dict[int, Picture]:
        """The pictures of a document by page number; without files that a crash left."""
        rows = {page.index + 1 for page in self._ws.pages.of_document(document.id)}
        found = pictures_of(self._ws.root / document.path)
        return {number: picture for number, picture in found.items() if number in rows}

    def _document_with_room(self, unit: _Unit) -> int | None:
        """A document of pictures of this name into which all pictures of the unit fit, or None.

        One that another folder's pictures have just gone into is another document.
        """
        stem = free_name(unit.name, ())
        prefixed = free_name("-".join((*unit.within, unit.name)), ())
        same_name = re.compile(rf"({re.escape(stem)}|{re.escape(prefixed)})(-\d+)?", re.IGNORECASE)
        files = [(path, file.number) for path, file in self._plan.items() if file.unit == unit]
        for document in [*self._ws.documents.list(), *self._ws.documents.list(removed=True)]:
            is_free = is_made_of_pictures(document.path) and document.id not in self._documents.values()
            if is_free and same_name.fullmatch(document.name):
                there = self._pictures_there(document)
                clash = any(
                    number in there and there[number].sha256 != self._hash(path)[:16]
                    for path, number in files
                    if number is not None
                )
                if not clash:
                    return document.id
        return None


def _page_sizes(document: PdfDocument) -> tuple[list[tuple[float, float]], list[str]]:
    """The size of each page, and sentences about those that cannot be read: they get the size of another.

    Raises:
        DocumentError: No page can be read.
    """
    sizes: list[tuple[float, float] | None] = []
    failures: list[DocumentError] = []
    for index in range(document.page_count):
        try:
            sizes.append(document.page_size(index))
        except DocumentError as error:
            sizes.append(None)
            failures.append(error)
    usual = next((size for size in sizes if size is not None), None)
    if usual is None:
        raise failures[0]
    said = [error.message for error in failures[:_DAMAGED_PAGES_NAMED]]
    if len(failures) > len(said):
        said.append(f"{len(failures) - len(said)} more pages of {document.path} cannot be drawn either.")
    return [size or usual for size in sizes], said


def _replace_lost_copy(ws: Workspace, path: Path, document: Document, password: str | None) -> str:
    """Somebody deleted the copy of a known document; here is its source again."""
    with open_document(path, password), staged_copy(path, ws.documents_folder, password) as copy:
        copy.path.replace(ws.root / document.path)
        return f"The copy of {document.name} was missing and is back. {copy.remark}".rstrip()
