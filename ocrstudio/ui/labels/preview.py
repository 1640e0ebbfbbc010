"""The rendered label: drawn in the background; no network, no scripts, no files outside the workspace."""

from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QSize, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QColor, QImage, QImageReader, QPalette, QTextDocument
from PySide6.QtWidgets import QTextBrowser
from shiboken6 import isValid

from ocrstudio.ui.background import Background
from ocrstudio.ui.labels.maths import Formula, draw
from ocrstudio.ui.theme import Theme, theme

_MATHS_SIZE = 18.0
_MAX_PICTURE = 1_200
_EMPTY = "The label of this page is empty."
_FLAT = 2.5  # pixels below the line of text that nobody sees


@dataclass(frozen=True)
class Rendered:
    """HTML and the pictures of its formulas by their address."""

    body: str
    pictures: dict[str, QImage] = field(default_factory=dict)


def render(text: str, colour: str) -> Rendered:
    """Renders a label (called in a pool thread).

    Args:
        text: Markdown.
        colour: Colour of formulas.
    """
    from ocrstudio.ui.labels.markdown_html import (  # not on the way to the window
        show_source,
        stand_on_line,
        to_safe_html,
    )

    safe = to_safe_html(text)
    body = safe.body
    pictures: dict[str, QImage] = {}
    for number, formula in enumerate(safe.formulas):
        size = _MATHS_SIZE * (1.1 if formula.display else 1.0)
        drawn = draw(Formula(formula.source, formula.display, size, colour))
        if drawn is None:
            body = show_source(body, number, formula)
        else:
            pictures[f"maths:{number}"] = drawn.image
            if drawn.descent < _FLAT:
                body = stand_on_line(body, number)
    return Rendered(body, pictures)


class Preview(QTextBrowser):
    """Shows a rendered label; it draws only while it can be seen.

    Signals:
        drawn: The text asked for last is on the screen.
    """

    drawn = Signal()

    def __init__(self, background: Background) -> None:
        super().__init__()
        self._background = background
        self._pictures: dict[str, QImage] = {}
        self._root: Path | None = None
        self._text = ""
        self._shown: tuple[str, bool] | None = None
        self._drawing = False
        self.setOpenLinks(False)
        self.setOpenExternalLinks(False)
        self.setAccessibleName("Preview")
        self.setPlaceholderText(_EMPTY)
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.setInterval(300)
        self._delay.timeout.connect(self._draw)
        self.document().setDocumentMargin(18)
        font = self.font()
        font.setPointSizeF(font.pointSizeF() * 1.1)
        self.setFont(font)

    def set_delay(self, milliseconds: int) -> None:
        """Sets the quiet time after typing before it is drawn again."""
        self._delay.setInterval(milliseconds)

    def set_root(self, root: Path | None) -> None:
        """Sets the only folder from which pictures are shown."""
        self._root = root

    def show_text(self, text: str, *, new_page: bool) -> None:
        """Shows a label.

        Args:
            text: Markdown.
            new_page: Draw at once and begin at the top; otherwise wait for a pause and stay at the same
                place.
        """
        self._text = text
        self.setPlaceholderText("Drawing\N{HORIZONTAL ELLIPSIS}" if text.strip() else _EMPTY)
        if new_page:
            self._shown = None
            self.verticalScrollBar().setValue(0)
        if not self.isVisible():
            return
        self._delay.start(0 if new_page else self._delay.interval())

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        self._shown = None
        if self.isVisible():
            self._draw()

    def showEvent(self, event: object) -> None:
        """Draws what changed while it was hidden."""
        super().showEvent(event)  # type: ignore[arg-type]
        self._draw()

    @property
    def is_current(self) -> bool:
        """Whether the text asked for last is the one that is shown."""
        return self._shown == (self._text, theme().dark)

    def _draw(self) -> None:
        if self._drawing or self.is_current:
            return
        self._drawing = True
        wanted = (self._text, theme().dark)
        text, colour = self._text, theme().text

        def done(rendered: Rendered) -> None:
            if not isValid(self):  # the window was closed meanwhile
                return
            self._drawing = False
            self._show(rendered)
            self._shown = wanted
            if self.is_current:
                self.drawn.emit()
            else:
                self._draw()  # typing went on meanwhile

        self._background.run(lambda _: render(text, colour), done)

    def _show(self, rendered: Rendered) -> None:
        place = self.verticalScrollBar().value()
        self._pictures = rendered.pictures
        self.document().setDefaultStyleSheet(_style(theme()))
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Text, QColor(theme().text))
        self.setPalette(palette)
        self.setHtml(rendered.body)
        self.verticalScrollBar().setValue(place)

    def loadResource(self, kind: int, name: QUrl | str) -> object:
        """Formulas, and pictures inside the workspace; everything else does not exist."""
        address = name.toString() if isinstance(name, QUrl) else str(name)
        if kind != QTextDocument.ResourceType.ImageResource.value:
            return None
        if address in self._pictures:
            return self._pictures[address]
        return self._local_picture(address)

    def _local_picture(self, address: str) -> QImage:
        missing = QImage(1, 1, QImage.Format.Format_ARGB32)
        missing.fill(Qt.GlobalColor.transparent)
        if self._root is None or QUrl(address).scheme():
            return missing
        path = (self._root / address).resolve()
        if not path.is_relative_to(self._root.resolve()) or not path.is_file():
            return missing
        reader = QImageReader(str(path))
        size = reader.size()
        if size.width() > _MAX_PICTURE or size.height() > _MAX_PICTURE:
            reader.setScaledSize(
                size.scaled(QSize(_MAX_PICTURE, _MAX_PICTURE), Qt.AspectRatioMode.KeepAspectRatio)
            )
        image = reader.read()
        return missing if image.isNull() else image


def _style(colours: Theme) -> str:
    return (
        f"body {{ color: {colours.text}; }} a {{ color: {colours.accent}; text-decoration: none; }}"
        f"h1 {{ font-size: 20px; }} h2 {{ font-size: 17px; }} h3, h4, h5, h6 {{ font-size: 15px; }}"
        f"table {{ border-collapse: collapse; border: 1px solid {colours.border}; margin: 6px 0; }}"
        f"td, th {{ border: 1px solid {colours.border}; padding: 4px 8px; }}"
        f"th {{ background-color: {colours.window}; }}"
        f"code, pre {{ background-color: {colours.window}; color: {colours.code}; }}"
        f"blockquote {{ color: {colours.muted}; }}"
    )
