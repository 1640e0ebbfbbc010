"""Takes documents out of the workspace and brings them back. Nothing is deleted: their labels stay."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMessageBox

from ocrstudio.domain.document import Document, PageStatus
from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.domain.wording import count_of
from ocrstudio.ui.main_window import MainWindow
from ocrstudio.ui.menus import REMOVED
from ocrstudio.ui.messages import Messages, Offer
from ocrstudio.ui.pages.controller import PagesController
from ocrstudio.ui.session import Session
from ocrstudio.ui.widgets.question import ask

_STAYS = (
    "They are no longer listed, drafted, exported or trained on. Nothing is deleted: "
    "File \N{RIGHTWARDS ARROW} Restore removed documents brings them back with every label."
)


class RemovalController(QObject):
    """Carries out the removal of documents.

    Args:
        session: What is open.
        window: Where the question and the menu belong.
        pages: Goes to another page when the chosen one is removed.
        save_now: Saves what was typed; False when it cannot be saved.
        messages: Where outcomes are said.
    """

    def __init__(
        self,
        session: Session,
        window: MainWindow,
        pages: PagesController,
        save_now: Callable[[], bool],
        messages: Messages,
    ) -> None:
        super().__init__(window)
        self._session = session
        self._window = window
        self._pages = pages
        self._save_now = save_now
        self._messages = messages
        self._question: QMessageBox | None = None
        window.submenus[REMOVED].aboutToShow.connect(self._fill_menu)
        session.closing.connect(self._drop_question)

    def ask_remove(self) -> None:
        """Says what goes with the document of the chosen page, and asks once."""
        page_id = self._session.page_id
        if page_id is None or not self._save_now():
            return
        try:
            workspace = self._session.require()
            document = workspace.documents.get(workspace.pages.get(page_id).document_id)
            pages = workspace.pages.of_document(document.id)
        except OcrStudioError as problem:
            self._messages.failure(problem)
            return
        labelled = sum(page.revision_id is not None for page in pages)
        accepted = sum(page.status is PageStatus.ACCEPTED for page in pages)
        self._ask(document, f"{_what_goes(len(pages), labelled, accepted)} {_STAYS}")

    def _ask(self, document: Document, consequences: str) -> None:
        self._drop_question()
        self._question = ask(
            self._window,
            "Remove document",
            f"Remove {document.name} from this workspace?",
            consequences,
            ("Remove", "Keep"),
            lambda: self.remove(document.id),
        )
        self._question.destroyed.connect(self._forget_question)

    def remove(self, document_id: int) -> None:
        """Removes a document; the message offers to take it back."""
        from ocrstudio.services.workspaces import remove_document

        if not self._save_now():
            return
        try:
            workspace = self._session.require()
            document = workspace.documents.get(document_id)
            remove_document(workspace, document_id)
        except OcrStudioError as problem:
            self._messages.failure(problem)
            return
        row = self._window.pages.model.row_of(self._session.page_id or 0)
        if row is not None and row.page.document_id == document_id:
            self._pages.leave_document(document_id)
        self._session.documents_changed.emit()
        self._messages.info(
            f"{document.name} with {count_of(document.page_count, 'page')} was removed.",
            "Its labels are kept; the File menu restores it at any time.",
            Offer("Undo", partial(self._undo, workspace.root, document_id)),
        )

    def _undo(self, root: Path, document_id: int) -> None:
        if self._session.is_at(root):
            self.restore(document_id)

    def restore(self, document_id: int) -> None:
        """Brings a removed document back and shows it."""
        from ocrstudio.services.workspaces import restore_document

        try:
            workspace = self._session.require()
            document = restore_document(workspace, document_id)
            pages = workspace.pages.of_document(document_id)
        except OcrStudioError as problem:
            self._messages.failure(problem)
            return
        self._session.documents_changed.emit()
        if pages:
            self._session.choose_page(pages[0].id)
        self._messages.info(f"{document.name} is back, with its labels.")

    def _fill_menu(self) -> None:
        menu = self._window.submenus[REMOVED]
        menu.clear()
        workspace = self._session.workspace
        try:
            removed = workspace.documents.list(removed=True) if workspace is not None else []
        except OcrStudioError as problem:
            self._messages.failure(problem)
            removed = []
        for document in removed:
            words = f"{document.name} ({count_of(document.page_count, 'page')})".replace("&", "&&")
            action = menu.addAction(words)
            action.triggered.connect(lambda _checked=False, number=document.id: self.restore(number))
        if menu.isEmpty():
            menu.addAction("No removed documents").setEnabled(False)

    def _forget_question(self) -> None:
        self._question = None

    def _drop_question(self) -> None:
        if self._question is not None:
            self._question.close()


def _what_goes(pages: int, labelled: int, accepted: int) -> str:
    """How many pages and labels are no longer there after a removal, as a sentence."""
    if pages == 1:
        label = (
            "with its accepted label." if accepted else "with its label." if labelled else "without a label."
        )
        return f"Its page goes, {label}"
    with_label = (
        f"{labelled:,} of them with a label ({accepted:,} accepted)" if labelled else "none with a label"
    )
    return f"Its {pages:,} pages go, {with_label}."
