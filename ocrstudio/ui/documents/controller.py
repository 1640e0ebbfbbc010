"""Imports documents: asks for files, for passwords where there are some, and says what came of it."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from ocrstudio.domain.document import Document
from ocrstudio.domain.errors import EncryptedDocumentError, OcrStudioError
from ocrstudio.domain.wording import count_of, some_of
from ocrstudio.pdf.sources import OPENABLE_SUFFIXES, left_out_in_words
from ocrstudio.store import Workspace
from ocrstudio.ui.background import Background, Task
from ocrstudio.ui.main_window import MainWindow
from ocrstudio.ui.messages import Level, Message, Messages, Offer
from ocrstudio.ui.session import Session

if TYPE_CHECKING:
    from ocrstudio.services.workspaces import ImportReport
    from ocrstudio.ui.documents.password_dialog import PasswordDialog

DOCUMENT_FILTER = f"Documents ({' '.join(f'*{suffix}' for suffix in OPENABLE_SUFFIXES)});;All files (*)"
_NAMED = 3


class DocumentsController(QObject):
    """Carries out the import actions.

    Args:
        session: What is open.
        window: Where dialogs and progress belong.
        background: Runs the imports.
        messages: Where results are said.
    """

    def __init__(
        self, session: Session, window: MainWindow, background: Background, messages: Messages
    ) -> None:
        super().__init__(window)
        self._session = session
        self._window = window
        self._background = background
        self._messages = messages
        self._questions: list[PasswordDialog] = []
        session.closed.connect(self._drop_questions)

    def ask_import(self) -> None:
        """Asks for files to import."""
        chosen, _ = QFileDialog.getOpenFileNames(self._window, "Import documents", "", DOCUMENT_FILTER)
        if chosen:
            self.import_sources([Path(name) for name in chosen])

    def ask_import_folder(self) -> None:
        """Asks for a folder to import."""
        chosen = QFileDialog.getExistingDirectory(self._window, "Import all documents of a folder")
        if chosen:
            self.import_sources([Path(chosen)])

    def import_sources(self, sources: Sequence[Path], password: str | None = None) -> None:
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
            if self._session.is_at(root):
                self._finish(report, tried_password=password is not None)

        self._window.tasks.show_task(self._background.run(work, done, title="Importing"))

    def _finish(self, report: "ImportReport", *, tried_password: bool) -> None:
        encrypted = [one.path for one in report.problems if isinstance(one.error, EncryptedDocumentError)]
        others = [one.error for one in report.problems if one.path not in encrypted]
        new = (*report.imported, *report.restored, *(document for document, _ in report.extended))
        for problem in others:
            self._messages.note(problem)
        self._tell_remarks(report.remarks)
        if new or report.duplicates or others or report.left_out or report.stopped:
            self._messages.post(self._summary(report, new, others))
        if new:
            self._session.documents_changed.emit()
        if encrypted:
            self._ask_password(encrypted, wrong=tried_password)

    def _tell_remarks(self, remarks: Sequence[str]) -> None:
        for remark in remarks[:1]:
            more = f"And {count_of(len(remarks) - 1, 'remark')} more in the Log panel."
            self._messages.warning(remark, more if len(remarks) > 1 else "")
        for remark in remarks[1:]:
            self._messages.note(OcrStudioError(remark), Level.WARNING)

    def _summary(
        self, report: "ImportReport", new: Sequence[Document], problems: Sequence[OcrStudioError]
    ) -> Message:
        """One sentence on an import, and the way to what is new when something else is shown."""
        whole = (*report.imported, *report.restored)
        pages = sum(document.page_count for document in whole)
        parts = (
            [f"{count_of(len(whole), 'document')} with {count_of(pages, 'page')} imported"] if whole else []
        )
        for document, added in report.extended:
            parts.append(f"{count_of(added, 'page')} added to {document.name}")
        if report.restored:
            parts.append(f"{len(report.restored)} of them had been removed and brought labels back")
        if report.duplicates:
            names = [f"{path.name} (as {document.name})" for path, document in report.duplicates]
            parts.append(f"{some_of(names, _NAMED)}: already there")
        if problems:
            parts.append(f"{count_of(len(problems), 'file')} could not be read")
        if report.stopped:
            parts.append("Stopped before the last file" if not parts else "stopped before the last file")
        level = Level.WARNING if problems else Level.INFO
        hint = str(problems[0]) if len(problems) == 1 else ""
        if len(problems) > 1:
            names = [one.path.name for one in report.problems if one.error in problems]
            hint = f"{some_of(names, _NAMED)}: the Log panel has the reasons."
        hint = f"{hint} {left_out_in_words(report.left_out)}".strip()
        offer = None
        if new and self._session.page_id is not None:
            offer = Offer("Show", partial(self._show, self._session.root, new[0].id))
        return Message(level, "; ".join(parts or ["Nothing was imported"]) + ".", hint, offer)

    def _show(self, root: Path, document_id: int) -> None:
        workspace = self._session.workspace
        if workspace is not None and self._session.is_at(root):
            pages = workspace.pages.of_document(document_id)
            if pages:
                self._session.choose_page(pages[0].id)

    def _ask_password(self, files: Sequence[Path], *, wrong: bool) -> None:
        from ocrstudio.ui.documents.password_dialog import PasswordDialog

        dialog = PasswordDialog(self._window, files, wrong=wrong)
        self._questions.append(dialog)
        dialog.finished.connect(lambda: self._questions.remove(dialog))
        dialog.given.connect(lambda password: self.import_sources(files, password))
        dialog.rejected.connect(lambda: self._tell_left_out(files))
        dialog.show()
        dialog.field.setFocus()

    def _tell_left_out(self, files: Sequence[Path]) -> None:
        are = "is encrypted and was" if len(files) == 1 else "are encrypted and were"
        self._messages.warning(f"{some_of([path.name for path in files], _NAMED)} {are} not imported.")

    def _drop_questions(self) -> None:
        """The workspace that the files were meant for is closed."""
        for dialog in list(self._questions):
            dialog.rejected.disconnect()
            dialog.close()
