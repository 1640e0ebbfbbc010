"""Opens and closes workspaces and brings documents in."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QInputDialog, QLineEdit

from ocrstudio.domain.errors import EncryptedDocumentError, OcrStudioError
from ocrstudio.store import Workspace, is_workspace
from ocrstudio.ui.background import Background, Task
from ocrstudio.ui.main_window import MainWindow
from ocrstudio.ui.messages import Level, Message, Messages
from ocrstudio.ui.session import Session
from ocrstudio.ui.window_state import WindowState

if TYPE_CHECKING:
    from ocrstudio.services.workspaces import ImportReport

_FILTER = "Documents (*.pdf *.png *.jpg *.jpeg *.tif *.tiff *.webp *.bmp *.gif);;All files (*)"
_SHOWN_PROBLEMS = 5
AskPassword = Callable[[Path], str | None]


class WorkspaceController(QObject):
    """Carries out the workspace and import actions.

    Args:
        session: What is open.
        window: Where dialogs belong.
        background: Runs imports.
        messages: Where results are said.
        state: The recent workspaces.
    """

    def __init__(
        self,
        session: Session,
        window: MainWindow,
        background: Background,
        messages: Messages,
        state: WindowState,
    ) -> None:
        super().__init__(window)
        self._session = session
        self._window = window
        self._background = background
        self._messages = messages
        self._state = state
        self.ask_password: AskPassword = self._password_dialog
        window.files_dropped.connect(self.take_files)
        window.start.recent_chosen.connect(self.open)
        session.opened.connect(lambda workspace: window.show_workspace(workspace.root))
        session.closed.connect(window.show_start)

    # Workspaces

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
        chosen, _ = QFileDialog.getOpenFileNames(self._window, "Open PDF", "", _FILTER)
        if chosen:
            self._open_beside([Path(name) for name in chosen])

    def create(self, root: Path) -> bool:
        """Makes a workspace and opens it."""
        return self._take_over(lambda: Workspace.create(root))

    def open(self, root: Path) -> bool:
        """Opens a workspace; a failure is said and leaves the open one open."""
        return self._take_over(lambda: Workspace.open(root))

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
        first = sources[0]
        root = first.with_name(f"{first.stem} labels")
        opened = self.open(root) if is_workspace(root) else self.create(root)
        if opened:
            self.import_sources(sources)

    # Documents

    def ask_import(self) -> None:
        """Asks for files to import."""
        chosen, _ = QFileDialog.getOpenFileNames(self._window, "Import documents", "", _FILTER)
        if chosen:
            self.import_sources([Path(name) for name in chosen])

    def ask_import_folder(self) -> None:
        """Asks for a folder to import."""
        chosen = QFileDialog.getExistingDirectory(self._window, "Import all documents of a folder")
        if chosen:
            self.import_sources([Path(chosen)])

    def take_files(self, paths: Iterable[Path]) -> None:
        """What was dropped onto the window: a workspace is opened, everything else is imported."""
        sources = list(paths)
        if len(sources) == 1 and is_workspace(sources[0]):
            self.open(sources[0])
        elif self._session.workspace is None:
            self._open_beside(sources)
        else:
            self.import_sources(sources)

    def import_sources(self, sources: list[Path], password: str | None = None) -> None:
        """Imports files and folders in the background; each file succeeds or fails by itself."""
        root = self._session.root

        def work(task: Task) -> "ImportReport":
            from ocrstudio.services.workspaces import import_sources

            def progress(done: int, total: int, path: Path) -> None:
                task.report(done, total, path.name)

            with Workspace.open(root) as workspace:
                return import_sources(
                    workspace,
                    sources,
                    password=password,
                    progress=progress,
                    should_stop=lambda: task.cancelled,
                )

        def done(report: "ImportReport") -> None:
            if self._session.workspace is not None and self._session.root == root:
                self._finish_import(report, retried=password is not None)

        self._window.tasks.show_task(self._background.run(work, done, title="Importing"))

    def _finish_import(self, report: "ImportReport", *, retried: bool) -> None:
        encrypted = [one.path for one in report.problems if isinstance(one.error, EncryptedDocumentError)]
        asked = [] if retried and not encrypted else encrypted
        others = [one.error for one in report.problems if one.path not in asked]
        for problem in others[:_SHOWN_PROBLEMS]:
            self._messages.failure(problem)
        added = len(report.imported) + len(report.restored)
        for remark in report.remarks:
            self._messages.warning(remark)
        if added or report.duplicates or not report.problems:
            self._messages.post(_summary_message(report, others))
        if added:
            self._session.documents_changed.emit()
        for path in asked:
            given = self.ask_password(path)
            if given:
                self.import_sources([path], given)

    def _password_dialog(self, path: Path) -> str | None:
        words, agreed = QInputDialog.getText(
            self._window,
            "Password",
            f"{path.name} is encrypted. Its password (the copy in the workspace is stored without it):",
            QLineEdit.EchoMode.Password,
        )
        return words if agreed and words else None


def _summary_message(report: "ImportReport", problems: list[OcrStudioError]) -> Message:
    """One sentence on an import."""
    pages = sum(document.page_count for document in (*report.imported, *report.restored))
    count = len(report.imported) + len(report.restored)
    parts = [f"{count} {'document' if count == 1 else 'documents'} with {pages:,} pages imported"]
    if report.duplicates:
        parts.append(f"{len(report.duplicates)} already there")
    if problems:
        parts.append(f"{len(problems)} could not be read")
    if report.stopped:
        parts.append("stopped before the end")
    level = Level.WARNING if problems else Level.INFO
    hint = str(problems[0]) if len(problems) == 1 else "The Log panel has the reasons." if problems else ""
    return Message(level, "; ".join(parts) + ".", hint)
