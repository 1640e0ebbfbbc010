"""A question with two answers. It blocks nothing: what runs goes on, and the window can be used meanwhile."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget


def ask(
    parent: QWidget,
    title: str,
    text: str,
    consequences: str,
    answers: tuple[str, str],
    agreed: Callable[[], object],
) -> QMessageBox:
    """Shows a question; doing nothing is the answer of the Enter and Escape keys.

    Args:
        parent: Where it belongs.
        title: Title of its window.
        text: The question.
        consequences: What follows from agreeing.
        answers: Words for doing it, and for leaving everything as it is.
        agreed: Called when it shall be done.

    Returns:
        The question, which deletes itself when it is closed.
    """
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle(title)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(text)
    box.setInformativeText(consequences)
    do, leave = answers
    box.addButton(do, QMessageBox.ButtonRole.AcceptRole).clicked.connect(agreed)
    box.setDefaultButton(box.addButton(leave, QMessageBox.ButtonRole.RejectRole))
    box.setModal(False)
    box.show()
    return box
