"""Find and replace below the editor, with regular expressions and a count."""

import re
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from PySide6.QtCore import QEvent, QObject, QRegularExpression, Qt
from PySide6.QtGui import QColor, QKeyEvent, QTextCursor
from PySide6.QtWidgets import QCheckBox, QGridLayout, QHBoxLayout, QLabel, QLineEdit, QToolButton, QWidget

from ocrstudio.ui.icons import icon
from ocrstudio.ui.labels.editor import LabelEditor
from ocrstudio.ui.theme import theme
from ocrstudio.ui.widgets.buttons import push_button
from ocrstudio.ui.widgets.layouts import Edge, style_bar

_MARKED = 2_000
_REFERENCE = re.compile(r"\\(\d|n|t|\\)")


@dataclass(frozen=True)
class Found:
    """A match: UTF-16 span and the captured groups, the whole match first."""

    start: int
    end: int
    groups: tuple[str, ...]


def find_all(text: str, pattern: str, *, regex: bool, case: bool) -> list[Found] | str:
    """All matches in a text, or a sentence why the expression is wrong.

    Qt's engine gives up on an expression that would take forever, which Python's does not.
    """
    if not pattern:
        return []
    option = QRegularExpression.PatternOption
    options = option.MultilineOption | option.UseUnicodePropertiesOption
    if not case:
        options |= option.CaseInsensitiveOption
    expression = QRegularExpression(pattern if regex else QRegularExpression.escape(pattern), options)
    if not expression.isValid():
        return f"{expression.errorString()} (at character {expression.patternErrorOffset() + 1})"
    matches = expression.globalMatch(text)
    found = []
    while matches.hasNext():
        match = matches.next()
        if match.capturedLength() > 0:
            found.append(Found(match.capturedStart(), match.capturedEnd(), tuple(match.capturedTexts())))
    return found


def expand(template: str, groups: tuple[str, ...], *, regex: bool) -> str:
    r"""The replacement of a match.

    With ``regex``, ``\1`` is the first group, and ``\n`` and ``\t`` are a line break and a tab.
    """
    if not regex:
        return template

    def part(match: re.Match[str]) -> str:
        mark = match.group(1)
        if mark.isdigit():
            return groups[int(mark)] if int(mark) < len(groups) else ""
        return {"n": "\n", "t": "\t"}.get(mark, mark)

    return _REFERENCE.sub(part, template)


