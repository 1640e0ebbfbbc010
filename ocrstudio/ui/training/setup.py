"""The left part of the training panel: what is trained, on what and how, and what the start will do."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QWidget

from ocrstudio.domain.embedded import EMBEDDED, offered
from ocrstudio.domain.run import TrainMode
from ocrstudio.settings.train import TrainConfig
from ocrstudio.tasks import Task
from ocrstudio.ui.training.plan import (
    DEEPSEEK_OCR,
    MODE_WORDS,
    DataSource,
    Preview,
    TrainingPlan,
    augment_words,
)
from ocrstudio.ui.widgets.buttons import push_button
from ocrstudio.ui.widgets.fields import Choice, share_field
from ocrstudio.ui.widgets.form_rows import FormRows
from ocrstudio.ui.widgets.notes import note
from ocrstudio.ui.widgets.path_field import JSONL_FILES, YAML_FILES, PathField, PathKind
from ocrstudio.ui.widgets.setup_frame import SetupFrame
from ocrstudio.ui.widgets.value_field import ValueField, field_of, value_at

IMPORTANT = (
    ("training.max_steps", "Steps"),
    ("training.learning_rate", "Learning rate"),
    ("training.per_device_train_batch_size", "Pages at once"),
    ("training.gradient_accumulation_steps", "Batches added up"),
    ("lora.r", "Adapter rank"),
    ("lora.lora_alpha", "Adapter alpha"),
    ("training.save_steps", "Save every (steps)"),
    ("training.eval_steps", "Evaluate every (steps)"),
    ("image.preset", "Page pictures"),
    ("training.augment", "Degrade pages"),
)
"""The values that are changed most, with short titles."""


class TrainingSetup(SetupFrame):
    """Shows the choices and emits when one changes.

    Signals:
        changed: A choice changed; `plan` has it.
        all_values_requested: The user wants to see every value.
        example_requested: The user wants to see what degraded pages look like.
    """

    changed = Signal()
    all_values_requested = Signal()
    example_requested = Signal()

    def __init__(self) -> None:
        super().__init__("Start training")
        self._overrides: dict[str, Any] = {}
        self._file_of_settings = ""
        self._rows = FormRows()
        self._make_data()
        self._make_student()
        self._make_values()
        self._lay_out()
        self._show_parts()

    # Parts

    def _make_data(self) -> None:
        self.source = Choice("Data")
        self.source.addItem("Accepted pages", DataSource.WORKSPACE)
        self.source.addItem("Dataset file (JSONL)", DataSource.FILE)
        self.dataset = PathField(PathKind.FILE, "Choose a dataset", "dataset.jsonl", JSONL_FILES)
        self.task = Choice("Task")
        self.held_out = share_field("Held out for evaluation")
        self.held_out.setToolTip(
            "Pages kept away from the training, whole documents where there are several."
        )
        self.source.activated.connect(self._chosen)
        self.task.activated.connect(self._chosen)
        self.held_out.valueChanged.connect(self._chosen)
        self.dataset.edited.connect(self._chosen)

    def _make_student(self) -> None:
        self.student = Choice("Student")
        for student in offered():
            self.student.addItem(student.title, student.name)
        self.student.addItem(DEEPSEEK_OCR, "")
        self.model_folder = PathField(PathKind.FOLDER, "Folder of the DeepSeek-OCR weights")
        self._student_note = note()
        self.mode = Choice("Mode")
        for mode, (words, _) in MODE_WORDS.items():
            self.mode.addItem(words, mode)
        self._mode_note = note()
        self.curve = QCheckBox("also on a quarter and a half of them")
        self.curve.setAccessibleName("Learning curve")
        self.curve.setToolTip(
            "Trains three times, each time with the same number of steps, and says from the held-out pages "
            "what a hundred more pages would bring."
        )
        self.curve.toggled.connect(self._chosen)
        self.student.activated.connect(self._student_chosen)
        self.model_folder.edited.connect(lambda path: self.set_value("model.base_model_path", path))
        self.mode.activated.connect(self._chosen)

    def _make_values(self) -> None:
        self.config_file = PathField(PathKind.FILE, "Choose a YAML file", "(shipped values)", YAML_FILES)
        self.config_file.edited.connect(lambda _: self._forget_values())
        self.fields: dict[str, ValueField] = {}
        for key, _ in IMPORTANT:
            editor = ValueField(key, field_of(TrainConfig, key))
            editor.edited.connect(self.set_value)
            self.fields[key] = editor
        self._augment_note = note()
        self._example = push_button("Show an example…", self.example_requested.emit)
        self._reset = push_button("Undo changes", self._forget_values)
        self._all = push_button("All values…", self.all_values_requested.emit)

    def _lay_out(self) -> None:
        rows = self._rows
        rows.add("Data", self.source)
        rows.add("", self.dataset)
        rows.add("Task", self.task)
        rows.add("Hold out", self.held_out)
        rows.add("Student", self.student)
        rows.add("Weights", self.model_folder)
        rows.add("", self._student_note)
        rows.add("Mode", self.mode)
        rows.add("", self._mode_note)
        rows.add("Curve", self.curve)
        rows.addStretch()
        values = FormRows()
        values.add("Values", self.config_file)
        for key, title in IMPORTANT:
            values.add(title, self.fields[key])
        values.add("", self._augment_note)
        values.add("", _row(self._example))
        values.add("", _row(self._all, self._reset))
        values.addStretch()
        self.columns.add(rows, 6)
        self.columns.add(values, 5)

    # What is chosen

    @property
    def plan(self) -> TrainingPlan:
        """What the user chose."""
        config_file = self.config_file.text
        dataset = self.dataset.text
        return TrainingPlan(
            source=DataSource(self.source.currentData()),
            dataset=Path(dataset).expanduser() if dataset else None,
            task=self.task.currentData() or "",
            eval_fraction=self.held_out.value() / 100,
            embedded=self._embedded,
            mode=TrainMode(self.mode.currentData()),
            config_file=Path(config_file).expanduser() if config_file else None,
            overrides=dict(self._overrides),
            curve=self.curve.isChecked(),
        )

    @property
    def _embedded(self) -> str:
        """Word of the built-in student that is chosen; empty for DeepSeek-OCR."""
        return str(self.student.currentData())

    def set_value(self, key: str, value: object) -> None:
        """Changes one value of the configuration."""
        self._overrides[key] = value
        self._reset.setEnabled(True)
        self.changed.emit()

    def _forget_values(self) -> None:
        self._overrides.clear()
        self.changed.emit()

    def _student_chosen(self) -> None:
        self._show_config_file()
        self._show_parts()
        self._forget_values()  # they belong to the other student's values

    def _chosen(self) -> None:
        self._show_parts()
        self.changed.emit()

    # Showing

    def show_tasks(self, tasks: Iterable[Task], default: str) -> None:
        """Offers the tasks whose prompt can be trained."""
        chosen = self.task.currentData() or default
        with QSignalBlocker(self.task):
            self.task.clear()
            for task in tasks:
                self.task.addItem(task.id, task.id)
                self.task.setItemData(
                    self.task.count() - 1, f"{task.user}\n{task.description}", Qt.ItemDataRole.ToolTipRole
                )
            self.task.setCurrentIndex(max(0, self.task.findData(chosen)))

    def show_defaults(self, *, student: str, eval_fraction: float, config_file: str | None) -> None:
        """Shows the choices to begin with.

        Args:
            student: Word of a built-in student; empty for DeepSeek-OCR.
            eval_fraction: Share of the pages that is held out.
            config_file: The user's values for DeepSeek-OCR.
        """
        with QSignalBlocker(self.held_out):
            self.held_out.setValue(eval_fraction * 100)
        self.student.setCurrentIndex(self.student.findData(student))
        self.mode.setCurrentIndex(self.mode.findData(TrainMode.VISION))
        self._file_of_settings = config_file or ""
        self._show_config_file()
        self._show_parts()
        self.changed.emit()

    def show_config(self, config: TrainConfig) -> None:
        """Shows the values in effect."""
        for key, editor in self.fields.items():
            editor.show_value(value_at(config, key))
        words = augment_words(self.plan.mode, config)
        self._augment_note.setText(words)
        self._augment_note.setVisible(bool(words))
        self.model_folder.set_text(config.model.base_model_path)
        self._reset.setEnabled(bool(self._overrides))

    def show_model_state(self, text: str) -> None:
        """Says whether the weights are there, or what to expect of them."""
        self._student_note.setText(text)

    def show_preview(self, preview: Preview) -> None:
        """Says what will happen."""
        self.show_summary(preview.text, ready=preview.ready)

    def show_preparation(self, done: int, total: int, text: str) -> None:
        """Shows that the start is being prepared."""
        self.show_progress(done, total, f"Preparing: {text}…")

    def end_preparation(self) -> None:
        """The run was started, or could not be."""
        self.hide_progress()
        self.changed.emit()

    def _show_config_file(self) -> None:
        """The file of the settings is meant for DeepSeek-OCR; a built-in student has values of its own."""
        self.config_file.set_text("" if self._embedded else self._file_of_settings)

    def _show_parts(self) -> None:
        from_file = self.source.currentData() == DataSource.FILE
        visible: tuple[tuple[QWidget, bool], ...] = (
            (self.dataset, from_file),
            (self.task, not from_file),
            (self.held_out, not from_file),
            (self.model_folder, not self._embedded),
        )
        for widget, wanted in visible:
            self._rows.set_visible(widget, wanted)
        if self._embedded:
            self._student_note.setText(EMBEDDED[self._embedded].note)
        self._mode_note.setText(MODE_WORDS[TrainMode(self.mode.currentData())][1])


def _row(*buttons: QWidget) -> QWidget:
    """Buttons side by side at the left."""
    row = QWidget()
    line = QHBoxLayout(row)
    line.setContentsMargins(0, 0, 0, 0)
    for button in buttons:
        line.addWidget(button)
    line.addStretch(1)
    return row
