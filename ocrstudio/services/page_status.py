"""The rules of page statuses as one table, and the order of review. Pure: no workspace, no clock.

A status says how far the label of a page is. The two promises behind the table: a teacher never moves a page
that a person accepted, and whatever a person does is possible from every status, as long as there is a label
to do it to.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ocrstudio.domain.document import PageStatus
from ocrstudio.domain.label import HUMAN, IMPORT


class Action(StrEnum):
    """What happens to a page."""

    DRAFT = "draft"  # a teacher or a student wrote a label
    FAIL = "fail"  # a teacher could not
    EDIT = "edit"  # a person changed the label, or chose an older revision
    ACCEPT = "accept"
    FLAG = "flag"
    EXCLUDE = "exclude"
    REOPEN = "reopen"  # take back an acceptance, a flag or an exclusion


_S = PageStatus

# action -> status before -> status after.
TRANSITIONS: dict[Action, dict[PageStatus, PageStatus]] = {
    Action.DRAFT: {
        _S.UNLABELLED: _S.DRAFT,
        _S.DRAFT: _S.DRAFT,
        _S.FAILED: _S.DRAFT,
        _S.FLAGGED: _S.FLAGGED,
        _S.IN_REVIEW: _S.IN_REVIEW,
        _S.ACCEPTED: _S.ACCEPTED,
        _S.EXCLUDED: _S.EXCLUDED,
    },
    # A page that has a label keeps its status when another attempt fails: the label is as good as before.
    Action.FAIL: {
        _S.UNLABELLED: _S.FAILED,
        _S.FAILED: _S.FAILED,
        _S.DRAFT: _S.DRAFT,
        _S.FLAGGED: _S.FLAGGED,
        _S.IN_REVIEW: _S.IN_REVIEW,
        _S.ACCEPTED: _S.ACCEPTED,
        _S.EXCLUDED: _S.EXCLUDED,
    },
    # Typing neither answers the question of a flag nor takes an excluded page back in.
    Action.EDIT: {
        **dict.fromkeys((_S.UNLABELLED, _S.DRAFT, _S.IN_REVIEW, _S.ACCEPTED, _S.FAILED), _S.IN_REVIEW),
        _S.FLAGGED: _S.FLAGGED,
        _S.EXCLUDED: _S.EXCLUDED,
    },
    Action.ACCEPT: dict.fromkeys(PageStatus, _S.ACCEPTED),
    Action.FLAG: dict.fromkeys(PageStatus, _S.FLAGGED),
    Action.EXCLUDE: dict.fromkeys(PageStatus, _S.EXCLUDED),
    Action.REOPEN: dict.fromkeys(PageStatus, _S.IN_REVIEW),
}

# A draft becomes the current revision only in these states, and only over the work of a machine.
_OPEN_TO_DRAFTS = frozenset({_S.UNLABELLED, _S.DRAFT, _S.FAILED, _S.FLAGGED})
_WORK_OF_PEOPLE = frozenset({HUMAN, IMPORT})

TO_REVIEW = frozenset({_S.FLAGGED, _S.DRAFT, _S.IN_REVIEW})
"""What waits for a person: there is a label that nobody has accepted."""


def after(status: PageStatus, action: Action, *, has_label: bool) -> PageStatus:
    """The status that follows an action.

    Args:
        status: The status before.
        action: What happens.
        has_label: Whether the page has a current revision after the action.
    """
    if action is Action.REOPEN and not has_label:
        return PageStatus.UNLABELLED
    return TRANSITIONS[action][status]


def draft_becomes_current(status: PageStatus, current_source: str | None) -> bool:
    """Whether a new draft replaces the current revision, or is only kept beside it.

    Args:
        status: The status before the draft.
        current_source: Source of the current revision, or None when there is none.
    """
    return status in _OPEN_TO_DRAFTS and current_source not in _WORK_OF_PEOPLE


@dataclass(frozen=True)
class ReviewStep:
    """Where the review goes on, and what it leaves behind.

    Attributes:
        page: Id of the next page, or None when none is left in this direction.
        behind: Ids of the pages to review on the other side of the current one, in page order.
        hidden: How many pages to review the filter of the list hides.
    """

    page: int | None
    behind: tuple[int, ...] = ()
    hidden: int = 0


def next_in_review(
    pages: Sequence[tuple[int, PageStatus]],
    current: int | None,
    *,
    backwards: bool = False,
    statuses: Collection[PageStatus] = TO_REVIEW,
    within: Collection[int] | None = None,
) -> ReviewStep:
    """The page to review after the current one, in page order; it never goes round the end.

    Whoever reads a document goes forwards. A flagged page at its beginning waits until it is asked for (with
    ``statuses``), and pages that the list does not show are not jumped to.

    Args:
        pages: (id, status) of all pages in page order.
        current: Id of the current page, or None to begin before the first one (behind the last one).
        backwards: Go the other way.
        statuses: Which pages wait for review.
        within: Ids of the pages that the list shows; None when it shows all.
    """
    place = next((index for index, (page_id, _) in enumerate(pages) if page_id == current), None)
    here = place if place is not None else len(pages) if backwards else -1
    waiting = [
        (index, page_id)
        for index, (page_id, status) in enumerate(pages)
        if status in statuses and page_id != current
    ]
    shown = [(index, page_id) for index, page_id in waiting if within is None or page_id in within]
    before = tuple(page_id for index, page_id in shown if index < here)
    following = tuple(page_id for index, page_id in shown if index > here)
    hidden = len(waiting) - len(shown)
    if backwards:
        return ReviewStep(before[-1] if before else None, following, hidden)
    return ReviewStep(following[0] if following else None, before, hidden)
