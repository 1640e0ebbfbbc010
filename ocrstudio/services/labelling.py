"""What is done to the label of a page, each in one transaction; the rules are in `page_status`.

Every function is safe while another process works on the same workspace: both revisions are kept, the later
one is current, and a teacher's draft never takes the place of what a person wrote.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ocrstudio.domain.document import Page, PageStatus
from ocrstudio.domain.errors import WorkspaceError
from ocrstudio.domain.label import HUMAN, IMPORT, NewRevision, Revision
from ocrstudio.services import page_status
from ocrstudio.services.page_status import TO_REVIEW, Action, ReviewStep
from ocrstudio.store import Workspace

EDITED = "edited"
"""Parameter of what a person typed: id of the revision that the typing began with."""

ACCEPTED = "accepted"
"""Parameter of what a person typed over an accepted label: id of the accepted revision."""


class UnseenLabelError(WorkspaceError):
    """The label that would have been accepted is not the one that the person looked at."""


@dataclass(frozen=True)
class BulkAccept:
    """What accepting many pages did.

    Attributes:
        accepted: Ids of the pages that are accepted now.
        skipped: Ids of the pages without a label or with an empty one; they stayed as they were.
    """

    accepted: tuple[int, ...]
    skipped: tuple[int, ...]


@dataclass(frozen=True)
class Decision:
    """What a person decided about pages, so that it can be taken back.

    Attributes:
        before: The pages as they were.
        after: The same pages afterwards.
    """

    before: tuple[Page, ...]
    after: tuple[Page, ...]


def save_edit(ws: Workspace, page_id: int, text: str) -> Revision | None:
    """Keep what a person typed as a new revision and make it current.

    An accepted page goes back to review, until the text is the accepted one again: then that revision is
    current and accepted as before. A text equal to the current one adds nothing.

    Returns:
        The current revision after the call; None when the text is empty and there was none.
    """
    with ws.transaction():
        current = ws.labels.current(page_id)
        if text == (current.text if current is not None else ""):
            return current
        accepted = _accepted_before(ws, page_id, current)
        if accepted is not None and accepted.text == text:
            ws.labels.set_current(page_id, accepted.id)
            _move(ws, page_id, Action.ACCEPT)
            return accepted
        origin: dict[str, Any] = {EDITED: current.id} if current is not None else {}
        if accepted is not None:
            origin[ACCEPTED] = accepted.id
        task = current.task if current is not None else ""
        revision = ws.labels.append(
            page_id, NewRevision(text, HUMAN, task, parameters=origin), make_current=True
        )
        _move(ws, page_id, Action.EDIT)
        return revision


def add_draft(
    ws: Workspace, page_id: int, revision: NewRevision, *, note: str = "", remark: str = ""
) -> Revision:
    """Keep a draft of a teacher or a student.

    It becomes current unless a person has written, imported, accepted or excluded the label of this page;
    then it is kept beside it in the history and the page stays as it is.

    Args:
        ws: The workspace.
        page_id: The page.
        revision: The draft.
        note: A doubt about this draft (it was cut off, it repeats itself); it flags a page whose draft is
            current.
        remark: What is to be known of a draft that nobody doubts (its page is blank).
    """
    with ws.transaction():
        page = ws.pages.get(page_id)
        current = ws.labels.current(page_id)
        replaces = page_status.draft_becomes_current(page.status, current.source if current else None)
        added = ws.labels.append(page_id, revision, make_current=replaces)
        if replaces:
            _move(ws, page_id, Action.FLAG if note else Action.DRAFT, note or remark or None)
        return added


def add_import(ws: Workspace, page_id: int, revision: NewRevision, *, accepted: bool = False) -> Revision:
    """Keep a label that came with a dataset; on an accepted page it is only kept beside the label.

    Args:
        ws: The workspace.
        page_id: The page.
        revision: The label; its source must be ``import``.
        accepted: Whether the page is accepted with it, or a draft to review.
    """
    if revision.source != IMPORT:
        raise ValueError(f"not an import: {revision.source}")
    with ws.transaction():
        page = ws.pages.get(page_id)
        current = ws.labels.current(page_id)
        replaces = page_status.draft_becomes_current(page.status, current.source if current else None)
        added = ws.labels.append(page_id, revision, make_current=replaces)
        if replaces:
            _move(ws, page_id, Action.ACCEPT if accepted and revision.text.strip() else Action.DRAFT)
        return added


def mark_failed(ws: Workspace, page_id: int, reason: str, *, draft: NewRevision | None = None) -> Page:
    """Note that a teacher could not draft a page; one that has a label stays as it is.

    Args:
        ws: The workspace.
        page_id: The page.
        reason: Why.
        draft: What the teacher gave nevertheless; it is kept in the history and never becomes the label.
    """
    with ws.transaction():
        page = ws.pages.get(page_id)
        if draft is not None:
            ws.labels.append(page_id, draft, make_current=False)
        if page_status.after(page.status, Action.FAIL, has_label=False) is PageStatus.FAILED:
            _move(ws, page_id, Action.FAIL, reason)
        return ws.pages.get(page_id)


def accept(ws: Workspace, page_id: int, *, seen: int | None = None) -> Page:
    """Accept the label of a page.

    Args:
        ws: The workspace.
        page_id: The page.
        seen: Id of the revision that the person looked at. When a teacher has drafted another one meanwhile,
            the one that was seen becomes current again and is accepted. None means the current one, whatever
            it is.

    Raises:
        WorkspaceError: The page has no label, or an empty one.
    """
    with ws.transaction():
        if seen is not None and ws.pages.get(page_id).revision_id != seen:
            ws.labels.set_current(page_id, seen)
        if not _has_text(ws, page_id):
            raise WorkspaceError(
                f"{_place(ws, page_id)} has no label to accept.",
                "Draft or type one first, or exclude the page when it is blank.",
            )
        return _move(ws, page_id, Action.ACCEPT)


def accept_and_next(
    ws: Workspace, page_id: int, *, seen: int | None, within: Collection[int] | None = None
) -> ReviewStep:
    """Accept a page and find the next one to review.

    Args:
        ws: The workspace.
        page_id: The page.
        seen: Id of the revision that the person looks at, or None for an empty page.
        within: Ids of the pages that the list shows; None when it shows all.

    Raises:
        UnseenLabelError: Another revision is current by now; nothing was accepted.
        WorkspaceError: The page has no label, or an empty one.
    """
    with ws.transaction():
        if ws.pages.get(page_id).revision_id != seen:
            raise UnseenLabelError(
                "The label of this page has changed since you looked at it. Nothing was accepted.",
                "It is shown now; the Compare tab has the earlier text.",
            )
        following = next_to_review(ws, page_id, within=within)
        accept(ws, page_id)
        return following


def accept_many(ws: Workspace, page_ids: Iterable[int]) -> BulkAccept:
    """Accept many pages at once, all in one transaction; those without a label are skipped and counted."""
    accepted: list[int] = []
    skipped: list[int] = []
    with ws.transaction():
        for page_id in page_ids:
            if _has_text(ws, page_id):
                _move(ws, page_id, Action.ACCEPT)
                accepted.append(page_id)
            else:
                skipped.append(page_id)
    return BulkAccept(tuple(accepted), tuple(skipped))


def flag(ws: Workspace, page_id: int, note: str = "") -> Page:
    """Mark a page to be looked at, with a word on why."""
    with ws.transaction():
        return _move(ws, page_id, Action.FLAG, note)


def exclude(ws: Workspace, page_id: int, note: str = "") -> Page:
    """Keep a page out of every dataset; its labels stay."""
    with ws.transaction():
        return _move(ws, page_id, Action.EXCLUDE, note)


def reopen(ws: Workspace, page_id: int) -> Page:
    """Take back an acceptance, a flag or an exclusion: the page is in review again, or unlabelled."""
    with ws.transaction():
        return _move(ws, page_id, Action.REOPEN)


def flag_many(ws: Workspace, notes: Sequence[tuple[int, str]]) -> Decision:
    """Flag several (page id, reason) in one transaction."""
    with ws.transaction():
        before = tuple(ws.pages.get(page_id) for page_id, _ in notes)
        return Decision(before, tuple(flag(ws, page_id, note) for page_id, note in notes))


def take_back(ws: Workspace, decision: Decision) -> tuple[int, ...]:
    """Give pages the state that they had before a decision.

    Returns:
        Ids of the pages that have it again. One that somebody has changed since stays as it is.
    """
    with ws.transaction():
        unchanged = [
            was
            for was, became in zip(decision.before, decision.after, strict=True)
            if _decided(ws.pages.get(was.id)) == _decided(became)
        ]
        for was in unchanged:
            ws.pages.set_status(was.id, was.status, was.note)
        return tuple(was.id for was in unchanged)


def region_owner(current: Revision | None, history: Sequence[Revision]) -> Revision | None:
    """The revision whose regions belong to the current label, or None.

    Regions belong to the text that they came with. Typing has none of its own: it is followed back to the
    draft that it began with, and never to a draft that was only kept beside it.

    Args:
        current: The current revision.
        history: All revisions of the page.
    """
    by_id = {revision.id: revision for revision in history}
    seen: set[int] = set()
    while current is not None and not current.regions and current.id not in seen:
        seen.add(current.id)
        if current.source != HUMAN:
            return None
        current = by_id.get(current.parameters.get(EDITED, _only_draft(history)))
    return current if current is not None and current.regions else None


def _only_draft(history: Sequence[Revision]) -> int | None:
    """The draft that typing without a note of its origin must have begun with: there is no other."""
    drafts = [revision.id for revision in history if revision.source not in (HUMAN, IMPORT)]
    return drafts[0] if len(drafts) == 1 else None


def restore(ws: Workspace, page_id: int, revision_id: int) -> Revision:
    """Make an older revision current again; nothing is deleted, and an accepted page goes back to review.

    An accepted revision that was typed over since is accepted again.

    Raises:
        WorkspaceError: The revision is not one of this page.
    """
    with ws.transaction():
        if ws.pages.get(page_id).revision_id != revision_id:
            accepted = _accepted_before(ws, page_id, ws.labels.current(page_id))
            ws.labels.set_current(page_id, revision_id)
            again = accepted is not None and accepted.id == revision_id
            _move(ws, page_id, Action.ACCEPT if again else Action.EDIT)
        return ws.labels.get(revision_id)


def next_to_review(
    ws: Workspace,
    page_id: int | None,
    *,
    backwards: bool = False,
    statuses: Collection[PageStatus] = TO_REVIEW,
    within: Collection[int] | None = None,
) -> ReviewStep:
    """The page to review after (or before) this one; see `page_status.next_in_review`.

    Args:
        ws: The workspace.
        page_id: The current page, or None for the beginning.
        backwards: Go the other way.
        statuses: Which pages wait for review; only the flagged ones, for instance.
        within: Ids of the pages that the list shows; None when it shows all.
    """
    return page_status.next_in_review(
        ws.pages.in_order(tuple(PageStatus)), page_id, backwards=backwards, statuses=statuses, within=within
    )


def _decided(page: Page) -> tuple[PageStatus, str, int | None]:
    return page.status, page.note, page.revision_id


def _accepted_before(ws: Workspace, page_id: int, current: Revision | None) -> Revision | None:
    """The accepted revision that a page shows, or that was typed over and not decided about since."""
    status = ws.pages.get(page_id).status
    if current is None or status is PageStatus.ACCEPTED:
        return current
    known = current.parameters.get(ACCEPTED) if current.source == HUMAN else None
    return ws.labels.get(known) if known is not None and status is PageStatus.IN_REVIEW else None


def _move(ws: Workspace, page_id: int, action: Action, note: str | None = None) -> Page:
    """Apply the table; without a new note, the old one stays only while the status does."""
    page = ws.pages.get(page_id)
    status = page_status.after(page.status, action, has_label=page.revision_id is not None)
    kept = page.note if status is page.status else ""
    ws.pages.set_status(page_id, status, kept if note is None else note)
    return ws.pages.get(page_id)


def _has_text(ws: Workspace, page_id: int) -> bool:
    current = ws.labels.current(page_id)
    return current is not None and bool(current.text.strip())


def _place(ws: Workspace, page_id: int) -> str:
    page = ws.pages.get(page_id)
    return f"Page {page.index + 1} of {ws.documents.get(page.document_id).name}"
