"""The rules of page statuses as one table, and the order of review. Pure: no workspace, no clock.

A status says how far the label of a page is. The two promises behind the table: a teacher never moves a page
that a person accepted, and whatever a person does is possible from every status, as long as there is a label
to do it to.
"""

from collections.abc import Sequence
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

REVIEW_ORDER = (_S.FLAGGED, _S.DRAFT, _S.IN_REVIEW)


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


def next_in_review(
    pages: Sequence[tuple[int, PageStatus]], current: int | None, *, backwards: bool = False
) -> int | None:
    """The page to review after the current one.

    The queue has the flagged pages first, then drafts, then pages in review, each in page order; from its end
    it goes on at its beginning. A current page that is not in the queue is followed by the next page of the
    first kind that is left.

    Args:
        pages: (id, status) of all pages in page order; others than those to review only say where `current`
            is.
        current: Id of the current page, or None to begin at the beginning.
        backwards: Go the other way round.

    Returns:
        The id of a page other than the current one, or None when no other is left to review.
    """
    place = {page_id: index for index, (page_id, _) in enumerate(pages)}
    rank = {status: index for index, status in enumerate(REVIEW_ORDER)}
    queue = sorted((rank[status], place[page_id]) for page_id, status in pages if status in rank)
    here = place.get(current, -1) if current is not None else -1
    own_key = (rank.get(pages[here][1], queue[0][0] if queue else 0), here) if here >= 0 else (-1, -1)
    others = [key for key in queue if key != own_key]
    if not others:
        return None
    if backwards:
        before = [key for key in others if key < own_key]
        return pages[(before or others)[-1][1]][0]
    following = [key for key in others if key > own_key]
    return pages[(following or others)[0][1]][0]
