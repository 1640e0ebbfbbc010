"""The left side: search field, status chips with counts, and the list of documents and pages."""

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QModelIndex, QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QContextMenuEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLabel,
    QLineEdit,
    QMenu,
    QStackedWidget,
    QToolButton,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from ocrstudio.domain.document import PageStatus
from ocrstudio.domain.wording import count_of
from ocrstudio.store import PageRow
from ocrstudio.ui.icons import icon
from ocrstudio.ui.pages.delegate import PageDelegate, PictureOf
from ocrstudio.ui.pages.model import DOCUMENT_ROLE, PAGE_ROLE, DocumentHeading, PageListModel
from ocrstudio.ui.pages.status import STATUS_LOOKS
from ocrstudio.ui.widgets.empty_state import EmptyState
from ocrstudio.ui.widgets.flow_layout import FlowLayout
from ocrstudio.ui.widgets.layouts import Edge, fill, style_bar

_SEARCH_DELAY_MS = 250
_LEAST_WIDTH, _LEAST_HEIGHT = 200, 100


class PageTree(QTreeView):
    """The list itself.

    Signals:
        menu_wanted: The `PageRow` or `DocumentHeading` under the pointer, and the place on the screen.
    """

    menu_wanted = Signal(object, object)

    def __init__(self) -> None:
        super().__init__()
        self.setHeaderHidden(True)
        self.setUniformRowHeights(True)
        self.setIndentation(0)
        self.setRootIsDecorated(False)
        self.setExpandsOnDoubleClick(False)
        self.setMouseTracking(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.pages = PageDelegate(self)
        self.setItemDelegate(self.pages)
        self.setAccessibleName("Pages")
        self.clicked.connect(self._fold)

    def _fold(self, index: QModelIndex) -> None:
        if not index.parent().isValid():
            self.setExpanded(index, not self.isExpanded(index))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offers what can be done with the page or document under the pointer."""
        index = self.indexAt(event.pos())
        if index.isValid():
            self.menu_wanted.emit(index.data(PAGE_ROLE) or index.data(DOCUMENT_ROLE), event.globalPos())


class PagesPanel(QWidget):
    """Shows the pages and emits which one is wanted.

    Signals:
        page_selected: Id of the page that the user chose.
        text_searched: What to look for in the labels; empty for everything.
        statuses_chosen: A set of `PageStatus`; empty for all.
    """

    page_selected = Signal(int)
    text_searched = Signal(str)
    statuses_chosen = Signal(object)

    def __init__(
        self,
        page_actions: tuple[QAction, ...],
        document_actions: tuple[QAction, ...],
        import_action: QAction,
    ) -> None:
        super().__init__()
        self.model = PageListModel(self)
        self.tree = PageTree()
        self.tree.setModel(self.model)
        self._page_actions = page_actions
        self._document_actions = document_actions
        self._folded: set[int] = set()
        self._reading = False
        self._place: tuple[int, bool] | None = None
        self._search = QLineEdit()
        self._search.setPlaceholderText("Search in labels")
        self._search.setClearButtonEnabled(True)
        self._search.setAccessibleName("Search in labels")
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.setInterval(_SEARCH_DELAY_MS)
        self._delay.timeout.connect(lambda: self.text_searched.emit(self._search.text().strip()))
        self._search.textChanged.connect(self._delay.start)
        self._chips: dict[PageStatus, QToolButton] = {}
        self._summary = QLabel()
        self._summary.setProperty("role", "muted")
        self._stack = QStackedWidget()
        self._empty = self._empty_state(import_action)
        self._nothing = EmptyState("filter", "No page matches", "Change the search or the status filter.")
        self._blank = QWidget()  # while it is not known yet whether there are documents
        for widget in (self.tree, self._empty, self._nothing, self._blank):
            self._stack.addWidget(widget)
        self._lay_out()
        self.tree.selectionModel().selectionChanged.connect(self._selection_changed)
        self.tree.menu_wanted.connect(self._show_menu)
        self.tree.collapsed.connect(lambda index: self._note_fold(index, folded=True))
        self.tree.expanded.connect(lambda index: self._note_fold(index, folded=False))
        self.model.modelReset.connect(self._after_reset)
        self._current: int | None = None
        self.setMinimumWidth(_LEAST_WIDTH)
        self._stack.setMinimumHeight(_LEAST_HEIGHT)  # less than what an empty list says, which is seldom

    def _empty_state(self, import_action: QAction) -> EmptyState:
        button = QToolButton()
        button.setDefaultAction(import_action)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        advice = "Import a PDF or images, or drop them onto this window. The sources are copied."
        return EmptyState("document", "No documents yet", advice, (button,))

    def _lay_out(self) -> None:
        top = QWidget()
        style_bar(top, Edge.BELOW)
        column = QVBoxLayout(top)
        column.setContentsMargins(10, 10, 10, 8)
        column.setSpacing(8)
        column.addWidget(self._search)
        chips = QWidget()
        flow = FlowLayout(chips)
        for status, look in STATUS_LOOKS.items():
            chip = QToolButton()
            chip.setProperty("chip", "true")
            chip.setCheckable(True)
            chip.setIconSize(QSize(14, 14))
            chip.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            chip.setToolTip(f"Show only: {look.word}")
            chip.toggled.connect(self._emit_statuses)
            self._chips[status] = chip
            flow.addWidget(chip)
        column.addWidget(chips)
        column.addWidget(self._summary)
        fill(self, top, self._stack, wide=self._stack)
        self.restyle()
        self.show_counts()

    # State

    def show_thumbnails(self, picture_of: PictureOf | None) -> None:
        """Shows pictures of the pages beside their names, or none."""
        self.tree.pages.picture_of = picture_of
        self.tree.scheduleDelayedItemsLayout()  # the rows have another height

    def show_reading(self) -> None:
        """The pages of another workspace are being read."""
        self._folded.clear()
        self._reading = True
        self.show_counts()

    def show_rows(self, rows: list[PageRow]) -> None:
        """Replaces the pages; the choice, what is folded and the place in the list stay."""
        self._reading = False
        chosen = self.tree.visualRect(self.model.index_of(self._current))
        in_view = chosen.isValid() and self.tree.viewport().rect().intersects(chosen)
        self._place = (self.tree.verticalScrollBar().value(), in_view)
        self.model.set_rows(rows)
        self._place = None
        self.show_counts()

    def select(self, page_id: int | None) -> None:
        """Selects a page without emitting `page_selected`."""
        self._current = page_id
        index = self.model.index_of(page_id)
        selection = self.tree.selectionModel()
        selection.blockSignals(True)
        if index.isValid():
            self.tree.expand(index.parent())
            self.tree.setCurrentIndex(index)
            self.tree.scrollTo(index)
        else:
            self.tree.clearSelection()
        selection.blockSignals(False)
        self.tree.viewport().update()

    def show_counts(self) -> None:
        """Writes the number of pages in each state onto the chips."""
        counts = self.model.counts()
        for status, chip in self._chips.items():
            look = STATUS_LOOKS[status]
            chip.setText(f"{look.word} {counts[status]:,}")
            chip.setVisible(counts[status] > 0 or chip.isChecked())
            chip.setAccessibleName(f"{look.word}, {count_of(counts[status], 'page')}")
        total, shown = self.model.total, self.model.shown
        accepted = counts[PageStatus.ACCEPTED]
        words = (
            f"{count_of(total, 'page')}, {accepted:,} accepted"
            if shown == total
            else f"{shown:,} of {count_of(total, 'page')}"
        )
        self._summary.setText(words if total else "")
        empty = self._blank if self._reading else self._empty
        self._stack.setCurrentWidget(self.tree if shown else self._nothing if total else empty)

    def focus_search(self) -> None:
        """Puts the caret into the search field."""
        self._search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._search.selectAll()

    def clear_filters(self) -> None:
        """Shows everything again."""
        self._search.clear()
        for chip in self._chips.values():
            chip.setChecked(False)

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        for status, chip in self._chips.items():
            look = STATUS_LOOKS[status]
            chip.setIcon(icon(look.icon, look.colour))
        self._empty.restyle()
        self._nothing.restyle()
        self.tree.viewport().update()

    # Intent

    def _emit_statuses(self) -> None:
        self.statuses_chosen.emit({status for status, chip in self._chips.items() if chip.isChecked()})

    def _selection_changed(self, selected: QItemSelection) -> None:
        for index in selected.indexes():
            row = index.data(PAGE_ROLE)
            if isinstance(row, PageRow) and row.page.id != self._current:
                self._current = row.page.id
                self.page_selected.emit(row.page.id)

    def _note_fold(self, index: QModelIndex, *, folded: bool) -> None:
        heading = index.data(DOCUMENT_ROLE)
        if isinstance(heading, DocumentHeading):
            (self._folded.add if folded else self._folded.discard)(heading.document_id)

    def _after_reset(self) -> None:
        folded = set(self._folded)
        self.tree.expandAll()
        if folded and self.model.shown == self.model.total:  # what a filter finds is not hidden
            for row in range(self.model.rowCount()):
                index = self.model.index(row, 0)
                if index.data(DOCUMENT_ROLE).document_id in folded:
                    self.tree.collapse(index)
        self._restore_choice()
        self.show_counts()

    def _restore_choice(self) -> None:
        """Chooses the page again; scrolls to it unless the user had scrolled elsewhere."""
        index = self.model.index_of(self._current)
        selection = self.tree.selectionModel()
        selection.blockSignals(True)
        if self._place is not None:
            self.tree.verticalScrollBar().setValue(self._place[0])
        if index.isValid() and self.tree.isExpanded(index.parent()):
            selection.setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
            if self._place is None or self._place[1]:
                self.tree.scrollTo(index)
        selection.blockSignals(False)
        self.tree.viewport().update()

    def _show_menu(self, row: PageRow | DocumentHeading, place: QPoint) -> None:
        if isinstance(row, PageRow):
            page_id, actions = row.page.id, self._page_actions
        else:
            page_id, actions = self._page_of(row), self._document_actions
        if page_id != self._current:  # what the menu does, it does to the chosen page or its document
            self.select(page_id)
            self.page_selected.emit(page_id)
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addActions(actions)
        menu.popup(place)

    def _page_of(self, heading: DocumentHeading) -> int:
        """The chosen page if it belongs to the document, otherwise the document's first one in the list."""
        chosen = self.model.row_of(self._current) if self._current is not None else None
        if chosen is not None and chosen.page.document_id == heading.document_id:
            return chosen.page.id
        return self.model.first_shown(heading.document_id)