class FindBar(QWidget):
    """The bar. It works on the page that the editor shows."""

    def __init__(self, editor: LabelEditor) -> None:
        super().__init__()
        self._editor = editor
        self._pattern = QLineEdit()
        self._pattern.setPlaceholderText("Find")
        self._pattern.setAccessibleName("Find")
        self._replacement = QLineEdit()
        self._replacement.setPlaceholderText("Replace with")
        self._replacement.setAccessibleName("Replace with")
        self._case = QCheckBox("Match case")
        self._regex = QCheckBox("Regular expression")
        self._count = QLabel()
        self._count.setProperty("role", "muted")
        self._replace_widgets: tuple[QWidget, ...] = ()
        self._found: list[Found] = []
        self._problem = ""
        self._lay_out()
        self._pattern.textChanged.connect(self._refresh)
        self._case.toggled.connect(self._refresh)
        self._regex.toggled.connect(self._refresh)
        self._editor.page_shown.connect(self._refresh)
        self._editor.textChanged.connect(self._refresh)
        self._editor.selectionChanged.connect(self._show_position)
        self._pattern.installEventFilter(self)
        self._replacement.installEventFilter(self)
        self.hide()

    def _lay_out(self) -> None:
        style_bar(self, Edge.ABOVE)
        self._tools = {
            "up": self._tool("Previous match (Shift+Enter)", lambda: self.step(-1)),
            "down": self._tool("Next match (Enter)", lambda: self.step(1)),
            "close": self._tool("Close (Esc)", self.close_bar),
        }
        self.restyle()
        replace = push_button("Replace", self.replace_one)
        replace_all = push_button("Replace all", self.replace_all)
        options = QHBoxLayout()
        options.setSpacing(14)
        for box in (self._case, self._regex):
            options.addWidget(box)
        options.addStretch(1)
        options.addWidget(self._count)
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        for button in self._tools.values():
            buttons.addWidget(button)
        replacing = QHBoxLayout()
        replacing.setSpacing(6)
        replacing.addWidget(replace)
        replacing.addWidget(replace_all)
        grid = QGridLayout(self)
        grid.setContentsMargins(10, 8, 10, 8)
        grid.setSpacing(6)
        grid.addWidget(self._pattern, 0, 0)
        grid.addLayout(buttons, 0, 1, Qt.AlignmentFlag.AlignRight)
        grid.addWidget(self._replacement, 1, 0)
        grid.addLayout(replacing, 1, 1)
        grid.addLayout(options, 2, 0, 1, 2)
        self._replace_widgets = (self._replacement, replace, replace_all)
        order = (self._pattern, *self._replace_widgets, *self._tools.values(), self._case, self._regex)
        for first, second in pairwise(order):
            self.setTabOrder(first, second)

    @staticmethod
    def _tool(tip: str, clicked: Callable[[], object]) -> QToolButton:
        button = QToolButton()
        button.setProperty("flat", "true")
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.clicked.connect(lambda _checked=False: clicked())
        return button

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        for name, button in self._tools.items():
            button.setIcon(icon(name))

    # Intent

    def open_bar(self, *, replace: bool) -> None:
        """Shows the bar with the selected words in it."""
        selected = self._editor.textCursor().selectedText()
        if selected and "\u2029" not in selected:
            self._pattern.setText(selected)
        for widget in self._replace_widgets:
            widget.setVisible(replace)
        self.show()
        self._pattern.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._pattern.selectAll()
        self._refresh()

    def close_bar(self) -> None:
        """Hides the bar and goes back to the text."""
        self.hide()
        self._editor.set_marks("found", [])
        self._editor.setFocus(Qt.FocusReason.OtherFocusReason)

    def step(self, direction: int) -> None:
        """Selects the next (1) or previous (-1) match, round the end."""
        found = self._matches()
        if not found:
            return
        cursor = self._editor.textCursor()
        if direction > 0:
            place = cursor.selectionEnd()
            chosen = next((one for one in found if one.start >= place), found[0])
        else:
            place = cursor.selectionStart()
            chosen = next((one for one in reversed(found) if one.end <= place), found[-1])
        self._select(chosen)

    def replace_one(self) -> None:
        """Replaces the selected match and goes on to the next; without one, only goes there."""
        cursor = self._editor.textCursor()
        span = (cursor.selectionStart(), cursor.selectionEnd())
        match = next((one for one in self._matches() if (one.start, one.end) == span), None)
        if match is not None:
            cursor.insertText(expand(self._replacement.text(), match.groups, regex=self._regex.isChecked()))
            self._editor.setTextCursor(cursor)
        self.step(1)

    def replace_all(self) -> None:
        """Replaces every match as one step of the undo history."""
        found = self._matches()
        cursor = QTextCursor(self._editor.document())
        cursor.beginEditBlock()
        for match in reversed(found):
            cursor.setPosition(match.start)
            cursor.setPosition(match.end, QTextCursor.MoveMode.KeepAnchor)
            cursor.insertText(expand(self._replacement.text(), match.groups, regex=self._regex.isChecked()))
        cursor.endEditBlock()
        self._count.setText(f"{len(found):,} replaced")

    # State

    def _result(self) -> list[Found] | str:
        return find_all(
            self._editor.text,
            self._pattern.text(),
            regex=self._regex.isChecked(),
            case=self._case.isChecked(),
        )

    def _matches(self) -> list[Found]:
        result = self._result()
        return [] if isinstance(result, str) else result

    def _refresh(self) -> None:
        if self.isHidden():
            return
        result = self._result()
        self._problem = result if isinstance(result, str) else ""
        self._found = [] if isinstance(result, str) else result
        self._count.setText(self._problem)
        self._count.setStyleSheet(f"color: {theme().red}" if self._problem else "")
        self._show_position()
        colour = QColor(theme().found)
        self._editor.set_marks("found", [(self._cursor(match), colour) for match in self._found[:_MARKED]])

    def _show_position(self) -> None:
        """Which match is selected, of how many."""
        if self.isHidden() or self._problem or not self._pattern.text():
            return
        cursor = self._editor.textCursor()
        span = (cursor.selectionStart(), cursor.selectionEnd())
        place = bisect_left(self._found, span[0], key=lambda match: match.start)
        chosen = place < len(self._found) and (self._found[place].start, self._found[place].end) == span
        count = _count_words(len(self._found))
        self._count.setText(f"{place + 1:,} of {len(self._found):,}" if chosen else count)

    def _cursor(self, match: Found) -> QTextCursor:
        cursor = QTextCursor(self._editor.document())
        cursor.setPosition(match.start)
        cursor.setPosition(match.end, QTextCursor.MoveMode.KeepAnchor)
        return cursor

    def _select(self, match: Found) -> None:
        self._editor.setTextCursor(self._cursor(match))
        self._editor.ensureCursorVisible()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc closes, whatever part of the bar has the focus."""
        if event.key() == Qt.Key.Key_Escape:
            self.close_bar()
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Enter steps, Shift+Enter steps back."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
            if enter and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
                self.step(-1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1)
                return True
        return super().eventFilter(watched, event)


def _count_words(count: int) -> str:
    return "no match" if count == 0 else "1 match" if count == 1 else f"{count:,} matches"
