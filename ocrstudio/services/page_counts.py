"""What an export would write, told before it is made."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from ocrstudio.datasets.split import split_by_document
from ocrstudio.domain.document import PageStatus
from ocrstudio.domain.page_files import origin_of
from ocrstudio.store import Workspace


@dataclass(frozen=True)
class PageCounts:
    """Pages in each state, by the document that they come from.

    Attributes:
        by_origin: States without a page are absent. Pages that were imported as single pictures of one
            document are together, as they are when a dataset is divided.
    """

    by_origin: Mapping[str, Mapping[PageStatus, int]] = field(default_factory=dict)

    def pages(self, *statuses: PageStatus) -> int:
        """How many pages are in one of the states."""
        return sum(self._in(statuses).values())

    def documents(self, *statuses: PageStatus) -> int:
        """From how many documents these pages come."""
        return len(self._in(statuses))

    def held_out(self, statuses: Collection[PageStatus], fraction: float, seed: int) -> int:
        """How many of these pages an export holds out, if none has to be left out; documents stay whole."""
        origins = [origin for origin, count in self._in(statuses).items() for _ in range(count)]
        return len(split_by_document(origins, fraction, seed).evaluation)

    def _in(self, statuses: Collection[PageStatus]) -> dict[str, int]:
        sums = {
            origin: sum(counts.get(status, 0) for status in statuses)
            for origin, counts in self.by_origin.items()
        }
        return {origin: count for origin, count in sums.items() if count}


def count_pages(ws: Workspace) -> PageCounts:
    """Count the pages of a workspace; those of removed documents are not among them."""
    by_document = ws.pages.counts_by_document()
    found: dict[str, dict[PageStatus, int]] = defaultdict(lambda: defaultdict(int))
    for document in ws.documents.list():
        for status, count in by_document.get(document.id, {}).items():
            found[origin_of(document.name)][status] += count
    return PageCounts({origin: dict(counts) for origin, counts in found.items()})
