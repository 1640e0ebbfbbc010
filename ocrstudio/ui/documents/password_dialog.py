"""Asks for the password of encrypted PDFs; not modal, so that labelling goes on meanwhile."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QLineEdit, QVBoxLayout, QWidget

from ocrstudio.domain.wording import some_of
from ocrstudio.ui.theme import theme
from ocrstudio.ui.widgets.notes import note

_NAMED = 4
_KEPT = (
    "The copy in the workspace is kept without a password, and the password is not kept at all: "
    "protect the workspace like the original."
)


class PasswordDialog(QDialog):
    """Asks for one password for one or more files.

    Args:
        parent: The window.
        files: The encrypted files.
        wrong: Whether a password was tried that did not open them.

    Signals:
        given: The password.
    """

    given = Signal(str)

    def __init__(self, parent: QWidget, files: Sequence[Path], *, wrong: bool) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Password")
        self.setMinimumWidth(420)
        words = QLabel(_question(files))
        words.setWordWrap(True)
        words.setTextFormat(Qt.TextFormat.PlainText)
        self.field = QLineEdit()
        self.field.setEchoMode(QLineEdit.EchoMode.Password)
        self.field.setAccessibleName("Password")
        refused = QLabel("That password does not open it." if len(files) == 1 else _REFUSED)
        refused.setStyleSheet(f"color: {theme().red}")
        refused.setVisible(wrong)
        buttons = QDialogButtonBox()
        self.confirm = buttons.addButton("Import", QDialogButtonBox.ButtonRole.AcceptRole)
        self.leave_out = buttons.addButton("Leave out", QDialogButtonBox.ButtonRole.RejectRole)
        self.confirm.setEnabled(False)
        self.field.textChanged.connect(lambda text: self.confirm.setEnabled(bool(text)))
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self.accepted.connect(lambda: self.given.emit(self.field.text()))
        column = QVBoxLayout(self)
        column.setSpacing(10)
        for widget in (words, self.field, refused, note(_KEPT), buttons):
            column.addWidget(widget)


_REFUSED = "That password does not open them."


def _question(files: Sequence[Path]) -> str:
    if len(files) == 1:
        return f"{files[0].name} is encrypted. What is its password?"
    names = some_of([path.name for path in files], _NAMED)
    return f"{names} are encrypted. What is their password? Those with another one are asked for next."
