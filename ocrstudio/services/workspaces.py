"""A workspace as a whole: make one, bring documents in and out, show a page, count what is there."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ocrstudio.domain.document import Document, Page, PageStatus
from ocrstudio.domain.errors import DocumentError, OcrStudioError, WorkspaceError
from ocrstudio.pdf import DEFAULT_DPI, DEFAULT_MAX_PIXELS, PdfDocument, find_sources, open_document
from ocrstudio.services.document_copy import free_name, source_sha256, staged_copy
from ocrstudio.services.page_drawing import DrawPage, draw_here
from ocrstudio.services.run_index import record_runs
from ocrstudio.store import Workspace

_DAMAGED_PAGES_NAMED = 5

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
        restored: Documents that had been removed and are back with their labels.
        duplicates: (file, document that has the same content already).
        problems: Files that were left out; the others are in.
        remarks: Sentences the user should read (a copy without encryption, a repaired file).
        stopped: Whether the user stopped before the last file.
    """

    imported: tuple[Document, ...]
    restored: tuple[Document, ...]
    duplicates: tuple[tuple[Path, Document], ...]
    problems: tuple[ImportProblem, ...]
    remarks: tuple[str, ...]
    stopped: bool = False


@dataclass(frozen=True)
class WorkspaceStatus:
    """Counts for `ocrstudio workspace status` and the window.

    Attributes:
        root: The workspace.
        documents: (document, pages in each state) in the order of the import.
        counts: Pages in each state, all documents together.
        revisions: Revisions by source, the removed documents' included.
        checks: Labels that are drafts, by what came of holding them against their page.
        runs: Number of runs.
        removed_documents: Documents that were removed and can be restored.
        database_bytes: Size of the database file.
    """

    root: Path
    documents: tuple[tuple[Document, Mapping[PageStatus, int]], ...]
    counts: Mapping[PageStatus, int]
    revisions: Mapping[str, int]
    checks: Mapping[str, int]
    runs: int
    removed_documents: int
    database_bytes: int

    @property
    def page_count(self) -> int:
        """All pages."""
        return sum(self.counts.values())


def create_workspace(root: Path) -> Workspace:
    """Make a new workspace in a missing or empty folder.

    Raises:
        WorkspaceError: The folder has something in it, or cannot be written.
    """
    return Workspace.create(root)


