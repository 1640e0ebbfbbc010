"""What an export would write, told before it is made."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from ocrstudio.datasets.split import split_by_document
from ocrstudio.domain.document import PageStatus
from ocrstudio.domain.page_files import origin_of
from ocrstudio.services.picture_pages import places_of
from ocrstudio.store import Workspace


@dataclass(frozen=True)
class PageCounts:
    """Pages in each state, by the document that they come from.

    Attributes:
        by_origin: What tells the pages apart (`picture_pages.Places.identity`), by state; states without a
            page are absent. Documents that are one picture of a page each are together with the other
            pages, as they are when a dataset is divided.
    """

    by_origin: Mapping[str, Mapping[PageStatus, Collection[str]]] = field(default_factory=dict)

    def pages(self, *statuses: PageStatus) -> int:
        """How many pages are in one of the states."""
        return sum(len(pages) for pages in self._in(statuses).values())

    def documents(self, *statuses: PageStatus) -> int:
        """From how many documents these pages come."""
        return len(self._in(statuses))

    def held_out(self, statuses: Collection[PageStatus], fraction: float, seed: int) -> int:
        """How many of these pages an export holds out, if none has to be left out; documents stay whole."""
        items = [(origin, page) for origin, pages in self._in(statuses).items() for page in pages]
        origins, pages = [origin for origin, _ in items], [page for _, page in items]
        return len(split_by_document(origins, pages, fraction, seed).evaluation)

    def _in(self, statuses: Collection[PageStatus]) -> dict[str, list[str]]:
        found = {
            origin: [page for status in statuses for page in pages.get(status, ())]
            for origin, pages in self.by_origin.items()
        }
        return {origin: pages for origin, pages in found.items() if pages}


def count_pages(ws: Workspace) -> PageCounts:
    """Count the pages of a workspace; those of removed documents are not among them."""
    states: dict[int, list[tuple[int, PageStatus]]] = defaultdict(list)
    for document_id, index, status in ws.pages.states():
        states[document_id].append((index, status))
    found: dict[str, dict[PageStatus, list[str]]] = defaultdict(lambda: defaultdict(list))
    for document in ws.documents.list():
        places, pages = places_of(ws.root, document), found[origin_of(document.name)]
        for index, status in states[document.id]:
            pages[status].append(places.identity(document, index))
    return PageCounts({origin: dict(pages) for origin, pages in found.items()})
