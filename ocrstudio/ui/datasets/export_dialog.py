"""Chooses what is exported and where to. Not modal; the export itself shows its progress in the window."""

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from ocrstudio.domain.document import PageStatus
from ocrstudio.domain.wording import count_of
from ocrstudio.services.page_counts import PageCounts
from ocrstudio.tasks import Task
from ocrstudio.ui.datasets.plan import EXPORTED, ExportPlan, export_summary
from ocrstudio.ui.pages.status import STATUS_LOOKS
from ocrstudio.ui.widgets.buttons import dialog_buttons
from ocrstudio.ui.widgets.fields import Choice, share_field
from ocrstudio.ui.widgets.form_rows import FormRows
from ocrstudio.ui.widgets.notes import note
from ocrstudio.ui.widgets.path_field import PathField, PathKind

_FOLDER = "Folder of the dataset"
_FOLDER_NOTE = "A new or empty folder, or an earlier export, which is replaced as a whole."


class ExportDialog(QDialog):
    """Shows the choices of an export.

    Args:
        parent: The window.
        folder: Where it goes unless the user says otherwise.
        counts: Pages in each state.
        seed: Of the split.
        tasks: Tasks whose prompt can be the question.
        task: Id of the one to begin with.
        eval_fraction: Share to hold out, to begin with.

    Signals:
        wanted: The `ExportPlan`.
    """

    wanted = Signal(object)

    def __init__(
        self,
        parent: QWidget,
        *,
        folder: Path,
        counts: PageCounts,
        seed: int,
        tasks: Iterable[Task],
        task: str,
        eval_fraction: float,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Export dataset")
        self.setMinimumWidth(520)
        self._counts, self._seed = counts, seed
        self.folder = PathField(PathKind.FOLDER, _FOLDER)
        self.folder.set_text(str(folder))
        self.folder.edited.connect(lambda _: self._show_summary())
        self.statuses = {status: self._box(status) for status in EXPORTED}
        self.task = Choice("Task")
        for one in tasks:
            self.task.addItem(one.id, one.id)
            self.task.setItemData(self.task.count() - 1, one.description, Qt.ItemDataRole.ToolTipRole)
        self.task.setCurrentIndex(max(0, self.task.findData(task)))
        self.held_out = share_field("Held out for evaluation", eval_fraction)
        self.held_out.valueChanged.connect(self._show_summary)
        self._summary = QLabel()
        self._summary.setWordWrap(True)
        self._summary.setAccessibleName("What will happen")
        self._lay_out()
        self._show_summary()

    def _box(self, status: PageStatus) -> QCheckBox:
        pages = self._counts.pages(status)
        box = QCheckBox(f"{STATUS_LOOKS[status].word} ({count_of(pages, 'page')})")
        box.setChecked(status is EXPORTED[0])
        box.setEnabled(pages > 0)
        box.toggled.connect(self._show_summary)
        return box

    def _lay_out(self) -> None:
        pages = QWidget()
        boxes = QVBoxLayout(pages)
        boxes.setContentsMargins(0, 2, 0, 2)
        boxes.setSpacing(5)
        for box in self.statuses.values():
            boxes.addWidget(box)
        rows = FormRows()
        rows.add("Folder", self.folder)
        rows.add("", note(_FOLDER_NOTE))
        rows.add("Pages", pages, tall=True)
        rows.add("Task", self.task)
        rows.add("", note("Its prompt becomes the question of every sample."))
        rows.add("Hold out", self.held_out)
        rows.add("", note("Whole documents are held out where there are several."))
        buttons, self.export = dialog_buttons(self, "Export", self._want)
        column = QVBoxLayout(self)
        column.setSpacing(12)
        column.addLayout(rows)
        column.addStretch(1)
        column.addWidget(self._summary)
        column.addWidget(buttons)

    @property
    def plan(self) -> ExportPlan:
        """What is chosen."""
        chosen = frozenset(status for status, box in self.statuses.items() if box.isChecked())
        return ExportPlan(
            Path(self.folder.text).expanduser(),
            chosen,
            str(self.task.currentData() or ""),
            self.held_out.value() / 100,
        )

    def _show_summary(self) -> None:
        text, ready = export_summary(self.plan, self._counts, self._seed)
        if ready and not self.folder.text:
            text, ready = "Choose a folder for the dataset.", False
        self._summary.setText(text)
        self.export.setEnabled(ready)

    def _want(self) -> None:
        self.wanted.emit(self.plan)
        self.accept()
