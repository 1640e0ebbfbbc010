"""The Markdown editor: one undo history for each page, marks for regions, found text and doubtful spots."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QSignalBlocker, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFont,
    QFontDatabase,
    QKeyEvent,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
)
from PySide6.QtWidgets import QPlainTextDocumentLayout, QPlainTextEdit, QTextEdit, QWidget

from ocrstudio.ui.labels.doubts import Doubt, find_doubts
from ocrstudio.ui.labels.highlighter import MarkdownHighlighter
from ocrstudio.ui.labels.positions import Span, Utf16Map
from ocrstudio.ui.theme import theme

_KEPT_DOCUMENTS = 30
_MARGIN = 14
_PAGE_KEYS = frozenset({Qt.Key.Key_PageUp, Qt.Key.Key_PageDown})


@dataclass
class _PageDocument:
    """The text of a page with its undo history and colours."""

    document: QTextDocument
    highlighter: MarkdownHighlighter


class LabelEditor(QPlainTextEdit):
    """Edits the label of one page at a time.

    Signals:
        edited: The user changed the text.
        caret_region: Index of the region whose text holds the caret, or -1.
        left: The editor lost the focus.
        page_shown: Another page, or none, is shown.
    """

    edited = Signal()
    caret_region = Signal(int)
    left = Signal()
    page_shown = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Label (Markdown)")
        self.setPlaceholderText("Type the text of the page as Markdown, or draft it with a teacher (Ctrl+R).")
        self.setFrameShape(QPlainTextEdit.Shape.NoFrame)
        self.setTabChangesFocus(False)
        self._documents: OrderedDict[int, _PageDocument] = OrderedDict()
        self._page_id: int | None = None
        self._regions: list[QTextCursor | None] = []
        self._active_region = -1
        self._marks: dict[str, list[QTextEdit.ExtraSelection]] = {}
        # Our own empty document: the one that Qt made dies when another takes its place.
        self._blank = QTextDocument(self)
        self._blank.setDocumentLayout(QPlainTextDocumentLayout(self._blank))
        self._blank.setDocumentMargin(_MARGIN)
        self.setDocument(self._blank)
        self.textChanged.connect(self._text_changed)
        self.cursorPositionChanged.connect(self._caret_moved)
        self.set_font("", 11)
        self.setEnabled(False)

    # Pages

    @property
    def page_id(self) -> int | None:
        """The page whose text is shown."""
        return self._page_id

    @property
    def text(self) -> str:
        """The text of the page."""
        return self.toPlainText()

    def show_page(self, page_id: int, text: str) -> None:
        """Shows the text of a page; going back to a page finds its undo history again.

        Args:
            page_id: The page.
            text: Its current label. If it differs from what was here before, the change is one step of the
                history.
        """
        known = self._documents.get(page_id)
        if known is None:
            known = self._new_document(text)
            self._documents[page_id] = known
        self._documents.move_to_end(page_id)
        self._page_id = page_id
        self._clear_marks()
        with QSignalBlocker(self):
            self.setDocument(known.document)
            self._trim()
            if known.document.toPlainText() != text:
                self._replace_all(text)
        self.setEnabled(True)
        self.setReadOnly(False)
        self.page_shown.emit()

    def reload(self, text: str) -> None:
        """Puts another text in place (a new draft, a restored revision) as one step of the undo history."""
        if self.text == text:
            return
        place = self.textCursor().position()
        with QSignalBlocker(self):
            self._replace_all(text)
        cursor = self.textCursor()
        cursor.setPosition(min(place, self.document().characterCount() - 1))
        self.setTextCursor(cursor)
        self._clear_marks()

    def set_caret(self, place: int) -> None:
        """Puts the caret at a place (in Qt's units) of the text and shows it."""
        cursor = self.textCursor()
        cursor.setPosition(max(0, min(place, self.document().characterCount() - 1)))
        self.setTextCursor(cursor)
        self.centerCursor()

    def show_nothing(self) -> None:
        """Shows no page."""
        self._page_id = None
        self._clear_marks()
        with QSignalBlocker(self):
            self.setDocument(self._blank)
        self.setEnabled(False)
        self.page_shown.emit()

    def forget(self) -> None:
        """Drops the histories of all pages (another workspace)."""
        self.show_nothing()
        for known in self._documents.values():
            known.document.deleteLater()
        self._documents.clear()

    def _new_document(self, text: str) -> _PageDocument:
        document = QTextDocument(self)
        document.setDocumentLayout(QPlainTextDocumentLayout(document))
        document.setDocumentMargin(_MARGIN)
        document.setDefaultFont(self.font())
        document.setPlainText(text)
        return _PageDocument(document, MarkdownHighlighter(document))

    def _trim(self) -> None:
        while len(self._documents) > _KEPT_DOCUMENTS:
            _, oldest = self._documents.popitem(last=False)
            oldest.document.deleteLater()

    def _replace_all(self, text: str) -> None:
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.insertText(text)
        cursor.endEditBlock()

    # Look

    def set_font(self, family: str, size: int) -> None:
        """Sets the font; an empty family is the system's fixed-width one."""
        font = QFont(family) if family else QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        font.setPointSize(size)
        self.setFont(font)
        for known in self._documents.values():
            known.document.setDefaultFont(font)

    def set_wrap(self, wrap: bool) -> None:
        """Wraps long lines or not."""
        mode = QPlainTextEdit.LineWrapMode
        self.setLineWrapMode(mode.WidgetWidth if wrap else mode.NoWrap)

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        for known in self._documents.values():
            with QSignalBlocker(self):
                known.highlighter.restyle()
        self._mark_region()

    # Regions

    def set_regions(self, spans: Sequence[Span]) -> None:
        """Says where the text of each region is; the places follow the user's typing.

        Args:
            spans: (start, end) in characters for each region, (-1, -1) when it has no text.
        """
        places = Utf16Map(self.text)
        self._regions = []
        for start, end in spans:
            if start < 0:
                self._regions.append(None)
                continue
            cursor = QTextCursor(self.document())
            last = self.document().characterCount() - 1
            cursor.setPosition(min(places.to_qt(start), last))
            cursor.setPosition(min(places.to_qt(end), last), QTextCursor.MoveMode.KeepAnchor)
            self._regions.append(cursor)
        self._active_region = -1
        self._mark_region()

    def go_to_region(self, index: int) -> None:
        """Puts the caret at the beginning of a region's text and shows it."""
        span = self._regions[index] if 0 <= index < len(self._regions) else None
        self._active_region = index
        if span is not None:
            cursor = self.textCursor()
            cursor.setPosition(span.selectionStart())
            with QSignalBlocker(self):
                self.setTextCursor(cursor)
            self.centerCursor()
        self._mark_region()

    def _caret_moved(self) -> None:
        place = self.textCursor().position()
        holding = [
            (span.selectionEnd() - span.selectionStart(), index)
            for index, span in enumerate(self._regions)
            if span is not None and span.selectionStart() <= place <= span.selectionEnd()
        ]
        active = min(holding)[1] if holding else -1
        if active != self._active_region:
            self._active_region = active
            self._mark_region()
            self.caret_region.emit(active)

    def _mark_region(self) -> None:
        index = self._active_region
        span = self._regions[index] if 0 <= index < len(self._regions) else None
        colour = QColor(theme().selection)
        colour.setAlpha(110)
        self.set_marks("region", [] if span is None else [(QTextCursor(span), colour)])

    # Marks and doubtful spots

    def set_marks(self, kind: str, marks: Sequence[tuple[QTextCursor, QColor]]) -> None:
        """Paints backgrounds behind the text; each kind replaces only its own."""
        selections = []
        for cursor, colour in marks:
            style = QTextCharFormat()
            style.setBackground(colour)
            selection = QTextEdit.ExtraSelection()
            selection.cursor = cursor
            selection.format = style
            selections.append(selection)
        self._marks[kind] = selections
        self.setExtraSelections([one for some in self._marks.values() for one in some])

    def go_to_doubt(self, step: int) -> Doubt | None:
        """Selects the next (1) or previous (-1) doubtful spot, round the end; None when there is none."""
        text = self.text
        doubts = find_doubts(text)
        if not doubts:
            return None
        places = Utf16Map(text)
        here = places.from_qt(self.textCursor().selectionStart())
        if step > 0:
            chosen = next((doubt for doubt in doubts if doubt.start > here), doubts[0])
        else:
            chosen = next((doubt for doubt in reversed(doubts) if doubt.start < here), doubts[-1])
        cursor = self.textCursor()
        cursor.setPosition(places.to_qt(chosen.start))
        cursor.setPosition(places.to_qt(chosen.end), QTextCursor.MoveMode.KeepAnchor)
        self.setTextCursor(cursor)
        self.centerCursor()
        return chosen

    def _clear_marks(self) -> None:
        self._regions = []
        self._active_region = -1
        self._marks.clear()
        self.setExtraSelections([])

    # Events

    def _text_changed(self) -> None:
        if self._page_id is not None and not self.isReadOnly():
            self.edited.emit()

    def event(self, event: QEvent) -> bool:
        """Leaves PageUp and PageDown to the window: they turn pages, also while typing."""
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() in _PAGE_KEYS
            and event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
        ):
            event.ignore()
            return False
        return super().event(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Tells that the editor was left, so that it can be saved."""
        super().focusOutEvent(event)
        self.left.emit()
