"""Exports the labels of the workspace as a dataset, and imports datasets.

What an export needs is imported with the first one, not on the way to the window.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject

from ocrstudio.domain.errors import DatasetError, OcrStudioError
from ocrstudio.settings.app import AppSettings
from ocrstudio.store import Workspace
from ocrstudio.ui.background import Background, Task
from ocrstudio.ui.desktop import open_folder
from ocrstudio.ui.main_window import MainWindow
from ocrstudio.ui.messages import Level, Messages, Offer
from ocrstudio.ui.session import Session

if TYPE_CHECKING:
    from ocrstudio.services.dataset_export import ExportReport
    from ocrstudio.services.dataset_import import DatasetImportReport
    from ocrstudio.ui.datasets.plan import ExportPlan

T = TypeVar("T")


class DatasetsController(QObject):
    """Carries out the dataset actions.

    Args:
        session: What is open.
        window: Where dialogs and progress belong.
        save_now: Saves what was typed; False when it cannot be saved.
        background: Runs the work.
        messages: Where outcomes are said.
        settings: The user's settings.
    """

    def __init__(
        self,
        session: Session,
        window: MainWindow,
        save_now: Callable[[], bool],
        background: Background,
        messages: Messages,
        settings: AppSettings,
    ) -> None:
        super().__init__(window)
        self._session, self._window, self._save_now = session, window, save_now
        self._background, self._messages, self._settings = background, messages, settings

    def apply_settings(self, settings: AppSettings) -> None:
        """Takes over changed settings."""
        self._settings = settings

    # Export

    def ask_export(self) -> None:
        """Opens the choices of an export."""
        from ocrstudio.services.page_counts import count_pages
        from ocrstudio.settings.train import load_train_config
        from ocrstudio.tasks import load_tasks, usable
        from ocrstudio.ui.datasets.export_dialog import ExportDialog

        if not self._save_now():
            return
        settings = self._settings
        try:
            workspace = self._session.require()
            counts = count_pages(workspace)
            tasks = load_tasks(settings.prompts_file)
            seed = load_train_config(settings.train_file).training.seed
        except OcrStudioError as problem:
            self._messages.failure(problem)
            return
        dialog = ExportDialog(
            self._window,
            folder=workspace.exports_folder / time.strftime("dataset-%Y%m%d-%H%M%S"),
            counts=counts,
            seed=seed,
            tasks=usable(tasks),
            task=settings.default_task,
            eval_fraction=settings.eval_fraction,
        )
        self._session.closing.connect(dialog.close)
        root = workspace.root
        dialog.wanted.connect(lambda plan: self.export(root, plan, seed))
        dialog.show()

    def export(self, root: Path, plan: "ExportPlan", seed: int) -> None:
        """Writes a dataset in the background.

        Args:
            root: The workspace.
            plan: What was chosen.
            seed: Of the split.
        """
        settings = self._settings

        def work(task: Task) -> "ExportReport":
            from ocrstudio.services.dataset_export import export_workspace
            from ocrstudio.tasks import get_task, load_tasks

            def progress(done: int, total: int) -> None:
                if task.cancelled:
                    raise DatasetError("The export was stopped; nothing was written.")
                task.report(done, total, plan.folder.name)

            with Workspace.open(root) as workspace:
                return export_workspace(
                    workspace,
                    plan.folder,
                    get_task(load_tasks(settings.prompts_file), plan.task),
                    plan.eval_fraction,
                    statuses=plan.statuses,
                    seed=seed,
                    progress=progress,
                )

        def done(report: "ExportReport") -> None:
            from ocrstudio.ui.datasets.plan import export_message

            for note in report.notes:
                self._messages.note(OcrStudioError(note), Level.WARNING)
            offer = Offer("Open folder", lambda: open_folder(report.folder))
            self._messages.post(export_message(report, offer))
            self._session.datasets_changed.emit()

        self._run(work, done, "Exporting")

    # Import

    def ask_import(self, file: Path | None = None) -> None:
        """Opens the choices of an import, with a file that was dropped already chosen."""
        from ocrstudio.ui.datasets.import_dialog import ImportDialog

        dialog = ImportDialog(self._window, file)
        self._session.closing.connect(dialog.close)
        root = self._session.root
        dialog.wanted.connect(lambda path, accepted: self.import_file(root, path, accepted=accepted))
        dialog.show()

    def import_file(self, root: Path, path: Path, *, accepted: bool) -> None:
        """Brings the labels of a dataset into a workspace, in the background.

        Args:
            root: The workspace.
            path: The JSONL file.
            accepted: Whether the labels are accepted; drafts otherwise.
        """

        def work(task: Task) -> "DatasetImportReport":
            from ocrstudio.services.dataset_import import import_dataset

            with Workspace.open(root) as workspace:
                return import_dataset(
                    workspace,
                    path,
                    accepted=accepted,
                    progress=lambda done, total: task.report(done, total, path.name),
                    should_stop=lambda: task.cancelled,
                )

        def done(report: "DatasetImportReport") -> None:
            from ocrstudio.ui.datasets.plan import import_message

            for note in report.notes:
                self._messages.note(OcrStudioError(note), Level.WARNING)
            self._messages.post(import_message(report, path.name))
            if self._session.is_at(root):
                self._session.tell_all_changed()

        self._run(work, done, "Importing labels")

    def _run(self, work: Callable[[Task], T], done: Callable[[T], None], title: str) -> None:
        def failed(problem: OcrStudioError) -> None:
            if task.cancelled:
                self._messages.info(problem.message)
            else:
                self._messages.failure(problem)

        task = self._background.run(work, done, failed, title=title)
        self._window.tasks.show_task(task)
