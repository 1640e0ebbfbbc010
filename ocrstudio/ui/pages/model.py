"""Documents and their pages as a two-level Qt model over plain lists: 20,000 pages scroll freely."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from ocrstudio.domain.document import Page, PageStatus
from ocrstudio.domain.wording import count_of
from ocrstudio.store import PageRow
from ocrstudio.ui.pages.status import STATUS_LOOKS

PAGE_ROLE = Qt.ItemDataRole.UserRole
DOCUMENT_ROLE = Qt.ItemDataRole.UserRole + 1
_TOP = 0xFFFFFFFF  # internal id of a document row; a page row holds the number of its document row
# Composed once: Qt asks for them 60,000 times when 20,000 rows are expanded.
_DOCUMENT_FLAGS = Qt.ItemFlag.ItemIsEnabled
_PAGE_FLAGS = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren

AnyIndex = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True)
class DocumentHeading:
    """A document in the list: its name, the pages that pass the filter, and how many are accepted."""

    document_id: int
    name: str
    shown: int
    accepted: int


class PageListModel(QAbstractItemModel):
    """Documents on the top level, the pages that pass the filter below."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._all: dict[int, PageRow] = {}
        self._documents: list[tuple[int, str, list[int]]] = []
        self._place: dict[int, tuple[int, int]] = {}
        self._statuses: frozenset[PageStatus] = frozenset()
        self._found: frozenset[int] | None = None
        self._accepted: dict[int, int] = {}  # by number of the document row; counted when first painted

    # Contents

    def set_rows(self, rows: Iterable[PageRow]) -> None:
        """Replaces all pages (in the order of the list)."""
        self._all = {row.page.id: row for row in rows}
        self._rebuild()

    def set_filter(self, statuses: Collection[PageStatus], found: Collection[int] | None) -> None:
        """Shows only some pages.

        Args:
            statuses: States to show; empty means all.
            found: Ids of the pages that a search found; None means no search.
        """
        self._statuses = frozenset(statuses)
        self._found = None if found is None else frozenset(found)
        self._rebuild()

    def update_page(self, page: Page, source: str | None, snippet: str) -> None:
        """Shows the new state of a page in place; it stays listed even if the filter would now hide it."""
        old = self._all.get(page.id)
        if old is None:
            return
        self._all[page.id] = replace(old, page=page, source=source, snippet=snippet)
        index = self.index_of(page.id)
        if index.isValid():
            self.dataChanged.emit(index, index)
            heading = index.parent()
            self._accepted.pop(heading.row(), None)
            self.dataChanged.emit(heading, heading)

    def counts(self) -> dict[PageStatus, int]:
        """How many of all pages are in each state, whatever the filter."""
        result = dict.fromkeys(PageStatus, 0)
        for row in self._all.values():
            result[row.page.status] += 1
        return result

    @property
    def total(self) -> int:
        """Number of all pages, whatever the filter."""
        return len(self._all)

    @property
    def listed(self) -> Collection[int] | None:
        """Ids of the pages that pass the filter; None when all do."""
        return None if len(self._place) == len(self._all) else self._place.keys()

    @property
    def shown(self) -> int:
        """Number of pages that pass the filter."""
        return len(self._place)

    def row_of(self, page_id: int) -> PageRow | None:
        """The row of a page, shown or not."""
        return self._all.get(page_id)

    def index_of(self, page_id: int | None) -> QModelIndex:
        """The index of a page; invalid when it is not shown."""
        place = self._place.get(page_id) if page_id is not None else None
        if place is None:
            return QModelIndex()
        return self.createIndex(place[1], 0, place[0])

    def neighbour(self, page_id: int | None, step: int) -> int | None:
        """The id of the shown page before (-1) or after (1) one, across documents; the first one for None."""
        if not self._place:
            return None
        place = self._place.get(page_id) if page_id is not None else None
        if place is None:
            return self._documents[0][2][0]
        document, row = place[0], place[1] + step
        while True:
            pages = self._documents[document][2]
            if 0 <= row < len(pages):
                return pages[row]
            document += step
            if not 0 <= document < len(self._documents):
                return None
            row = 0 if step > 0 else len(self._documents[document][2]) - 1

    def first_shown(self, document_id: int) -> int:
        """The id of the first shown page of a document that the list shows."""
        return next(pages[0] for number, _, pages in self._documents if number == document_id)

    def outside(self, document_id: int) -> int | None:
        """The id of the shown page that follows a document, or precedes it, or None."""
        numbers = [number for number, _, _ in self._documents]
        if document_id not in numbers:
            return self.neighbour(None, 1)
        place = numbers.index(document_id)
        after, before = self._documents[place + 1 :], self._documents[:place]
        return after[0][2][0] if after else before[-1][2][-1] if before else None

    def page_at(self, document_id: int, index: int) -> int | None:
        """The id of a page of a document, shown or not."""
        for row in self._all.values():
            if row.page.document_id == document_id and row.page.index == index:
                return row.page.id
        return None

    def _passes(self, row: PageRow) -> bool:
        if self._statuses and row.page.status not in self._statuses:
            return False
        return self._found is None or row.page.id in self._found

    def _rebuild(self) -> None:
        self.beginResetModel()
        self._documents = []
        self._place = {}
        self._accepted = {}
        for page_id, row in self._all.items():
            if not self._passes(row):
                continue
            if not self._documents or self._documents[-1][0] != row.page.document_id:
                self._documents.append((row.page.document_id, row.document_name, []))
            pages = self._documents[-1][2]
            self._place[page_id] = (len(self._documents) - 1, len(pages))
            pages.append(page_id)
        self.endResetModel()

    def _heading(self, number: int) -> DocumentHeading:
        document_id, name, pages = self._documents[number]
        if number not in self._accepted:
            statuses = (self._all[page_id].page.status for page_id in pages)
            self._accepted[number] = sum(status is PageStatus.ACCEPTED for status in statuses)
        return DocumentHeading(document_id, name, len(pages), self._accepted[number])

    # QAbstractItemModel

    def index(self, row: int, column: int, parent: AnyIndex | None = None) -> QModelIndex:
        """The index of a row."""
        if parent is None or not parent.isValid():
            found = column == 0 and 0 <= row < len(self._documents)
            return self.createIndex(row, 0, _TOP) if found else QModelIndex()
        found = parent.internalId() == _TOP and column == 0 and row < len(self._documents[parent.row()][2])
        return self.createIndex(row, 0, parent.row()) if found else QModelIndex()

    def parent(self, index: AnyIndex) -> QModelIndex:  # type: ignore[override]
        """The document of a page."""
        if not index.isValid() or index.internalId() == _TOP:
            return QModelIndex()
        return self.createIndex(int(index.internalId()), 0, _TOP)

    def rowCount(self, parent: AnyIndex | None = None) -> int:
        """Documents, or shown pages of a document."""
        if parent is None or not parent.isValid():
            return len(self._documents)
        return len(self._documents[parent.row()][2]) if parent.internalId() == _TOP else 0

    def columnCount(self, _parent: AnyIndex | None = None) -> int:
        """One."""
        return 1

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """A `DocumentHeading` or a `PageRow` for the delegate; words for assistive technology."""
        if not index.isValid():
            return None
        if index.internalId() == _TOP:
            heading = self._heading(index.row())
            words = {Qt.ItemDataRole.DisplayRole: heading.name, DOCUMENT_ROLE: heading}
            words[Qt.ItemDataRole.AccessibleTextRole] = f"{heading.name}, {count_of(heading.shown, 'page')}"
            return words.get(role)
        row = self._all[self._documents[int(index.internalId())][2][index.row()]]
        number = f"Page {row.page.index + 1}"
        status = STATUS_LOOKS[row.page.status].word
        words = {Qt.ItemDataRole.DisplayRole: number, PAGE_ROLE: row}
        words[Qt.ItemDataRole.AccessibleTextRole] = f"{number}, {status}, {row.snippet}"
        words[Qt.ItemDataRole.ToolTipRole] = f"{status}: {row.page.note}" if row.page.note else status
        return words.get(role)

    def flags(self, index: AnyIndex) -> Qt.ItemFlag:
        """Pages can be selected, documents only folded."""
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        return _DOCUMENT_FLAGS if index.internalId() == _TOP else _PAGE_FLAGS
