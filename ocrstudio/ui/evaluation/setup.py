"""The left part of the evaluation panel: what is measured on what, and the list of evaluations."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QLabel, QVBoxLayout, QWidget

from ocrstudio.domain.profile_names import PROFILE_HELP
from ocrstudio.ui.evaluation.sources import DataOption
from ocrstudio.ui.jobs.run_list import RunList
from ocrstudio.ui.jobs.students import StudentOption
from ocrstudio.ui.widgets.buttons import push_button
from ocrstudio.ui.widgets.empty_state import EmptyState
from ocrstudio.ui.widgets.fields import Choice
from ocrstudio.ui.widgets.form_rows import FormRows
from ocrstudio.ui.widgets.path_field import JSONL_FILES

_OTHER = "Another dataset file…"
_CONFIGURED = "as configured"
_CONFIGURED_HELP = "The profile of the configuration; a report is shown as it was measured"


class EvaluationSetup(QWidget):
    """Shows the choices and emits what is wanted.

    Signals:
        start_requested: The user wants the evaluation.
        profile_chosen: Figures are to be shown under another profile.
    """

    start_requested = Signal()
    profile_chosen = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._files: list[DataOption] = []
        self._options: list[DataOption] = []
        self._chosen_by_user = False
        self.data = Choice("Dataset")
        self.data.activated.connect(self._data_chosen)
        self.student = Choice("Student")
        self.profile = Choice("Profile")
        self.profile.addItem(_CONFIGURED, None)
        self.profile.setItemData(0, _CONFIGURED_HELP, Qt.ItemDataRole.ToolTipRole)
        for name, words in PROFILE_HELP.items():
            self.profile.addItem(name, name)
            self.profile.setItemData(self.profile.count() - 1, words, Qt.ItemDataRole.ToolTipRole)
        self.profile.setToolTip("What counts as equal, in a new evaluation and in the figures that are shown")
        self.profile.activated.connect(lambda _: self.profile_chosen.emit())
        self.start = push_button("Start evaluation", self.start_requested.emit, primary=True)
        self._preparing = QLabel()
        self._preparing.setProperty("role", "muted")
        self._preparing.setWordWrap(True)
        self._preparing.hide()
        self.runs = RunList(
            "Evaluations", EmptyState("evaluation", "No evaluations", "Measure before and after a training.")
        )
        rows = FormRows()
        rows.add("Data", self.data)
        rows.add("Student", self.student)
        rows.add("Profile", self.profile)
        rows.add("", self._preparing)
        rows.add("", self.start)
        top = QVBoxLayout()
        top.setContentsMargins(12, 10, 12, 8)
        top.addLayout(rows)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        column.addWidget(self.runs, 1)

    @property
    def chosen_data(self) -> DataOption | None:
        """What is measured on."""
        option = self.data.currentData()
        return option if isinstance(option, DataOption) else None

    @property
    def chosen_student(self) -> StudentOption | None:
        """What is measured."""
        option = self.student.currentData()
        return option if isinstance(option, StudentOption) else None

    @property
    def chosen_profile(self) -> str | None:
        """Name of the profile; None for that of the configuration, and of each report."""
        name = self.profile.currentData()
        return name if isinstance(name, str) else None

    def show_data(self, options: Sequence[DataOption]) -> None:
        """Offers datasets; a choice of the user stays, otherwise the first is chosen."""
        before = self.data.currentText() if self._chosen_by_user else ""
        self._options = list(options)
        with QSignalBlocker(self.data):
            self.data.clear()
            for option in [*self._files, *options]:
                self.data.addItem(option.title, option)
                place = str(option.path or "Exported when the evaluation starts")
                self.data.setItemData(self.data.count() - 1, place, Qt.ItemDataRole.ToolTipRole)
            self.data.insertSeparator(self.data.count())
            self.data.addItem(_OTHER)
            self.data.setCurrentIndex(max(0, self.data.findText(before) if before else 0))

    def show_students(self, options: Sequence[StudentOption]) -> None:
        """Offers students; the choice stays, otherwise the newest training or the built-in reader."""
        before = self.student.currentText()
        with QSignalBlocker(self.student):
            self.student.clear()
            for option in options:
                self.student.addItem(option.title, option)
                self.student.setItemData(self.student.count() - 1, option.note, Qt.ItemDataRole.ToolTipRole)
            number = self.student.findText(before) if before else -1
            newest_is_new = bool(options) and options[0].run_id and self.student.findText(before) != 0
            if number < 0 or newest_is_new:
                number = 0
            self.student.setCurrentIndex(number)

    def show_preparation(self, text: str) -> None:
        """Says what is being prepared; an empty text means nothing."""
        self._preparing.setText(text)
        self._preparing.setVisible(bool(text))
        self.start.setEnabled(not text)

    def _data_chosen(self) -> None:
        if self.chosen_data is not None:
            self._chosen_by_user = True
            return
        path, _ = QFileDialog.getOpenFileName(self, "Choose a dataset", "", JSONL_FILES)
        if path:
            self._chosen_by_user = True
            self._files.insert(0, DataOption(Path(path).name, Path(path)))
        self.show_data(self._options)
        self.data.setCurrentIndex(0)
