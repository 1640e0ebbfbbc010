"""Joins the page list to the workspace: reads rows in the background and moves between pages."""

from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtGui import QPixmap

from ocrstudio.domain.document import PageStatus
from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.services import labelling
from ocrstudio.services.page_status import TO_REVIEW
from ocrstudio.services.picture_pages import Places, places_of
from ocrstudio.store import PageRow, Workspace
from ocrstudio.ui.background import Background
from ocrstudio.ui.messages import Messages
from ocrstudio.ui.pages.delegate import THUMBNAIL
from ocrstudio.ui.pages.panel import PagesPanel
from ocrstudio.ui.pages.thumbnails import Thumbnails
from ocrstudio.ui.review import go_on
from ocrstudio.ui.session import Session
from ocrstudio.ui.viewer.renderer import PageKey, PageRenderer

_BULK = 50
_FLAGGED = frozenset({PageStatus.FLAGGED})


class PagesController(QObject):
    """The page list of the open workspace.

    Args:
        session: What is open.
        panel: The list.
        renderer: Draws the thumbnails.
        background: Reads the rows.
        messages: Where problems are said.

    Attributes:
        wanted: Id of the page to begin with when the pages of a workspace have been read; None for the first.
    """

    def __init__(
        self,
        session: Session,
        panel: PagesPanel,
        renderer: PageRenderer,
        background: Background,
        messages: Messages,
    ) -> None:
        super().__init__(panel)
        self._session = session
        self._panel = panel
        self._background = background
        self._messages = messages
        self._statuses: frozenset[PageStatus] = frozenset()
        self._text = ""
        self._found: frozenset[int] | None = None
        self._loads = 0
        self._places: dict[int, Places] = {}
        self.wanted: int | None = None
        self._thumbnails = Thumbnails(renderer, THUMBNAIL, self)
        self._thumbnails.changed.connect(panel.tree.viewport().update)
        panel.page_selected.connect(session.choose_page)
        panel.statuses_chosen.connect(self._filter_statuses)
        panel.text_searched.connect(self._search)
        session.opened.connect(self._open)
        session.closed.connect(self._close)
        session.documents_changed.connect(self.reload)
        session.pages_changed.connect(self._update_pages)
        session.page_chosen.connect(self._show_choice)

    # Contents

    def _open(self) -> None:
        self._panel.clear_filters()
        self._panel.show_reading()
        self.reload()

    def _close(self) -> None:
        self._loads += 1
        self._thumbnails.forget()
        self._panel.show_rows([])

    def reload(self) -> None:
        """Reads all rows again, in the background; the chosen page stays."""
        self._loads += 1
        number, root = self._loads, self._session.root

        def show(read: tuple[list[PageRow], dict[int, Places]]) -> None:
            if number != self._loads:
                return
            rows, self._places = read
            self._panel.show_rows(rows)
            if self._session.page_id is None or self._panel.model.row_of(self._session.page_id) is None:
                self._session.choose_page(self._first_page())
                self._panel.tree.setFocus()

        self._background.run(lambda _: _read_rows(root), show)

    def _first_page(self) -> int | None:
        wanted, self.wanted = self.wanted, None
        known = wanted is not None and self._panel.model.row_of(wanted) is not None
        return wanted if known else self._panel.model.neighbour(None, 1)

    def _update_pages(self, page_ids: tuple[int, ...]) -> None:
        if self._session.workspace is None:
            return
        if len(page_ids) > _BULK:
            self.reload()
            return
        try:
            for page_id in page_ids:
                self._update_page(self._session.workspace, page_id)
        except OcrStudioError as problem:
            self._messages.failure(problem)
        self._panel.show_counts()

    def _update_page(self, workspace: Workspace, page_id: int) -> None:
        page = workspace.pages.get(page_id)
        current = workspace.labels.current(page_id)
        source = current.source if current is not None else None
        snippet = " ".join(current.text[:400].split())[:120] if current is not None else ""
        self._panel.model.update_page(page, source, snippet)

    def set_thumbnails(self, wanted: bool) -> None:
        """Shows pictures of the pages in the list, or none."""
        self._panel.show_thumbnails(self._picture_of if wanted else None)
        if not wanted:
            self._thumbnails.forget()

    def _picture_of(self, row: PageRow, ratio: float) -> QPixmap | None:
        places = self._places.get(row.page.document_id)
        place = places.at(row.page.index) if places is not None else None
        return None if place is None else self._thumbnails.picture(PageKey(*place), ratio)

    # Filters

    def _filter_statuses(self, statuses: set[PageStatus]) -> None:
        self._statuses = frozenset(statuses)
        self._apply_filter()

    def _search(self, text: str) -> None:
        if text == self._text or self._session.workspace is None:
            return
        self._text = text
        if not text:
            self._found = None
            self._apply_filter()
            return
        root = self._session.root

        def show(found: frozenset[int]) -> None:
            if text == self._text:
                self._found = found
                self._apply_filter()

        self._background.run(lambda _: _search_labels(root, text), show)

    def _apply_filter(self) -> None:
        self._panel.model.set_filter(self._statuses, self._found)

    # Moving

    def _show_choice(self, page_id: int | None) -> None:
        self._panel.select(page_id)

    def step(self, direction: int) -> None:
        """Goes to the next (1) or previous (-1) page of the list."""
        target = self._panel.model.neighbour(self._session.page_id, direction)
        if target is not None:
            self._session.choose_page(target)

    def step_review(self, direction: int, *, only_flagged: bool = False) -> None:
        """Goes to the next (1) or previous (-1) page of the list to review, or to the next flagged one."""
        try:
            step = labelling.next_to_review(
                self._session.require(),
                self._session.page_id,
                backwards=direction < 0,
                statuses=_FLAGGED if only_flagged else TO_REVIEW,
                within=self._panel.model.listed,
            )
        except OcrStudioError as problem:
            self._messages.failure(problem)
            return
        what = "flagged pages" if only_flagged else "pages to review"
        go_on(self._session, self._messages, step, what=what, backwards=direction < 0)

    def leave_document(self, document_id: int) -> None:
        """Goes to the page of the list that follows a document, or precedes it."""
        self._session.choose_page(self._panel.model.outside(document_id))

    def go_to_index(self, index: int) -> None:
        """Goes to a page of the document that is shown."""
        row = self._panel.model.row_of(self._session.page_id) if self._session.page_id is not None else None
        target = self._panel.model.page_at(row.page.document_id, index) if row is not None else None
        if target is not None:
            self._session.choose_page(target)


def _read_rows(root: Path) -> tuple[list[PageRow], dict[int, Places]]:
    """The pages, and where those of each document are."""
    with Workspace.open(root) as workspace:
        places = {document.id: places_of(root, document) for document in workspace.documents.list()}
        return workspace.pages.list(), places


def _search_labels(root: Path, text: str) -> frozenset[int]:
    with Workspace.open(root) as workspace:
        return frozenset(row.page.id for row in workspace.pages.list(text=text))
