"""Chooses a dataset to bring into the workspace, and what its labels count as. Not modal."""

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from ocrstudio.ui.widgets.buttons import dialog_buttons
from ocrstudio.ui.widgets.fields import Choice
from ocrstudio.ui.widgets.form_rows import FormRows
from ocrstudio.ui.widgets.notes import note
from ocrstudio.ui.widgets.path_field import JSONL_FILES, PathField, PathKind

_ABOUT = (
    "A picture that shows a page of this workspace gives its label to that page; any other becomes a "
    "document. A label that you wrote or accepted is never replaced: the imported one is kept beside it."
)


class ImportDialog(QDialog):
    """Shows the choices of an import.

    Args:
        parent: The window.
        file: The dataset, when it is known already.

    Signals:
        wanted: The file as a `Path`, and whether its labels are accepted.
    """

    wanted = Signal(object, bool)

    def __init__(self, parent: QWidget, file: Path | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Import dataset")
        self.setMinimumWidth(520)
        self.file = PathField(PathKind.FILE, "Choose a dataset", "dataset.jsonl", JSONL_FILES)
        self.file.set_text("" if file is None else str(file))
        self.file.edited.connect(lambda _: self._show_state())
        self.status = Choice("Labels")
        self.status.addItem("Drafts, to be reviewed", False)
        self.status.addItem("Accepted", True)
        rows = FormRows()
        rows.add("File", self.file)
        rows.add("", note("The pictures are looked for beside the file."))
        rows.add("Labels", self.status)
        buttons, self.confirm = dialog_buttons(self, "Import", self._want)
        column = QVBoxLayout(self)
        column.setSpacing(12)
        column.addLayout(rows)
        column.addWidget(note(_ABOUT))
        column.addStretch(1)
        column.addWidget(buttons)
        self._show_state()

    def _show_state(self) -> None:
        self.confirm.setEnabled(bool(self.file.text))

    def _want(self) -> None:
        self.wanted.emit(Path(self.file.text).expanduser(), bool(self.status.currentData()))
        self.accept()