def import_sources(
    ws: Workspace,
    sources: Iterable[Path],
    *,
    password: str | None = None,
    progress: ImportProgress | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> ImportReport:
    """Copy files, or all openable files of folders, into the workspace.

    Each file succeeds or fails by itself. A file whose content is there already is reported and not copied;
    one that was removed comes back with its labels.

    Args:
        ws: The workspace.
        sources: Files and folders (their sub-folders are not read).
        password: Tried on encrypted PDFs; their copy in the workspace is decrypted, the password is not kept.
        progress: Told before each file.
        should_stop: Asked before each file.

    Raises:
        WorkspaceError: The workspace itself cannot be written.
    """
    imported: list[Document] = []
    restored: list[Document] = []
    duplicates: list[tuple[Path, Document]] = []
    problems: list[ImportProblem] = []
    remarks: list[str] = []
    files = _files(sources, problems)
    stopped = False
    for done, path in enumerate(files):
        if should_stop():
            stopped = True
            break
        if progress is not None:
            progress(done, len(files), path)
        try:
            sha256 = source_sha256(path)
            known = ws.documents.find_by_sha256(sha256)
            if known is None:
                known, is_new, said = _import_file(ws, path, sha256, password)
                if is_new:
                    imported.append(known)
                    remarks.extend(said)
                    continue
            if not (ws.root / known.path).exists():
                remarks.append(_replace_lost_copy(ws, path, known, password))
            if ws.documents.is_removed(known.id):
                restored.append(ws.documents.restore(known.id))
            else:
                duplicates.append((path, known))
        except WorkspaceError:
            raise
        except OcrStudioError as error:
            problems.append(ImportProblem(path, error))
    return ImportReport(
        tuple(imported), tuple(restored), tuple(duplicates), tuple(problems), tuple(remarks), stopped
    )


def remove_document(ws: Workspace, document_id: int) -> None:
    """Take a document and its pages out of all lists and datasets.

    Its copy and its labels stay in the workspace: `restore_document`, or importing the same file again,
    brings everything back. So nothing is lost, even when accepted pages are removed by mistake.
    """
    ws.documents.remove(document_id)


def restore_document(ws: Workspace, document_id: int) -> Document:
    """Bring a removed document back, with its labels."""
    return ws.documents.restore(document_id)


def document_path(ws: Workspace, page: Page) -> Path:
    """The copy of the document of a page."""
    return ws.root / ws.documents.get(page.document_id).path


def page_image(
    ws: Workspace,
    page: Page,
    dpi: float = DEFAULT_DPI,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    draw: DrawPage = draw_here,
) -> Path:
    """The picture of a page as a PNG file under pages/, rendered when it is missing.

    Nothing is deleted here, so the pictures of a long list are all there at its end; call
    ``ws.page_cache.trim`` when they are not needed any more.

    Args:
        ws: The workspace.
        page: The page.
        dpi: Resolution.
        max_pixels: Most pixels of the picture; a larger page is drawn at a lower resolution.
        draw: Draws it; for a long list of pages in another process.

    Raises:
        DocumentError: The copy of the document is missing or damaged.
        InputError: The picture cannot be written.
    """
    found = ws.page_cache.find(page.document_id, page.index, dpi, max_pixels)
    if found is not None:
        return found
    target = ws.page_cache.path(page.document_id, page.index, dpi, max_pixels)
    sha256 = draw(document_path(ws, page), page.index, dpi, max_pixels, target)
    # One size for all, so that equal hashes mean equal pages.
    if page.content_sha256 is None and (dpi, max_pixels) == (DEFAULT_DPI, DEFAULT_MAX_PIXELS):
        ws.pages.set_content_hash(page.id, sha256)
    return target


def workspace_status(ws: Workspace) -> WorkspaceStatus:
    """Count documents, pages, labels and runs."""
    by_document = ws.pages.counts_by_document()
    return WorkspaceStatus(
        root=ws.root,
        documents=tuple((document, by_document.get(document.id, {})) for document in ws.documents.list()),
        counts=ws.pages.counts(),
        revisions=ws.labels.counts_by_source(),
        checks=ws.labels.counts_by_check(),
        runs=len(record_runs(ws)),
        removed_documents=len(ws.documents.list(removed=True)),
        database_bytes=ws.size_bytes(),
    )


def _files(sources: Iterable[Path], problems: list[ImportProblem]) -> list[Path]:
    """Every file once; a source that is missing or empty becomes a problem."""
    files: dict[Path, None] = {}
    for source in sources:
        try:
            files.update(dict.fromkeys(path.absolute() for path in find_sources(source)))
        except OcrStudioError as error:
            problems.append(ImportProblem(source, error))
    return list(files)


def _import_file(
    ws: Workspace, path: Path, sha256: str, password: str | None
) -> tuple[Document, bool, tuple[str, ...]]:
    """Copy one file and add its row and pages.

    The copy is complete before the row is committed. A crash in between leaves a file that no row knows; the
    next import of that name replaces it.

    Returns:
        The document, whether it is new (another process may have imported the same file meanwhile), and
        remarks.
    """
    with open_document(path, password) as document:
        kind = document.kind
        sizes, damage = _page_sizes(document)
        remarks = (*document.warnings, *damage)
    with staged_copy(path, ws.documents_folder, password) as copy, ws.transaction():
        known = ws.documents.find_by_sha256(sha256)
        if known is not None:
            return known, False, ()
        taken = {known.name.casefold() for known in ws.documents.list() + ws.documents.list(removed=True)}
        name = free_name(path.stem, taken)
        target = ws.documents_folder / f"{name}{path.suffix.lower()}"
        copy.path.replace(target)
        added = ws.documents.add(
            name=name,
            path=target.relative_to(ws.root).as_posix(),
            kind=kind,
            sha256=sha256,
            page_sizes=sizes,
        )
    return added, True, (*remarks, *filter(None, [copy.remark]))


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
