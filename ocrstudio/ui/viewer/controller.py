"""Joins the page view to the workspace and the renderer."""

from PySide6.QtCore import QObject

from ocrstudio.domain.document import Document, Page
from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.services.picture_pages import page_place, places_of
from ocrstudio.store import Workspace
from ocrstudio.ui.messages import Messages
from ocrstudio.ui.session import Session
from ocrstudio.ui.viewer.panel import ViewerPanel
from ocrstudio.ui.viewer.renderer import PageKey, PageRenderer, RenderedPage


class ViewerController(QObject):
    """Shows the chosen page and draws its neighbours ahead.

    Args:
        session: What is open.
        panel: The middle of the window.
        renderer: Where pictures come from.
        messages: Where problems are said.
    """

    def __init__(
        self, session: Session, panel: ViewerPanel, renderer: PageRenderer, messages: Messages
    ) -> None:
        super().__init__(panel)
        self._session = session
        self._panel = panel
        self._renderer = renderer
        self._messages = messages
        self._key: PageKey | None = None
        self._near: tuple[PageKey, ...] = ()
        self.neighbours = 2
        session.opened.connect(lambda _: renderer.forget())
        session.page_chosen.connect(self._show)
        panel.view.resolution_wanted.connect(self._sharpen)
        renderer.rendered.connect(self._show_picture)
        renderer.failed.connect(self._show_problem)

    def _show(self, page_id: int | None) -> None:
        self._panel.show_warnings(())
        if page_id is None or self._session.workspace is None:
            self._key = None
            self._panel.view.clear()
            self._panel.show_position(-1, 0)
            return
        try:
            page, document = _page_and_document(self._session.workspace, page_id)
        except OcrStudioError as problem:
            self._messages.failure(problem)
            return
        root = self._session.root
        places = places_of(root, document)
        self._key = PageKey(*page_place(root, document, page.index))
        offsets = [side * step for step in range(1, self.neighbours + 1) for side in (1, -1)]
        near = (places.at(page.index + offset) for offset in offsets)
        self._near = tuple(PageKey(*place) for place in near if place is not None)
        self._panel.show_position(page.index, places.last_number)
        view = self._panel.view
        view.show_page(page.width, page.height)
        known = self._renderer.cached(self._key)
        if known is not None:
            self._show_picture(known)
        self._renderer.request(self._key, view.sharp_dpi())

    def _sharpen(self, dpi: float) -> None:
        if self._key is not None:
            self._renderer.request(self._key, dpi)

    def _show_picture(self, page: RenderedPage) -> None:
        if page.key != self._key:
            return
        self._panel.view.show_picture(page)
        self._panel.show_warnings(page.warnings)
        self._renderer.draw_ahead(list(self._near), self._panel.view.sharp_dpi())

    def _show_problem(self, key: PageKey, problem: OcrStudioError) -> None:
        if key == self._key:
            self._panel.view.set_note(str(problem))


def _page_and_document(workspace: Workspace, page_id: int) -> tuple[Page, Document]:
    page = workspace.pages.get(page_id)
    return page, workspace.documents.get(page.document_id)
