"""Workspaces and documents for tests: real databases, real small PDFs."""

from collections.abc import Sequence
from pathlib import Path

from ocrstudio.domain.document import DocumentKind
from ocrstudio.pdf import engine
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


def make_pdf(path: Path, texts: Sequence[str], password: str | None = None) -> Path:
    """A PDF with a small page for each text."""
    pymupdf = engine.load()
    with pymupdf.open() as document:
        for text in texts:
            document.new_page(width=200, height=100).insert_text((10, 50), text)
        if password is None:
            document.save(path)
        else:
            document.save(
                path, encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw=password, owner_pw=f"{password}!"
            )
    return path
