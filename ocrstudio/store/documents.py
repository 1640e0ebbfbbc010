"""The documents of a workspace."""

import time
from collections.abc import Sequence
from typing import Any

from ocrstudio.domain.document import Document, DocumentKind
from ocrstudio.domain.errors import WorkspaceError
from ocrstudio.domain.names import nfc
from ocrstudio.store.database import Database

_SELECT = "SELECT id, name, path, kind, sha256, page_count, added FROM documents "


class DocumentRepository:
    """Reads and writes `documents`, and creates the pages of a new document.

    A removed document is only hidden: its pages and labels stay, and `restore` brings it back.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        *,
        name: str,
        path: str,
        kind: DocumentKind,
        sha256: str,
        page_sizes: Sequence[tuple[float, float]],
        first_index: int = 0,
    ) -> Document:
        """Add a document with one unlabelled page for each size.

        Args:
            name: Name that no document of the workspace has or had.
            path: Path of the copy, relative to the workspace, with forward slashes.
            kind: PDF or image.
            sha256: Hash of the source file; unique in the workspace.
            page_sizes: (width, height) of each page in points.
            first_index: Zero-based position of the first of these pages.
        """
        added = time.time()
        with self._database.transaction():
            document_id = self._database.write(
                "INSERT INTO documents (name, path, kind, sha256, page_count, added) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (name, path, kind.value, sha256, len(page_sizes), added),
            )
            self._database.write_many(
                "INSERT INTO pages (document_id, page_index, width, height) VALUES (?, ?, ?, ?)",
                [
                    (document_id, index, width, height)
                    for index, (width, height) in enumerate(page_sizes, first_index)
                ],
            )
        return Document(document_id, name, path, kind, sha256, len(page_sizes), added)

    def add_page(self, document_id: int, index: int, size: tuple[float, float]) -> None:
        """Add an unlabelled page to a document whose pages are pictures.

        Args:
            document_id: The document.
            index: Zero-based position, at which there is no page yet.
            size: Width and height in points.
        """
        with self._database.transaction():
            self._database.write(
                "INSERT INTO pages (document_id, page_index, width, height) VALUES (?, ?, ?, ?)",
                (document_id, index, *size),
            )
            self._database.write(
                "UPDATE documents SET page_count = (SELECT count(*) FROM pages WHERE document_id = ?) "
                "WHERE id = ?",
                (document_id, document_id),
            )

    def list(self, *, removed: bool = False) -> list[Document]:
        """The documents in the order of their import; with `removed`, only the removed ones."""
        condition = "IS NOT NULL" if removed else "IS NULL"
        rows = self._database.rows(_SELECT + f"WHERE removed {condition} ORDER BY id")
        return [_document(row) for row in rows]

    def get(self, document_id: int) -> Document:
        """A document by id, also when it was removed.

        Raises:
            WorkspaceError: There is no such document.
        """
        row = self._database.row(_SELECT + "WHERE id = ?", (document_id,))
        if row is None:
            raise WorkspaceError(f"The workspace has no document number {document_id}.")
        return _document(row)

    def find(self, name: str) -> Document | None:
        """The document of this name (upper and lower case and Unicode forms are the same), or None."""
        row = self._database.row(_SELECT + "WHERE name = ? AND removed IS NULL", (nfc(name),))
        return None if row is None else _document(row)

    def find_by_sha256(self, sha256: str) -> Document | None:
        """The document with this content, also when it was removed, or None."""
        row = self._database.row(_SELECT + "WHERE sha256 = ?", (sha256,))
        return None if row is None else _document(row)

    def is_removed(self, document_id: int) -> bool:
        """Whether the document is hidden."""
        return bool(
            self._database.integer("SELECT removed IS NOT NULL FROM documents WHERE id = ?", (document_id,))
        )

    def remove(self, document_id: int) -> None:
        """Hide a document and its pages; nothing is deleted."""
        self._database.write(
            "UPDATE documents SET removed = ? WHERE id = ? AND removed IS NULL", (time.time(), document_id)
        )

    def restore(self, document_id: int) -> Document:
        """Show a removed document again, with its pages and labels."""
        self._database.write("UPDATE documents SET removed = NULL WHERE id = ?", (document_id,))
        return self.get(document_id)


def _document(row: tuple[Any, ...]) -> Document:
    document_id, name, path, kind, sha256, page_count, added = row
    return Document(document_id, name, path, DocumentKind(kind), sha256, page_count, added)
