"""The labels of a workspace: revisions that are appended and never changed."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ocrstudio.domain.document import PageStatus
from ocrstudio.domain.errors import WorkspaceError
from ocrstudio.domain.label import HUMAN, IMPORT, NewRevision, Revision
from ocrstudio.domain.region import region_from_row, region_to_row
from ocrstudio.domain.text import storable
from ocrstudio.domain.wording import shortened
from ocrstudio.store.database import Database

_SELECT = (
    "SELECT label_revisions.id, page_id, text, source, task, prompt, parameters, raw, regions, created "
    "FROM label_revisions "
)
# Ids first: the texts are read one page at a time.
_SELECT_DRAFTS_OF_ACCEPTED = (
    "SELECT max(draft.id), pages.revision_id "
    "FROM (SELECT pages.id, pages.revision_id "
    "      FROM pages JOIN documents ON documents.id = pages.document_id "
    "      WHERE pages.status = ? AND documents.removed IS NULL "
    "      ORDER BY pages.revision_id DESC LIMIT ?) AS pages "
    "JOIN label_revisions AS draft ON draft.page_id = pages.id AND draft.source NOT IN (?, ?) "
    "GROUP BY pages.id, draft.source, draft.task ORDER BY pages.id"
)
_NO_LIMIT = -1
_SNIPPET_LENGTH = 120
_SNIPPET_SOURCE_LENGTH = 1000  # enough for the snippet of any text with words in it


@dataclass(frozen=True)
class AcceptedDraft:
    """A draft of a page that is accepted now.

    Attributes:
        source: Who drafted it.
        task: Task id.
        text: The draft.
        label: The label of the page.
    """

    source: str
    task: str
    text: str
    label: str


class LabelRepository:
    """Appends to and reads `label_revisions`; moves the pointer of a page to its current revision.

    Triggers in the database refuse any change or deletion of a revision, whoever asks.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, page_id: int, revision: NewRevision, *, make_current: bool) -> Revision:
        """Add a revision to a page; when this returns outside a transaction, it is on the disk.

        Args:
            page_id: The page.
            revision: What to keep.
            make_current: Whether the page points at it from now on.

        Raises:
            WorkspaceError: There is no such page, or the database cannot be written.
        """
        created = time.time()
        text, raw = storable(revision.text), storable(revision.raw)
        with self._database.transaction():
            if self._database.integer("SELECT 1 FROM pages WHERE id = ?", (page_id,)) is None:
                raise WorkspaceError(f"The workspace has no page with the id {page_id}.")
            revision_id = self._database.write(
                "INSERT INTO label_revisions (page_id, source, created, snippet, task, prompt, parameters, "
                "regions, text, raw) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    page_id,
                    revision.source,
                    created,
                    _snippet(text),
                    revision.task,
                    revision.prompt,
                    json.dumps(dict(revision.parameters), ensure_ascii=False),
                    json.dumps([region_to_row(region) for region in revision.regions], ensure_ascii=False),
                    text,
                    raw,
                ),
            )
            self._database.write("INSERT INTO label_search (rowid, text) VALUES (?, ?)", (revision_id, text))
            if make_current:
                self.set_current(page_id, revision_id)
        return self.get(revision_id)

    def current(self, page_id: int) -> Revision | None:
        """The revision that the page points at, or None."""
        row = self._database.row(
            _SELECT + "JOIN pages ON pages.revision_id = label_revisions.id WHERE pages.id = ?", (page_id,)
        )
        return None if row is None else _revision(row)

    def history(self, page_id: int) -> list[Revision]:
        """All revisions of a page, newest first."""
        rows = self._database.rows(_SELECT + "WHERE page_id = ? ORDER BY label_revisions.id DESC", (page_id,))
        return [_revision(row) for row in rows]

    def get(self, revision_id: int) -> Revision:
        """A revision by id.

        Raises:
            WorkspaceError: There is no such revision.
        """
        row = self._database.row(_SELECT + "WHERE label_revisions.id = ?", (revision_id,))
        if row is None:
            raise WorkspaceError(f"The workspace has no label revision number {revision_id}.")
        return _revision(row)

    def set_current(self, page_id: int, revision_id: int) -> None:
        """Let a page point at one of its revisions.

        Raises:
            WorkspaceError: The revision is not one of this page.
        """
        changed = self._database.write(
            "UPDATE pages SET revision_id = ? WHERE id = ? "
            "AND EXISTS (SELECT 1 FROM label_revisions WHERE id = ? AND page_id = ?)",
            (revision_id, page_id, revision_id, page_id),
        )
        if not changed:
            raise WorkspaceError(
                f"Label revision number {revision_id} does not belong to the page {page_id}."
            )

    def drafts_of_accepted(self, latest: int | None = None) -> Iterator[AcceptedDraft]:
        """The newest draft of every source and task, of pages that are accepted now.

        Args:
            latest: Only so many pages, those whose labels are the newest; None for all.
        """
        limit = _NO_LIMIT if latest is None else latest
        pairs = self._database.rows(
            _SELECT_DRAFTS_OF_ACCEPTED, (PageStatus.ACCEPTED.value, limit, HUMAN, IMPORT)
        )
        for draft_id, label_id in pairs:
            draft, label = self.get(draft_id), self.get(label_id)
            yield AcceptedDraft(draft.source, draft.task, draft.text, label.text)

    def counts_by_check(self) -> dict[str, int]:
        """How many labels of pages came out how when they were held against their page (see `teachers`).

        A label that a person wrote was never checked and is not counted.
        """
        rows = self._database.rows(
            "SELECT json_extract(label_revisions.parameters, '$.check.verdict') AS verdict, count(*) "
            "FROM pages JOIN documents ON documents.id = pages.document_id "
            "JOIN label_revisions ON label_revisions.id = pages.revision_id "
            "WHERE documents.removed IS NULL AND verdict IS NOT NULL GROUP BY verdict ORDER BY verdict"
        )
        return dict(rows)

    def counts_by_source(self) -> dict[str, int]:
        """How many revisions each source has written, in all pages."""
        rows = self._database.rows(
            "SELECT source, count(*) FROM label_revisions GROUP BY source ORDER BY source"
        )
        return dict(rows)


def _snippet(text: str) -> str:
    return shortened(" ".join(text[:_SNIPPET_SOURCE_LENGTH].split()), _SNIPPET_LENGTH)


def _revision(row: tuple[Any, ...]) -> Revision:
    revision_id, page_id, text, source, task, prompt, parameters, raw, regions, created = row
    return Revision(
        id=revision_id,
        page_id=page_id,
        text=text,
        source=source,
        task=task,
        prompt=prompt,
        parameters=json.loads(parameters),
        raw=raw,
        regions=tuple(region_from_row(region) for region in json.loads(regions)),
        created=created,
    )
