"""What the window has open: a workspace and a page. Controllers meet here, and only here."""

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from ocrstudio.domain.errors import WorkspaceError
from ocrstudio.store import Workspace, is_workspace


class Session(QObject):
    """Holds the open workspace and the chosen page, and tells when they change.

    Signals:
        opened: The `Workspace`; it belongs to the window's thread.
        closing: The workspace is about to be closed; what is unsaved is saved now.
        closed: No workspace is open.
        page_leaving: Id of the page that is about to be left.
        page_chosen: Id of the chosen page, or None.
        pages_changed: Ids of pages whose label or status changed, as a tuple.
        documents_changed: Documents came or went; the list is read again.
        datasets_changed: A dataset was written from the workspace.
        draft_requested: Id of the page that the user wants a teacher to draft.
    """

    opened = Signal(object)
    closing = Signal()
    closed = Signal()
    page_leaving = Signal(int)
    page_chosen = Signal(object)
    pages_changed = Signal(object)
    documents_changed = Signal()
    datasets_changed = Signal()
    draft_requested = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.workspace: Workspace | None = None
        self.page_id: int | None = None
        self._seen_changes = 0

    def require(self) -> Workspace:
        """The open workspace.

        Raises:
            WorkspaceError: None is open, or its folder has vanished. (SQLite would go on writing into the
                deleted file, and the user would believe it.)
        """
        if self.workspace is None:
            raise WorkspaceError("No workspace is open.", "Open or make one first.")
        if not is_workspace(self.workspace.root):
            raise WorkspaceError(
                f"The workspace {self.workspace.root} is gone: it was moved, deleted or unplugged.",
                "Bring it back to the same place, or copy your text before you close the window.",
            )
        return self.workspace

    @property
    def root(self) -> Path:
        """Folder of the open workspace, for work in another thread, which opens it again."""
        return self.require().root

    def is_at(self, root: Path) -> bool:
        """Whether this workspace is still the open one, for what comes back from another thread."""
        return self.workspace is not None and self.workspace.root == root

    def open(self, workspace: Workspace) -> None:
        """Takes over an open workspace; the earlier one is closed."""
        self.close()
        self.workspace = workspace
        self._seen_changes = workspace.change_count()
        self.opened.emit(workspace)

    def close(self) -> None:
        """Closes the workspace, if one is open."""
        if self.workspace is None:
            return
        self.choose_page(None)
        self.closing.emit()
        workspace, self.workspace = self.workspace, None
        self.closed.emit()
        workspace.close()

    def choose_page(self, page_id: int | None) -> None:
        """Shows a page, or none."""
        if page_id == self.page_id:
            return
        if self.page_id is not None:
            self.page_leaving.emit(self.page_id)
        self.page_id = page_id
        self.page_chosen.emit(page_id)

    def tell_pages_changed(self, page_ids: Iterable[int]) -> None:
        """Says that labels or statuses of these pages are different now."""
        self.pages_changed.emit(tuple(page_ids))

    def tell_all_changed(self) -> None:
        """Says that any document, label or status may be different now."""
        self.documents_changed.emit()
        if self.page_id is not None:
            self.tell_pages_changed((self.page_id,))

    def look_for_changes(self) -> None:
        """Reads the list again if another process or thread has written to the workspace meanwhile."""
        if self.workspace is None:
            return
        count = self.workspace.change_count()
        if count != self._seen_changes:
            self._seen_changes = count
            self.tell_all_changed()

    def request_draft(self) -> None:
        """Asks for a draft of the chosen page."""
        if self.page_id is not None:
            self.draft_requested.emit(self.page_id)
