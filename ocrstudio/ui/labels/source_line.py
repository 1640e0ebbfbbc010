"""The line above the editor: status, origin of the text, number of revisions, and whether it is saved."""

from enum import StrEnum

from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ocrstudio.domain.document import Page
from ocrstudio.domain.label import Revision
from ocrstudio.domain.wording import count_of
from ocrstudio.ui.icons import pixmap
from ocrstudio.ui.labels.history import describe
from ocrstudio.ui.pages.status import STATUS_LOOKS
from ocrstudio.ui.theme import theme
from ocrstudio.ui.widgets.elided_label import ElidedLabel
from ocrstudio.ui.widgets.layouts import Edge, style_bar


class SaveState(StrEnum):
    """Whether what is typed is on the disk."""

    SAVED = "Saved"
    TYPING = "Typing…"
    FAILED = "Not saved"


_SAVE_COLOURS = {SaveState.SAVED: "green", SaveState.TYPING: "muted", SaveState.FAILED: "red"}
_SAVE_ICONS = {SaveState.SAVED: "accepted", SaveState.TYPING: "in_review", SaveState.FAILED: "failed"}


class SourceLine(QWidget):
    """Shows facts about the label of the page."""

    def __init__(self) -> None:
        super().__init__()
        style_bar(self, Edge.BELOW)
        self._icon = QLabel()
        self._word = QLabel()
        self._source = ElidedLabel()
        self._source.setProperty("role", "muted")
        self._save_icon = QLabel()
        self._save = QLabel()
        self._note = QLabel()
        self._note.setWordWrap(True)
        self._note.hide()
        self._page: Page | None = None
        self._save_state = SaveState.SAVED
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self._icon)
        row.addWidget(self._word)
        row.addSpacing(6)
        row.addWidget(self._source, 1)
        row.addWidget(self._save_icon)
        row.addWidget(self._save)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 7, 12, 7)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self._note)
        self.clear()

    def show_page(self, page: Page, current: Revision | None, revisions: int) -> None:
        """Shows the state of a page.

        Args:
            page: The page.
            current: Its current revision.
            revisions: Number of revisions kept.
        """
        self._page = page
        look = STATUS_LOOKS[page.status]
        self._word.setText(look.word)
        count = count_of(revisions, "revision")
        self._source.setText(f"{describe(current)} · {count}" if current is not None else "No label yet")
        self._note.setText(f"{look.word}: {page.note}")
        self._note.setVisible(bool(page.note))
        self._paint()
        for widget in (self._icon, self._word, self._save, self._save_icon):
            widget.show()

    def show_saved(self, state: SaveState, detail: str = "") -> None:
        """Shows whether the text is saved."""
        self._save_state = state
        self._save.setText(state.value)
        self._paint()
        for widget in (self._save, self._save_icon):
            widget.setToolTip(detail)

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        self._paint()

    def _paint(self) -> None:
        if self._save.text():  # nothing is said about saving before there was something to save
            colour = str(getattr(theme(), _SAVE_COLOURS[self._save_state]))
            self._save_icon.setPixmap(pixmap(_SAVE_ICONS[self._save_state], colour, 14))
            self._save.setStyleSheet(f"color: {colour}")
        if self._page is not None:
            look = STATUS_LOOKS[self._page.status]
            self._icon.setPixmap(pixmap(look.icon, look.colour))
            self._word.setStyleSheet(f"color: {look.colour}; font-weight: 600")
            self._note.setStyleSheet(f"color: {look.colour}")

    @property
    def save_state(self) -> SaveState:
        """What is shown about saving."""
        return self._save_state

    @property
    def words(self) -> str:
        """Status, source and note as one text, as a reader sees them."""
        parts = [self._word.text(), self._source.text(), "" if self._note.isHidden() else self._note.text()]
        return " · ".join(part for part in parts if part)

    def clear(self) -> None:
        """Shows no page."""
        self._page = None
        self._source.setText("No page")
        for widget in (self._icon, self._word, self._save, self._save_icon, self._note):
            widget.hide()
