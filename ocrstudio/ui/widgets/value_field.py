"""Editors for the fields of a pydantic model: one widget for each type, with its bounds and description.

A field may name another editor in its ``json_schema_extra`` (``{"editor": "file"}``), and bring a title.
"""

import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QFont, QWheelEvent
from PySide6.QtWidgets import QCheckBox, QFontComboBox, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from ocrstudio.ui.widgets.fields import Choice, Count, share_field
from ocrstudio.ui.widgets.form_rows import FormRows
from ocrstudio.ui.widgets.notes import note, scrolling
from ocrstudio.ui.widgets.path_field import YAML_FILES, PathField, PathKind

_LEAST_WIDTH = 70
_MAX_INT = 2_147_483_647
_EMPTY = "none"
_DEFAULT_FONT = "(fixed-width font of the system)"
_WORDS = {
    "lora": "LoRA",
    "4bit": "4 bits",
    "r": "rank",
    "llm": "language model",
    "sam": "SAM",
    "optim": "optimiser",
}


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


def title_of(key: str, info: FieldInfo | None = None) -> str:
    """The title of a field, or words for its key: ``training.learning_rate`` becomes ``Learning rate``."""
    if info is not None and info.title:
        return info.title
    text = " ".join(_WORDS.get(word, word) for word in key.rpartition(".")[2].split("_"))
    return text[0].upper() + text[1:]


class ValueField(QWidget):
    """Edits the value at one key.

    Args:
        key: Dotted key.
        info: The field of the model.
        choices: What a text can be, where that is known only now.

    Attributes:
        field: The widget that is edited.

    Signals:
        edited: The key and the new value; a text that is no number is passed on for the loader to refuse.
    """

    edited = Signal(str, object)

    def __init__(self, key: str, info: FieldInfo, choices: Sequence[str] = ()) -> None:
        super().__init__()
        self.key = key
        self.title = title_of(key, info)
        self.help = info.description or ""
        kind, optional = _plain_type(info.annotation)
        if choices:
            kind = Literal[tuple(choices)]
        make = _MAKERS[_editor_of(info) or _family(kind)]
        self._show, self.field = make(info, kind, optional, lambda value: self.edited.emit(key, value))
        self.field.setToolTip(self.help)
        self.field.setAccessibleName(self.title)
        self.field.setAccessibleDescription(self.help)
        self.field.setMinimumWidth(_LEAST_WIDTH)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.field)
        self.setFocusProxy(self.field)

    def show_value(self, value: object) -> None:
        """Shows a value without emitting `edited`."""
        with QSignalBlocker(self.field):
            self._show(value)


def value_form(fields: Iterable[ValueField], about: str = "") -> QScrollArea:
    """A form of titles, fields and what they mean, which scrolls.

    Args:
        fields: From top to bottom.
        about: A sentence above them.
    """
    body = QWidget()
    rows = FormRows()
    for one in fields:
        rows.add(one.title, one)
        words = note(one.help)
        words.setContentsMargins(0, 0, 0, 10)
        rows.add("", words)
    rows.addStretch()
    column = QVBoxLayout(body)
    column.setContentsMargins(16, 14, 16, 16)
    column.setSpacing(12)
    if about:
        column.addWidget(note(about))
    column.addLayout(rows, 1)
    return scrolling(body)


Changed = Callable[[Any], None]
Made = tuple[Callable[[Any], None], QWidget]
Maker = Callable[[FieldInfo, Any, bool, Changed], Made]


def _integer(info: FieldInfo, _kind: object, optional: bool, changed: Changed) -> Made:
    box = Count("")
    low, high = _bounds(info)
    least = int(low) - 1 if optional else int(low)
    box.setRange(least, int(min(high, _MAX_INT)))
    box.setGroupSeparatorShown(True)
    box.setSpecialValueText(_EMPTY if optional else "")
    box.valueChanged.connect(lambda number: changed(None if optional and number == least else number))
    return lambda value: box.setValue(least if value is None else value), box


def _number(_info: FieldInfo, _kind: object, optional: bool, changed: Changed) -> Made:
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


def _share(_info: FieldInfo, _kind: object, _optional: bool, changed: Changed) -> Made:
    box = share_field("")
    box.valueChanged.connect(lambda percent: changed(percent / 100))
    return lambda value: box.setValue(value * 100), box


def _check(info: FieldInfo, _kind: object, optional: bool, changed: Changed) -> Made:
    if optional:
        return _choice(info, Literal[True, False], optional, changed)
    box = QCheckBox("yes")
    box.toggled.connect(changed)
    return box.setChecked, box


def _choice(_info: FieldInfo, kind: object, optional: bool, changed: Changed) -> Made:
    box = Choice("")
    options = [*([None] if optional else []), *typing.get_args(kind)]
    for option in options:
        box.addItem(_words_of(option), option)
    box.activated.connect(lambda index: changed(options[index]))

    def show(value: object) -> None:
        if value not in options:  # what is configured is shown, even where it is no choice any more
            options.append(value)
            box.addItem(str(value), value)
        box.setCurrentIndex(options.index(value))

    return show, box


def _words_of(option: str | bool | None) -> str:
    if option is None:
        return _EMPTY
    if isinstance(option, bool):
        return "yes" if option else "no"
    return option.replace("_", " ")


def _several(_info: FieldInfo, kind: object, _optional: bool, changed: Changed) -> Made:
    line = QLineEdit()
    numbers = typing.get_args(kind)[:1] == (int,)

    def left() -> None:
        if line.isModified():
            line.setModified(False)
            words = [word.strip() for word in line.text().split(",") if word.strip()]
            changed([int(word) if numbers and word.isdecimal() else word for word in words])

    line.editingFinished.connect(left)
    return lambda value: line.setText(", ".join(map(str, value))), line


def _text(_info: FieldInfo, _kind: object, optional: bool, changed: Changed) -> Made:
    line = QLineEdit()

    def left() -> None:
        if line.isModified():
            line.setModified(False)
            changed(line.text().strip() or (None if optional else ""))

    line.editingFinished.connect(left)
    return lambda value: line.setText(value or ""), line


def _file(_info: FieldInfo, _kind: object, _optional: bool, changed: Changed) -> Made:
    path = PathField(PathKind.FILE, "Choose a file", "(shipped one)", YAML_FILES)
    path.edited.connect(lambda text: changed(text or None))
    return lambda value: path.set_text(value or ""), path


class _Fonts(QFontComboBox):
    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


def _font(_info: FieldInfo, _kind: object, _optional: bool, changed: Changed) -> Made:
    box = _Fonts()
    box.setFontFilters(QFontComboBox.FontFilter.ScalableFonts)
    box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    box.insertItem(0, _DEFAULT_FONT)
    box.textActivated.connect(lambda text: changed("" if text == _DEFAULT_FONT else text))

    def show(value: str) -> None:
        if value:
            box.setCurrentFont(QFont(value))
        else:
            box.setCurrentIndex(0)

    return show, box


_MAKERS: Mapping[str, Maker] = {
    "bool": _check,
    "int": _integer,
    "float": _number,
    "literal": _choice,
    "tuple": _several,
    "str": _text,
    "file": _file,
    "font": _font,
    "share": _share,
}
"""By type of the field, or by the name of an editor that the field asks for."""


def _editor_of(info: FieldInfo) -> str:
    extra = info.json_schema_extra
    return str(extra.get("editor", "")) if isinstance(extra, dict) else ""


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
