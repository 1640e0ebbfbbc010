"""Editors for the fields of a configuration: one widget for each type, with its bounds and description."""

import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QSpinBox, QVBoxLayout, QWidget

from ocrstudio.ui.widgets.form_rows import SPIN_MARGINS

_LEAST_WIDTH = 70
_MAX_INT = 2_147_483_647
_EMPTY = "none"
_ABBREVIATIONS = {"lora": "LoRA", "r": "rank", "llm": "language model", "sam": "SAM", "optim": "optimiser"}


def field_of(model: type[BaseModel], key: str) -> FieldInfo:
    """The field at a dotted key, such as ``training.max_steps``."""
    *sections, name = key.split(".")
    for section in sections:
        annotation = model.model_fields[section].annotation
        assert isinstance(annotation, type)  # noqa: S101 - sections are models
        model = annotation
    return model.model_fields[name]


def value_at(config: BaseModel, key: str) -> Any:  # noqa: ANN401 - the type of the field
    """The value at a dotted key."""
    value: Any = config
    for name in key.split("."):
        value = getattr(value, name)
    return value


def title_of(key: str) -> str:
    """Words for a dotted key: ``training.learning_rate`` becomes ``Learning rate``."""
    words = [_ABBREVIATIONS.get(word, word) for word in key.rpartition(".")[2].split("_")]
    text = " ".join(words)
    return text[0].upper() + text[1:]


class FieldEditor(QWidget):
    """Edits the value at one key.

    Signals:
        edited: The key and the new value; a text that is no number is passed on for the loader to refuse.
    """

    edited = Signal(str, object)

    def __init__(self, key: str, info: FieldInfo) -> None:
        super().__init__()
        self.key = key
        kind, optional = _plain_type(info.annotation)
        make = _MAKERS[_family(kind)]
        self._show, self._widget = make(info, kind, optional, lambda value: self.edited.emit(key, value))
        self._widget.setToolTip(info.description or "")
        self._widget.setAccessibleName(title_of(key))
        self._widget.setAccessibleDescription(info.description or "")
        self._widget.setMinimumWidth(_LEAST_WIDTH)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._widget)
        self.setFocusProxy(self._widget)

    def show_value(self, value: object) -> None:
        """Shows a value without emitting `edited`."""
        with QSignalBlocker(self._widget):
            self._show(value)


Changed = Callable[[Any], None]
Maker = Callable[[FieldInfo, Any, bool, Changed], tuple[Callable[[Any], None], QWidget]]


def _integer(
    info: FieldInfo, _kind: object, optional: bool, changed: Changed
) -> tuple[Callable[[Any], None], QWidget]:
    box = QSpinBox()
    low, high = _bounds(info)
    least = int(low) - 1 if optional else int(low)
    box.setRange(least, int(min(high, _MAX_INT)))
    box.setSpecialValueText(_EMPTY if optional else "")
    box.setKeyboardTracking(False)
    box.lineEdit().setTextMargins(*SPIN_MARGINS)
    box.valueChanged.connect(lambda number: changed(None if optional and number == least else number))
    return lambda value: box.setValue(least if value is None else value), box


def _number(
    _info: FieldInfo, _kind: object, optional: bool, changed: Changed
) -> tuple[Callable[[Any], None], QWidget]:
    line = QLineEdit()
    line.setPlaceholderText(_EMPTY if optional else "")

    def left() -> None:
        if not line.isModified():
            return
        line.setModified(False)
        text = line.text().strip()
        try:
            changed(None if optional and text in ("", _EMPTY) else float(text))
        except ValueError:
            changed(text)

    line.editingFinished.connect(left)
    return lambda value: line.setText("" if value is None else f"{value:g}"), line


def _check(
    _info: FieldInfo, _kind: object, _optional: bool, changed: Changed
) -> tuple[Callable[[Any], None], QWidget]:
    box = QCheckBox("yes")
    box.toggled.connect(changed)
    return box.setChecked, box


def _choice(
    _info: FieldInfo, kind: object, _optional: bool, changed: Changed
) -> tuple[Callable[[Any], None], QWidget]:
    box = QComboBox()
    for option in typing.get_args(kind):
        words = (
            {True: "yes", False: "no"}.get(option) if isinstance(option, bool) else option.replace("_", " ")
        )
        box.addItem(str(words), option)
    box.activated.connect(lambda _: changed(box.currentData()))

    def show(value: object) -> None:
        box.setCurrentIndex(next(i for i in range(box.count()) if box.itemData(i) == value))

    return show, box


def _words(
    _info: FieldInfo, kind: object, _optional: bool, changed: Changed
) -> tuple[Callable[[Any], None], QWidget]:
    line = QLineEdit()
    numbers = typing.get_args(kind)[:1] == (int,)

    def left() -> None:
        if line.isModified():
            line.setModified(False)
            words = [word.strip() for word in line.text().split(",") if word.strip()]
            changed([int(word) if numbers and word.isdecimal() else word for word in words])

    line.editingFinished.connect(left)
    return lambda value: line.setText(", ".join(map(str, value))), line


def _text(
    _info: FieldInfo, _kind: object, optional: bool, changed: Changed
) -> tuple[Callable[[Any], None], QWidget]:
    line = QLineEdit()

    def left() -> None:
        if line.isModified():
            line.setModified(False)
            changed(line.text().strip() or (None if optional else ""))

    line.editingFinished.connect(left)
    return lambda value: line.setText(value or ""), line


_MAKERS: Mapping[str, Maker] = {
    "bool": _check,
    "int": _integer,
    "float": _number,
    "literal": _choice,
    "tuple": _words,
    "str": _text,
}


def _family(kind: Any) -> str:  # noqa: ANN401 - a type or a special form
    origin = typing.get_origin(kind)
    if origin is Literal:
        return "literal"
    return str((origin or kind).__name__)


def _plain_type(annotation: Any) -> tuple[Any, bool]:  # noqa: ANN401
    """A type without ``| None``, and whether it had one."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        parts = [part for part in typing.get_args(annotation) if part is not types.NoneType]
        return parts[0], True
    return annotation, False


def _bounds(info: FieldInfo) -> tuple[float, float]:
    low, high = 0.0, float(_MAX_INT)
    for constraint in info.metadata:
        low = getattr(constraint, "ge", low)
        high = getattr(constraint, "le", high)
    return low, high
