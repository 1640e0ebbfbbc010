"""Two rendered texts side by side with their differences marked."""

from PySide6.QtGui import QColor, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QTextEdit

from ocrstudio.evaluation.diff import ChangeKind
from ocrstudio.ui.labels.differences import word_changes
from ocrstudio.ui.labels.positions import Utf16Map
from ocrstudio.ui.labels.preview import Preview
from ocrstudio.ui.theme import theme


def mark_differences(reference: Preview, prediction: Preview) -> None:
    """Marks what the other one lacks: red and struck out on the left, green and underlined on the right.

    The rendered words are compared, so markup that renders equal is no difference.
    """
    left, right = reference.toPlainText(), prediction.toPlainText()
    changes = [change for change in word_changes(left, right) if change.kind is not ChangeKind.EQUAL]
    _mark(reference, left, [change.left for change in changes], added=False)
    _mark(prediction, right, [change.right for change in changes], added=True)


def _mark(view: Preview, text: str, spans: list[tuple[int, int]], *, added: bool) -> None:
    style = QTextCharFormat()
    style.setBackground(QColor(theme().added if added else theme().removed))
    style.setFontUnderline(added)
    style.setFontStrikeOut(not added)
    places = Utf16Map(text)
    selections = []
    for start, end in spans:
        if end > start:
            selection = QTextEdit.ExtraSelection()
            selection.format = style
            cursor = QTextCursor(view.document())
            cursor.setPosition(places.to_qt(start))
            cursor.setPosition(places.to_qt(end), QTextCursor.MoveMode.KeepAnchor)
            selection.cursor = cursor
            selections.append(selection)
    view.setExtraSelections(selections)
