"""The settings dialog. A change applies at once and is kept at once; there is no OK."""

from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QTabWidget, QVBoxLayout, QWidget

from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.settings.app import AppSettings, load_app_settings, save_overrides, user_settings_file
from ocrstudio.tasks import load_tasks, usable
from ocrstudio.ui.messages import Messages
from ocrstudio.ui.theme import theme
from ocrstudio.ui.widgets.notes import note
from ocrstudio.ui.widgets.value_field import ValueField, value_form


class SettingsDialog(QDialog):
    """Shows every field of `AppSettings`.

    Args:
        parent: The window.
        settings: The present settings.
        messages: Where a failure is said.
        user_file: The user's file; None for the usual place.

    Attributes:
        fields: The editors by key, in the order of the model.

    Signals:
        applied: The new `AppSettings`.
    """

    applied = Signal(object)

    def __init__(
        self, parent: QWidget | None, settings: AppSettings, messages: Messages, user_file: Path | None = None
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Settings")
        self.resize(660, 520)
        self._messages = messages
        self._user_file = user_file
        choices = {"default_task": _task_ids(settings)}
        self.fields: dict[str, ValueField] = {}
        for key, info in AppSettings.model_fields.items():
            field = ValueField(key, info, choices.get(key, ()))
            field.show_value(getattr(settings, key))
            field.edited.connect(self._change)
            self.fields[key] = field
        self._problem = QLabel()
        self._problem.setWordWrap(True)
        self._problem.setStyleSheet(f"color: {theme().red}")
        self._problem.hide()
        place = note(f"Changes apply at once and are kept in {user_file or user_settings_file()}.")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setSpacing(10)
        column.addWidget(self._tabs(), 1)
        for widget in (self._problem, place, buttons):
            column.addWidget(widget)

    def _tabs(self) -> QTabWidget:
        tabs = QTabWidget()
        tabs.setDocumentMode(True)
        groups: dict[str, list[ValueField]] = {}
        for key, field in self.fields.items():
            groups.setdefault(_group_of(AppSettings.model_fields[key]), []).append(field)
        for name, members in groups.items():
            tabs.addTab(value_form(members), name)
        return tabs

    def _change(self, key: str, value: Any) -> None:  # noqa: ANN401 - the type of the field
        try:
            save_overrides({key: value}, self._user_file)
            settings = load_app_settings(self._user_file)
        except OcrStudioError as problem:
            self._problem.setText(str(problem))
            self._problem.show()
            self._messages.failure(problem)
            return
        self._problem.hide()
        self.applied.emit(settings)


def _group_of(info: FieldInfo) -> str:
    extra = info.json_schema_extra
    return str(extra.get("group", "General")) if isinstance(extra, dict) else "General"


def _task_ids(settings: AppSettings) -> list[str]:
    """The tasks that can be the default; none when the user's prompts cannot be read (said elsewhere)."""
    try:
        return [task.id for task in usable(load_tasks(settings.prompts_file))]
    except OcrStudioError:
        return []
