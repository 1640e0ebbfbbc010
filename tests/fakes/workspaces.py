"""Documents for tests in a real database."""

from ocrstudio.domain.document import DocumentKind
from ocrstudio.store import Workspace


def add_document(ws: Workspace, name: str = "report", pages: int = 3) -> list[int]:
    """A document of blank pages without a file; returns the ids of its pages."""
    document = ws.documents.add(
        name=name,
        path=f"documents/{name}.pdf",
        kind=DocumentKind.PDF,
        sha256=f"hash of {name}",
        page_sizes=[(595.0, 842.0)] * pages,
    )
    return [page.id for page in ws.pages.of_document(document.id)]
