"""The left part of the teacher panel: who drafts, which task, which pages, and what the start will do."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QWidget

from ocrstudio.settings.teacher import TeacherConfig
from ocrstudio.tasks import Task
from ocrstudio.ui.jobs.students import StudentOption
from ocrstudio.ui.teachers.choices import TeacherChoice, student_overrides
from ocrstudio.ui.teachers.scope import SCOPE_WORDS, Scope
from ocrstudio.ui.widgets.buttons import push_button
from ocrstudio.ui.widgets.fields import Choice, Count
from ocrstudio.ui.widgets.form_rows import FormRows
from ocrstudio.ui.widgets.notes import note
from ocrstudio.ui.widgets.path_field import YAML_FILES
from ocrstudio.ui.widgets.setup_frame import SetupFrame

_OTHER = "Another YAML file…"
_PROTECTED = "Protected: DeepSeek-OCR was trained with exactly these words."
_MOST_REQUESTS = 1024


class TeacherSetup(SetupFrame):
    """Shows the choices and emits when one changes.

    Signals:
        changed: A choice changed.
        file_chosen: The user's own YAML file.
        server_edited: Address, model or concurrency of the server were changed.
        key_given: A `SecretStr` to keep; an empty one removes the key.
    """

    changed = Signal()
    file_chosen = Signal(object)
    server_edited = Signal()
    key_given = Signal(object)

    def __init__(self) -> None:
        super().__init__("Start drafting")
        self._tasks: dict[str, Task] = {}
        self._shown_row = 0
        self._rows = FormRows()
        self.teacher = Choice("Teacher")
        self.teacher.activated.connect(self._teacher_chosen)
        self._about = note()
        self._make_server()
        self.student = Choice("Student")
        self.student.activated.connect(lambda _: self.changed.emit())
        self.task = Choice("Task")
        self.task.activated.connect(self._task_chosen)
        self._prompt = note()
        self.scope = Choice("Pages")
        for scope, words in SCOPE_WORDS.items():
            self.scope.addItem(words, scope)
        self.scope.activated.connect(lambda _: self.changed.emit())
        self._lay_out()

    def _make_server(self) -> None:
        self.base_url = QLineEdit()
        self.base_url.setPlaceholderText("http://localhost:8000/v1")
        self.base_url.setAccessibleName("Address of the server")
        self.model_name = QLineEdit()
        self.model_name.setAccessibleName("Name of the model")
        self.key = QLineEdit()
        self.key.setEchoMode(QLineEdit.EchoMode.Password)
        self.key.setAccessibleName("API key")
        self._store = push_button("Keep", self._give_key)
        self._store.setToolTip(
            "Keeps the key in the keyring of this computer, never in a file. "
            "Without Keep it is used until the program ends."
        )
        self._key_row = QWidget()
        row = QHBoxLayout(self._key_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.key, 1)
        row.addWidget(self._store)
        self.concurrency = Count("Pages at once")
        self.concurrency.setRange(1, _MOST_REQUESTS)
        self.concurrency.setSuffix(" pages at once")
        for line in (self.base_url, self.model_name):
            line.editingFinished.connect(self._server_edited)
        self.key.returnPressed.connect(self._give_key)
        self.concurrency.valueChanged.connect(lambda _: self.server_edited.emit())

    def _lay_out(self) -> None:
        rows = self._rows
        rows.add("Teacher", self.teacher)
        rows.add("", self._about)
        rows.add("Address", self.base_url)
        rows.add("Model", self.model_name)
        rows.add("Key", self._key_row)
        rows.add("Requests", self.concurrency)
        rows.add("Student", self.student)
        rows.addStretch()
        what = FormRows()
        what.add("Task", self.task)
        what.add("", self._prompt)
        what.add("Pages", self.scope)
        what.addStretch()
        for column in (rows, what):
            self.columns.add(column)

    # What is chosen

    @property
    def choice(self) -> TeacherChoice | None:
        """The chosen teacher."""
        chosen = self.teacher.currentData()
        return chosen if isinstance(chosen, TeacherChoice) else None

    @property
    def overrides(self) -> dict[str, Any]:
        """Values of the form of the chosen teacher, by dotted key."""
        choice = self.choice
        if choice is None or choice.own:
            return {}
        if choice.kind == "api":
            return {
                "api.base_url": self.base_url.text().strip(),
                "api.model_name": self.model_name.text().strip(),
                "request.concurrent_requests": self.concurrency.value(),
            }
        student = self.student.currentData()
        if choice.kind == "local" and isinstance(student, StudentOption):
            return student_overrides(student)
        return {}

    @property
    def chosen_scope(self) -> Scope:
        """Which pages."""
        return Scope(self.scope.currentData())

    @property
    def task_id(self) -> str:
        """The chosen task."""
        return str(self.task.currentData() or "")

    # Showing

    def show_teachers(self, choices: Iterable[TeacherChoice], chosen: Path | None) -> None:
        """Offers teachers; the one with the chosen file, or the same one as before."""
        before = self.choice
        with QSignalBlocker(self.teacher):
            self.teacher.clear()
            for choice in choices:
                self.teacher.addItem(choice.title, choice)
            self.teacher.insertSeparator(self.teacher.count())
            self.teacher.addItem(_OTHER)
            number = 0
            for row in range(self.teacher.count()):
                choice = self.teacher.itemData(row)
                if isinstance(choice, TeacherChoice) and (
                    choice.path == chosen
                    if chosen is not None
                    else before is not None and choice.title == before.title
                ):
                    number = row
            self.teacher.setCurrentIndex(number)
        self._shown_row = number

    def show_students(self, students: Iterable[StudentOption]) -> None:
        """Offers students; the choice stays."""
        before = self.student.currentText()
        with QSignalBlocker(self.student):
            self.student.clear()
            for student in students:
                self.student.addItem(student.title, student)
                self.student.setItemData(self.student.count() - 1, student.note, Qt.ItemDataRole.ToolTipRole)
            self.student.setCurrentIndex(max(0, self.student.findText(before)))

    def show_tasks(self, tasks: Iterable[Task], default: str) -> None:
        """Offers tasks; the choice stays."""
        self._tasks = {task.id: task for task in tasks}
        before = self.task.currentData() or default
        with QSignalBlocker(self.task):
            self.task.clear()
            for task_id in self._tasks:
                self.task.addItem(task_id, task_id)
            self.task.setCurrentIndex(max(0, self.task.findData(before)))
        self._show_prompt()

    def show_config(self, config: TeacherConfig, about: str) -> None:
        """Shows the form of a teacher with its values."""
        choice = self.choice
        kind = choice.kind if choice is not None and not choice.own else ""
        for widget in (self.base_url, self.model_name, self._key_row, self.concurrency):
            self._rows.set_visible(widget, kind == "api")
        self._rows.set_visible(self.student, kind == "local")
        self._about.setText(about)
        if kind == "api" and config.api is not None:
            with QSignalBlocker(self.concurrency):
                self.concurrency.setValue(config.request.concurrent_requests)
            for line, text in (
                (self.base_url, config.api.base_url),
                (self.model_name, config.api.model_name),
            ):
                if not line.hasFocus():
                    line.setText(text)

    def show_key_state(self, words: str) -> None:
        """Says where the key comes from, in place of a key; one that is being typed stays."""
        self.key.setPlaceholderText(words)
        self.key.setToolTip(words)

    def show_scope_counts(self, counts: Mapping[Scope, int]) -> None:
        """Writes the number of pages behind each scope."""
        for row in range(self.scope.count()):
            scope = Scope(self.scope.itemData(row))
            self.scope.setItemText(row, f"{SCOPE_WORDS[scope]}: {counts[scope]:,}")

    # Intent

    def _teacher_chosen(self) -> None:
        if self.choice is None:
            self.teacher.setCurrentIndex(self._shown_row)
            path, _ = QFileDialog.getOpenFileName(self, "Choose a teacher's YAML file", "", YAML_FILES)
            if path:
                self.file_chosen.emit(Path(path))
            return
        self._shown_row = self.teacher.currentIndex()
        self.base_url.clear()  # the values of another teacher
        self.model_name.clear()
        self.key.clear()
        self.changed.emit()

    def _task_chosen(self) -> None:
        self._show_prompt()
        self.changed.emit()

    def _show_prompt(self) -> None:
        task = self._tasks.get(self.task_id)
        if task is not None:
            words = f"\N{LEFT DOUBLE QUOTATION MARK}{task.user}\N{RIGHT DOUBLE QUOTATION MARK}"
            self._prompt.setText(f"{words} {_PROTECTED if task.protected else task.description}")

    def _server_edited(self) -> None:
        if self.base_url.isModified() or self.model_name.isModified():
            self.base_url.setModified(False)
            self.model_name.setModified(False)
            self.server_edited.emit()

    def _give_key(self) -> None:
        self.key_given.emit(SecretStr(self.key.text().strip()))
