"""Builds a form from the fields of a pydantic model: one editor for each field, by its type and bounds."""

import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic.fields import FieldInfo
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QFontComboBox,
    QHBoxLayout,
    QLineEdit,
    QSpinBox,
    QToolButton,
    QWidget,
)

_MAX_INT = 2_147_483_647
_DEFAULT_FONT = "(fixed-width font of the system)"


class PathEdit(QWidget):
    """A line for a file, with a button that chooses one.

    Signals:
        edited: The text was changed and left.
    """

    edited = Signal(str)

    def __init__(self, value: str) -> None:
        super().__init__()
        self._line = QLineEdit(value)
        self._line.setPlaceholderText("(shipped one)")
        self._line.editingFinished.connect(lambda: self.edited.emit(self._line.text().strip()))
        browse = QToolButton()
        browse.setText("…")
        browse.setToolTip("Choose a file")
        browse.clicked.connect(self._browse)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._line, 1)
        row.addWidget(browse)

    def _browse(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(
            self, "Choose a file", self._line.text(), "YAML (*.yaml *.yml)"
        )
        if chosen:
            self._line.setText(chosen)
            self.edited.emit(chosen)


@dataclass(frozen=True)
class FieldRow:
    """A field as a row of the form."""

    key: str
    title: str
    help: str
    group: str
    widget: QWidget


Changed = Callable[[str, Any], None]


def build_rows(fields: dict[str, FieldInfo], values: dict[str, Any], changed: Changed) -> list[FieldRow]:
    """A row for each field in the order of the model.

    Args:
        fields: ``model_fields`` of a settings model.
        values: The present values.
        changed: Called with the key and the new value when the user changes one.
    """
    rows = []
    for key, info in fields.items():
        extra = info.json_schema_extra
        group = str(extra.get("group", "General")) if isinstance(extra, dict) else "General"
        widget = _editor(key, info, values[key], changed)
        widget.setToolTip(info.description or "")
        widget.setAccessibleName(title_of(key))
        rows.append(FieldRow(key, title_of(key), info.description or "", group, widget))
    return rows


def title_of(key: str) -> str:
    """Words for a key: ``page_cache_mib`` becomes ``Page cache (MiB)``."""
    units = {"mib": "(MiB)", "ms": "(ms)", "dpi": "DPI"}
    words = [units.get(word, word) for word in key.split("_")]
    text = " ".join(words)
    return text[0].upper() + text[1:]


def _editor(key: str, info: FieldInfo, value: Any, changed: Changed) -> QWidget:  # noqa: ANN401
    kind, optional = _plain_type(info.annotation)
    if typing.get_origin(kind) is Literal:
        return _choice(key, typing.get_args(kind), value, changed)
    if key.endswith("font_family"):
        return _font(key, value, changed)
    if optional:
        path = PathEdit(value or "")
        path.edited.connect(lambda text: changed(key, text or None))
        return path
    return _EDITORS[kind](key, info, value, changed)


def _plain_type(annotation: Any) -> tuple[Any, bool]:  # noqa: ANN401
    """A type without ``| None``, and whether it had one."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        parts = [part for part in typing.get_args(annotation) if part is not types.NoneType]
        return parts[0], True
    return annotation, False


def _choice(key: str, options: tuple[Any, ...], value: object, changed: Changed) -> QWidget:
    box = QComboBox()
    for option in options:
        box.addItem(str(option).replace("_", " ").capitalize(), option)
    box.setCurrentIndex(box.findData(value))
    box.currentIndexChanged.connect(lambda: changed(key, box.currentData()))
    return box


def _font(key: str, value: str, changed: Changed) -> QWidget:
    box = QFontComboBox()
    box.setFontFilters(QFontComboBox.FontFilter.ScalableFonts)
    box.insertItem(0, _DEFAULT_FONT)
    if value:
        box.setCurrentFont(QFont(value))
    else:
        box.setCurrentIndex(0)
    box.textActivated.connect(lambda text: changed(key, "" if text == _DEFAULT_FONT else text))
    return box


def _check(key: str, _info: FieldInfo, value: bool, changed: Changed) -> QWidget:
    box = QCheckBox()
    box.setChecked(value)
    box.toggled.connect(lambda state: changed(key, state))
    return box


def _integer(key: str, info: FieldInfo, value: int, changed: Changed) -> QWidget:
    box = QSpinBox()
    low, high = _bounds(info)
    box.setRange(int(low), int(min(high, _MAX_INT)))
    box.setKeyboardTracking(False)
    box.setGroupSeparatorShown(True)
    box.setAlignment(Qt.AlignmentFlag.AlignRight)
    box.setValue(value)
    box.valueChanged.connect(lambda number: changed(key, number))
    return box


def _number(key: str, info: FieldInfo, value: float, changed: Changed) -> QWidget:
    box = QDoubleSpinBox()
    box.setRange(*_bounds(info))
    box.setSingleStep(0.05)
    box.setKeyboardTracking(False)
    box.setAlignment(Qt.AlignmentFlag.AlignRight)
    box.setValue(value)
    box.valueChanged.connect(lambda number: changed(key, number))
    return box


def _text(key: str, _info: FieldInfo, value: str, changed: Changed) -> QWidget:
    line = QLineEdit(value)
    line.editingFinished.connect(lambda: changed(key, line.text().strip()))
    return line


_EDITORS: dict[Any, Callable[[str, FieldInfo, Any, Changed], QWidget]] = {
    bool: _check,
    int: _integer,
    float: _number,
    str: _text,
}


def _bounds(info: FieldInfo) -> tuple[float, float]:
    low, high = 0.0, float(_MAX_INT)
    for constraint in info.metadata:
        low = getattr(constraint, "ge", low)
        high = getattr(constraint, "le", high)
    return low, high
