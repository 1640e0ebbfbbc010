"""A workspace as a whole: make one, bring documents in and out, show a page, count what is there."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ocrstudio.domain.document import Document, Page, PageStatus
from ocrstudio.pdf import DEFAULT_DPI, DEFAULT_MAX_PIXELS
from ocrstudio.services.document_import import import_sources
from ocrstudio.services.import_report import ImportProblem, ImportProgress, ImportReport
from ocrstudio.services.page_drawing import DrawPage, draw_here
from ocrstudio.services.picture_pages import page_place
from ocrstudio.services.run_index import record_runs
from ocrstudio.store import Workspace

__all__ = [
    "ImportProblem",
    "ImportProgress",
    "ImportReport",
    "WorkspaceStatus",
    "create_workspace",
    "document_path",
    "import_sources",
    "page_image",
    "remove_document",
    "restore_document",
    "workspace_status",
]


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
    """The copy that shows a page."""
    return page_place(ws.root, ws.documents.get(page.document_id), page.index)[0]


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
    path, index = page_place(ws.root, ws.documents.get(page.document_id), page.index)
    sha256 = draw(path, index, dpi, max_pixels, target)
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
