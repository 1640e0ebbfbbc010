"""The settings dialog. A change applies at once and is kept at once; there is no OK."""

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QScrollArea,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.settings.app import AppSettings, load_app_settings, save_overrides, user_settings_file
from ocrstudio.ui.messages import Messages
from ocrstudio.ui.settings.form import FieldRow, build_rows


class SettingsDialog(QDialog):
    """Shows every field of `AppSettings`.

    Args:
        parent: The window.
        settings: The present settings.
        messages: Where a failure is said.
        user_file: The user's file; None for the usual place.

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
        self.rows = build_rows(AppSettings.model_fields, settings.model_dump(), self._change)
        self._problem = QLabel()
        self._problem.setWordWrap(True)
        self._problem.hide()
        place = QLabel(f"Changes apply at once and are kept in {user_file or user_settings_file()}.")
        place.setProperty("role", "muted")
        place.setWordWrap(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setSpacing(10)
        column.addWidget(self._tabs(), 1)
        column.addWidget(self._problem)
        column.addWidget(place)
        column.addWidget(buttons)

    def _tabs(self) -> QTabWidget:
        tabs = QTabWidget()
        tabs.setDocumentMode(True)
        groups: dict[str, list[FieldRow]] = {}
        for row in self.rows:
            groups.setdefault(row.group, []).append(row)
        for name, members in groups.items():
            tabs.addTab(_page(members), name)
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


def _page(rows: list[FieldRow]) -> QScrollArea:
    body = QWidget()
    form = QFormLayout(body)
    form.setContentsMargins(16, 16, 16, 16)
    form.setVerticalSpacing(6)
    form.setHorizontalSpacing(18)
    form.setLabelAlignment(Qt.AlignmentFlag.AlignRight)
    for row in rows:
        form.addRow(row.title, row.widget)
        words = QLabel(row.help)
        words.setProperty("role", "muted")
        words.setWordWrap(True)
        words.setContentsMargins(0, 0, 0, 8)
        form.addRow("", words)
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setWidget(body)
    return area
