"""Which pages a batch takes."""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from ocrstudio.domain.document import PageStatus
from ocrstudio.services.drafting import UNFINISHED, select_pages
from ocrstudio.store import Workspace
from ocrstudio.ui.pages.model import PageListModel


class Scope(StrEnum):
    """What the user means."""

    UNFINISHED = "unfinished"
    UNLABELLED = "unlabelled"
    FAILED = "failed"
    LISTED = "listed"
    PAGE = "page"


SCOPE_WORDS: Mapping[Scope, str] = {
    Scope.UNFINISHED: "Unlabelled and failed pages",
    Scope.UNLABELLED: "Unlabelled pages",
    Scope.FAILED: "Failed pages",
    Scope.LISTED: "Pages shown in the list",
    Scope.PAGE: "This page (Ctrl+R)",
}
_STATUSES: Mapping[Scope, tuple[PageStatus, ...]] = {
    Scope.UNFINISHED: UNFINISHED,
    Scope.UNLABELLED: (PageStatus.UNLABELLED,),
    Scope.FAILED: (PageStatus.FAILED,),
}


def pages_in(scope: Scope, workspace: Workspace, listed: Iterable[int], page_id: int | None) -> list[int]:
    """Ids of the pages in a scope, in the order of the documents.

    Args:
        scope: What is meant.
        workspace: The workspace.
        listed: Pages that the list shows.
        page_id: The chosen page.
    """
    if scope is Scope.LISTED:
        return list(listed)
    if scope is Scope.PAGE:
        return [] if page_id is None else [page_id]
    return select_pages(workspace, _STATUSES[scope])


def count_in(scope: Scope, counts: Mapping[PageStatus, int], listed: int, page_id: int | None) -> int:
    """Number of pages in a scope, without reading them."""
    if scope is Scope.LISTED:
        return listed
    if scope is Scope.PAGE:
        return int(page_id is not None)
    return sum(counts.get(status, 0) for status in _STATUSES[scope])


def listed(pages: PageListModel) -> Iterator[int]:
    """Ids of the pages that the list shows, in order."""
    page_id = pages.neighbour(None, 1)
    while page_id is not None:
        yield page_id
        page_id = pages.neighbour(page_id, 1)
