"""Buttons in the style of the window."""

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPushButton, QSizePolicy, QToolButton


def action_button(action: QAction) -> QToolButton:
    """A flat button with an action's icon; the tool tip shows its words and first key."""
    button = QToolButton()
    button.setDefaultAction(action)
    button.setProperty("flat", "true")
    button.setIconSize(QSize(18, 18))
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
    words = plain_text(action)
    button.setAccessibleName(words)
    keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
    action.setToolTip(f"{words} ({keys})" if keys else words)
    return button


def labelled_button(action: QAction, text: str = "", *, primary: bool = False) -> QPushButton:
    """A button with words that triggers an action and follows its availability."""
    words = text or plain_text(action)
    button = QPushButton(words if primary else f" {words}")  # Qt puts icon and words close together
    button.setProperty("primary", "true" if primary else "false")
    button.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)  # words are never cut
    keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
    if keys:
        button.setToolTip(f"{plain_text(action)} ({keys})")
    if not primary:
        button.setIcon(action.icon())
        action.changed.connect(lambda: button.setIcon(action.icon()))  # the theme may have changed it
    button.clicked.connect(action.trigger)
    button.setEnabled(action.isEnabled())
    action.enabledChanged.connect(button.setEnabled)
    return button


def push_button(text: str, clicked: Callable[[], object], *, primary: bool = False) -> QPushButton:
    """A button with words that calls a function."""
    button = QPushButton(text)
    button.setProperty("primary", "true" if primary else "false")
    button.clicked.connect(lambda _checked=False: clicked())
    return button


def dialog_buttons(
    dialog: QDialog, words: str, wanted: Callable[[], object]
) -> tuple[QDialogButtonBox, QPushButton]:
    """The buttons of a dialog of choices: the one that starts what is chosen, and Cancel.

    Returns:
        The row, and the button that starts.
    """
    row = QDialogButtonBox()
    start = row.addButton(words, QDialogButtonBox.ButtonRole.AcceptRole)
    start.setProperty("primary", "true")
    row.addButton(QDialogButtonBox.StandardButton.Cancel)
    row.accepted.connect(wanted)
    row.rejected.connect(dialog.reject)
    return row, start


def plain_text(action: QAction) -> str:
    """The words of an action without the mark of the access key and the ellipsis."""
    return action.text().replace("&", "").removesuffix("…")
