"""Makes, opens and remembers workspaces."""

from collections.abc import Callable, Iterable
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.services.sample import sample_folder, sample_workspace
from ocrstudio.store import Workspace, is_workspace
from ocrstudio.ui.datasets.controller import DatasetsController
from ocrstudio.ui.documents.controller import DOCUMENT_FILTER, DocumentsController
from ocrstudio.ui.leaving import Leaving
from ocrstudio.ui.main_window import MainWindow
from ocrstudio.ui.menus import RECENT
from ocrstudio.ui.messages import Messages
from ocrstudio.ui.session import Session
from ocrstudio.ui.window_state import WindowState


class WorkspaceController(QObject):
    """Carries out the workspace actions, and decides what dropped files are.

    Args:
        session: What is open.
        window: Where dialogs belong.
        documents: Imports documents into the open workspace.
        datasets: Imports labels into it.
        leaving: Asks before work in the open workspace is ended.
        messages: Where results are said.
        state: The recent workspaces.
    """

    def __init__(
        self,
        session: Session,
        window: MainWindow,
        documents: DocumentsController,
        datasets: DatasetsController,
        leaving: Leaving,
        messages: Messages,
        state: WindowState,
    ) -> None:
        super().__init__(window)
        self._session = session
        self._window = window
        self._documents = documents
        self._datasets = datasets
        self._leaving = leaving
        self._messages = messages
        self._state = state
        window.drops.dropped.connect(self.take_files)
        window.start.recent_chosen.connect(self.open)
        window.submenus[RECENT].aboutToShow.connect(self._fill_recent)
        session.opened.connect(lambda workspace: window.show_workspace(workspace.root))
        session.closed.connect(window.show_start)

    def ask_new(self) -> None:
        """Asks for the folder of a new workspace."""
        chosen, _ = QFileDialog.getSaveFileName(
            self._window, "New workspace: choose a name for its folder", str(Path.home() / "Labels")
        )
        if chosen:
            self.create(Path(chosen))

    def ask_open(self) -> None:
        """Asks for the folder of a workspace."""
        chosen = QFileDialog.getExistingDirectory(self._window, "Open workspace: choose its folder")
        if chosen:
            self.open(Path(chosen))

    def ask_open_document(self) -> None:
        """Asks for documents and opens them in a workspace beside them."""
        chosen, _ = QFileDialog.getOpenFileNames(self._window, "Open PDF", "", DOCUMENT_FILTER)
        if chosen:
            self._open_beside([Path(name) for name in chosen])

    def open_sample(self) -> None:
        """Opens the sample workspace in the person's home; the first time it is made there."""
        if not self._leaving.may(self.open_sample):
            return
        known = is_workspace(sample_folder(Path.home()))
        if self._take_over(lambda: Workspace.open(sample_workspace(Path.home()))) and not known:
            self._messages.info(
                "The old recipes are labelled: train the built-in reader on them, then evaluate it.",
                "The handbook has no labels yet; the reader can draft them.",
            )

    def _fill_recent(self) -> None:
        menu = self._window.submenus[RECENT]
        menu.clear()
        for folder in self._state.recent():
            action = menu.addAction(str(folder))
            action.triggered.connect(lambda _checked=False, path=folder: self.open(path))
        if menu.isEmpty():
            menu.addAction("No recent workspaces").setEnabled(False)

    def create(self, root: Path) -> bool:
        """Makes a workspace and opens it."""
        if not self._leaving.may(lambda: self.create(root)):
            return False
        return self._take_over(lambda: Workspace.create(root))

    def open(self, root: Path) -> bool:
        """Opens a workspace; a failure is said and leaves the open one open."""
        if not self._leaving.may(lambda: self.open(root)):
            return False
        return self._take_over(lambda: Workspace.open(root))

    def close(self) -> None:
        """Closes the open workspace."""
        if self._leaving.may(self.close):
            self._session.close()

    def _take_over(self, make: Callable[[], Workspace]) -> bool:
        try:
            workspace = make()
        except OcrStudioError as problem:
            self._messages.failure(problem)
            return False
        self._session.open(workspace)
        self._state.remember_workspace(workspace.root)
        if workspace.backup is not None:
            self._messages.info(
                "The workspace was made by an earlier version and has been upgraded.",
                f"A copy of the old database is {workspace.backup}.",
            )
        return True

    def _open_beside(self, sources: list[Path]) -> None:
        """Opens documents in the workspace beside the first one, which is made when it is missing."""
        if not self._leaving.may(lambda: self._open_beside(sources)):
            return
        first = sources[0]
        root = first.with_name(f"{first.stem} labels")
        if is_workspace(root):
            opened = self.open(root)
        else:
            opened = self.create(root)
            if opened:
                self._messages.info("A new workspace was made for it.", f"It is the folder {root}.")
        if opened:
            self._documents.import_sources(sources)

    # Dropped files

    def take_files(self, paths: Iterable[Path]) -> None:
        """What was dropped onto the window: a workspace is opened, everything else is imported."""
        sources = list(paths)
        if len(sources) == 1 and is_workspace(sources[0]):
            self.open(sources[0])
        elif len(sources) == 1 and self._session.workspace and _is_dataset_file(sources[0]):
            self._datasets.ask_import(sources[0])
        elif self._session.workspace is None:
            self._open_beside(sources)
        else:
            self._documents.import_sources(sources)


def _is_dataset_file(path: Path) -> bool:
    from ocrstudio.datasets import is_dataset

    return path.is_file() and is_dataset(path)
