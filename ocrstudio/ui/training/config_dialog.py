"""All values of a training as a form, section by section, and as YAML. Not modal; a change counts at once."""

from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QLabel,
    QPlainTextEdit,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from ocrstudio.settings.loader import dump_yaml
from ocrstudio.settings.train import TrainConfig
from ocrstudio.ui.widgets.path_field import YAML_FILES
from ocrstudio.ui.widgets.value_field import ValueField, field_of, value_at, value_form

_TITLES = {
    "model": "Student",
    "lora": "Adapter",
    "training": "Training",
    "image": "Page pictures",
    "evaluation": "Answers",
}


class ConfigDialog(QDialog):
    """Shows every field of `TrainConfig`.

    Args:
        parent: The window.

    Signals:
        edited: A dotted key and its new value.
        save_requested: A `Path` for the values as a YAML file.
    """

    edited = Signal(str, object)
    save_requested = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("All values of the training")
        self.resize(680, 620)
        self.editors: dict[str, ValueField] = {}
        self._problem = QLabel()
        self._problem.setWordWrap(True)
        self._problem.hide()
        self._yaml = QPlainTextEdit()
        self._yaml.setReadOnly(True)
        self._yaml.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self._yaml.setAccessibleName("The values as YAML")
        tabs = QTabWidget()
        tabs.setDocumentMode(True)
        for section, info in TrainConfig.model_fields.items():
            tabs.addTab(self._section(section, info.description or ""), _TITLES.get(section, section))
        tabs.addTab(self._yaml, "YAML")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        copy = buttons.addButton("Copy YAML", QDialogButtonBox.ButtonRole.ActionRole)
        save = buttons.addButton("Save as YAML…", QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self._yaml.toPlainText()))
        save.clicked.connect(self._save)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setSpacing(10)
        column.addWidget(tabs, 1)
        column.addWidget(self._problem)
        column.addWidget(buttons)

    def _section(self, section: str, about: str) -> QWidget:
        model = TrainConfig.model_fields[section].annotation
        assert isinstance(model, type)  # noqa: S101 - sections are models
        fields = []
        for name in model.model_fields:
            key = f"{section}.{name}"
            field = ValueField(key, field_of(TrainConfig, key))
            field.edited.connect(self.edited)
            self.editors[key] = field
            fields.append(field)
        return value_form(fields, about)

    def show_config(self, config: TrainConfig) -> None:
        """Shows the values."""
        self._problem.hide()
        for key, editor in self.editors.items():
            editor.show_value(value_at(config, key))
        with QSignalBlocker(self._yaml):
            self._yaml.setPlainText(dump_yaml(config))

    def show_problem(self, text: str) -> None:
        """Says what is wrong with the last change."""
        self._problem.setText(text)
        self._problem.show()

    def _save(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(self, "Save the values", "train.yaml", YAML_FILES)
        if chosen:
            self.save_requested.emit(Path(chosen))
