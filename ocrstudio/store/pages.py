"""The pages of a workspace: their state, and the list of the window."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from ocrstudio.domain.document import Page, PageStatus
from ocrstudio.domain.errors import WorkspaceError
from ocrstudio.store.database import Database

_COLUMNS = (
    "SELECT pages.id, pages.document_id, pages.page_index, pages.width, pages.height, pages.status, "
    "pages.revision_id, pages.content_sha256, pages.note"
)
_SELECT = f"{_COLUMNS} FROM pages "
# The revisions come from an index of their own, so that the long texts are never read.
_SELECT_ROWS = (
    f"{_COLUMNS}, documents.name, label_revisions.source, label_revisions.snippet "
    "FROM pages JOIN documents ON documents.id = pages.document_id "
    "LEFT JOIN label_revisions INDEXED BY label_revision_summaries ON label_revisions.id = pages.revision_id "
)
_SELECT_STATUSES = (
    "SELECT pages.id, pages.status FROM pages JOIN documents ON documents.id = pages.document_id "
)
_COUNT_STATUSES = (
    "SELECT pages.status, count(*) FROM pages JOIN documents ON documents.id = pages.document_id "
)
_IN_ORDER = " ORDER BY pages.document_id, pages.page_index"
_UPDATE = "UPDATE pages SET {} WHERE id = ?"
_PAGE_COLUMN_COUNT = 9
_SEARCH_TOKEN_LENGTH = 3  # shorter texts are not in the trigram index
_STATUSES = {status.value: status for status in PageStatus}


@dataclass(frozen=True)
class PageRow:
    """A page as a list shows it.

    Attributes:
        page: The page.
        document_name: Name of its document.
        source: Source of its current revision, or None.
        snippet: The beginning of its label in one line, or empty.
    """

    page: Page
    document_name: str
    source: str | None
    snippet: str


class PageRepository:
    """Reads and writes `pages`. Lists are in the order of the documents' import, then of the pages."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, page_id: int) -> Page:
        """A page by id.

        Raises:
            WorkspaceError: There is no such page.
        """
        row = self._database.row(_SELECT + "WHERE id = ?", (page_id,))
        if row is None:
            raise WorkspaceError(f"The workspace has no page with the id {page_id}.")
        return _page(row)

    def of_document(self, document_id: int) -> list[Page]:
        """All pages of a document in their order, also when the document was removed."""
        rows = self._database.rows(_SELECT + "WHERE document_id = ? ORDER BY page_index", (document_id,))
        return [_page(row) for row in rows]

    def in_order(self, statuses: Collection[PageStatus]) -> list[tuple[int, PageStatus]]:
        """(id, status) of all pages in these states, in the order of the list."""
        rows = self._database.rows(
            f"{_SELECT_STATUSES} WHERE documents.removed IS NULL "
            f"AND pages.status IN ({_marks(statuses)}) {_IN_ORDER}",
            [status.value for status in statuses],
        )
        return [(page_id, _STATUSES[status]) for page_id, status in rows]

    def counts(self, document_id: int | None = None) -> dict[PageStatus, int]:
        """How many pages are in each state; every state is present."""
        condition, parameters = (
            ("AND documents.id = ?", [document_id]) if document_id is not None else ("", [])
        )
        rows = self._database.rows(
            f"{_COUNT_STATUSES} WHERE documents.removed IS NULL {condition} GROUP BY pages.status",
            parameters,
        )
        return dict.fromkeys(PageStatus, 0) | {_STATUSES[status]: count for status, count in rows}

    def counts_by_document(self) -> dict[int, dict[PageStatus, int]]:
        """How many pages of each document are in each state; states without a page are absent."""
        rows = self._database.rows("SELECT document_id, status, count(*) FROM pages GROUP BY 1, 2")
        counts: dict[int, dict[PageStatus, int]] = {}
        for document_id, status, count in rows:
            counts.setdefault(document_id, {})[_STATUSES[status]] = count
        return counts

    def states(self) -> list[tuple[int, int, PageStatus]]:
        """(document, zero-based position, state) of every page, those of removed documents included."""
        rows = self._database.rows("SELECT document_id, page_index, status FROM pages ORDER BY 1, 2")
        return [(document_id, index, _STATUSES[status]) for document_id, index, status in rows]

    def find_by_content(self, sha256: str) -> Page | None:
        """The first page with this rendered content whose document was not removed, or None."""
        row = self._database.row(
            _SELECT + "JOIN documents ON documents.id = pages.document_id "
            "WHERE content_sha256 = ? AND removed IS NULL ORDER BY pages.id LIMIT 1",
            (sha256,),
        )
        return None if row is None else _page(row)

    def set_status(self, page_id: int, status: PageStatus, note: str = "") -> None:
        """Set the state and the note of a page; `services.labelling` knows which changes are allowed."""
        self._update(page_id, "status = ?, note = ?", (status.value, note))

    def set_content_hash(self, page_id: int, sha256: str) -> None:
        """Set the hash of the rendered content."""
        self._update(page_id, "content_sha256 = ?", (sha256,))

    def _update(self, page_id: int, assignment: str, values: tuple[object, ...]) -> None:
        if not self._database.write(_UPDATE.format(assignment), (*values, page_id)):
            raise WorkspaceError(f"The workspace has no page with the id {page_id}.")

    def list(
        self,
        document_id: int | None = None,
        statuses: Collection[PageStatus] | None = None,
        text: str | None = None,
    ) -> list[PageRow]:
        """The pages that pass all given filters.

        Args:
            document_id: Only pages of this document.
            statuses: Only pages in one of these states; None means all.
            text: Only pages whose current label contains this text; upper and lower case are the same.
        """
        conditions: list[str] = ["documents.removed IS NULL"]
        parameters: list[int | str] = []
        if document_id is not None:
            conditions.append("pages.document_id = ?")
            parameters.append(document_id)
        if statuses is not None:
            conditions.append(f"pages.status IN ({_marks(statuses)})")
            parameters.extend(status.value for status in statuses)
        if text:
            condition, parameter = _text_condition(text)
            conditions.append(condition)
            parameters.append(parameter)
        rows = self._database.rows(f"{_SELECT_ROWS} WHERE {' AND '.join(conditions)} {_IN_ORDER}", parameters)
        return [
            PageRow(_page(row[:_PAGE_COLUMN_COUNT]), name, source, snippet or "")
            for row in rows
            for name, source, snippet in (row[_PAGE_COLUMN_COUNT:],)
        ]


def _marks(values: Collection[object]) -> str:
    """As many question marks as there are values."""
    return ", ".join("?" * len(values))


def _text_condition(text: str) -> tuple[str, str]:
    """A condition on the current label, and its parameter."""
    if len(text) < _SEARCH_TOKEN_LENGTH:
        return (
            "pages.revision_id IN (SELECT id FROM label_revisions WHERE instr(lower(text), lower(?)) > 0)",
            text,
        )
    phrase = '"' + text.replace('"', '""') + '"'
    return "pages.revision_id IN (SELECT rowid FROM label_search WHERE label_search MATCH ?)", phrase


def _page(row: tuple[Any, ...]) -> Page:
    page_id, document_id, index, width, height, status, revision_id, content_sha256, note = row
    return Page(
        page_id, document_id, index, width, height, _STATUSES[status], revision_id, content_sha256, note
    )
