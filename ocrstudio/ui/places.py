"""Where the user was in each workspace: found again at the next start."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject

from ocrstudio.store import Workspace
from ocrstudio.ui.main_window import MainWindow
from ocrstudio.ui.pages.controller import PagesController
from ocrstudio.ui.session import Session
from ocrstudio.ui.viewer.page_view import ViewPlace
from ocrstudio.ui.window_state import WindowState


@dataclass(frozen=True)
class Place:
    """What is shown.

    Attributes:
        page: Id of the page.
        tab: Number of the tab beside the page: Edit, Preview or Compare.
        panel: Number of the panel below.
        caret: Place of the caret in the editor.
        mode, zoom, x, y: Of the page view; see `ViewPlace`.
    """

    page: int
    tab: int = 0
    panel: int = 0
    caret: int = 0
    mode: str = ""
    zoom: float = 1.0
    x: float = 0.0
    y: float = 0.0

    @classmethod
    def from_stored(cls, stored: dict[str, Any]) -> "Place | None":
        """What was kept; None when there is nothing, or it was written by another version."""
        try:
            types = {name: type(value) for name, value in asdict(cls(0)).items()}
            return cls(**{name: types[name](value) for name, value in stored.items()}) if stored else None
        except (KeyError, TypeError, ValueError):
            return None


class Places(QObject):
    """Keeps the place whenever a page is chosen or left, so that a crash loses nothing either.

    Args:
        session: What is open.
        window: What is shown.
        pages: Chooses the page.
        state: Where places are kept.
    """

    def __init__(
        self, session: Session, window: MainWindow, pages: PagesController, state: WindowState
    ) -> None:
        super().__init__(window)
        self._session, self._window, self._pages, self._state = session, window, pages, state
        self._wanted: Place | None = None
        session.opened.connect(self._open)
        session.page_leaving.connect(self._keep)
        session.page_chosen.connect(self._arrive)
        session.closing.connect(state.sync)

    def _open(self, workspace: Workspace) -> None:
        self._wanted = Place.from_stored(self._state.place(workspace.root))
        self._pages.wanted = self._wanted.page if self._wanted is not None else None

    def _arrive(self, page_id: int | None) -> None:
        place, self._wanted = self._wanted, None
        if page_id is None:
            return
        if place is not None and place.page == page_id:
            labels = self._window.labels
            labels.tabs.setCurrentIndex(place.tab)
            labels.editor.set_caret(place.caret)
            self._window.bottom.setCurrentIndex(place.panel)
            self._window.viewer.view.go_to(ViewPlace(place.mode, place.zoom, place.x, place.y))
        self._keep(page_id)

    def _keep(self, page_id: int) -> None:
        root: Path | None = self._session.workspace.root if self._session.workspace is not None else None
        if root is None:
            return
        labels, view = self._window.labels, self._window.viewer.view.place
        place = Place(
            page_id,
            labels.tabs.currentIndex(),
            self._window.bottom.currentIndex(),
            labels.editor.textCursor().position(),
            view.mode,
            view.zoom,
            view.x,
            view.y,
        )
        self._state.set_place(root, asdict(place))
