"""The middle of the window: the page view and a slim bar with page number and zoom below it."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QIntValidator
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QWidget

from ocrstudio.ui.actions import ActionBook
from ocrstudio.ui.icons import pixmap
from ocrstudio.ui.theme import theme
from ocrstudio.ui.viewer.page_view import PageView, ZoomMode
from ocrstudio.ui.widgets.buttons import action_button
from ocrstudio.ui.widgets.layouts import Edge, bar, fill

_BUTTONS = (
    "page.previous",
    "page.next",
    "view.regions",
    "view.fit_page",
    "view.fit_width",
    "view.zoom_out",
    "view.zoom_in",
)
_FIT_PAGE, _FIT_WIDTH = "Fit page", "Fit width"
_PERCENTS = ("50 %", "75 %", "100 %", "150 %", "200 %", "400 %")


class ViewerPanel(QWidget):
    """Shows a page and emits where the user wants to go.

    Signals:
        page_chosen: Zero-based index of the page in its document.
    """

    page_chosen = Signal(int)

    def __init__(self, actions: ActionBook) -> None:
        super().__init__()
        self.view = PageView(self)
        self._actions = actions
        self._page = QLineEdit()
        self._numbers = QIntValidator(1, 1, self)
        self._page.setValidator(self._numbers)
        self._page.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._page.setFixedWidth(52)
        self._page.setToolTip("Page number in this document (Ctrl+G)")
        self._page.setAccessibleName("Page number")
        self._count = QLabel("of 0")
        self._warning = QLabel()
        self._warning.setVisible(False)
        self._zoom = QComboBox()
        self._zoom.setEditable(True)
        self._zoom.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self._zoom.addItems([_FIT_PAGE, _FIT_WIDTH, *_PERCENTS])
        self._zoom.setFixedWidth(84)
        self._zoom.setToolTip("Zoom")
        self._zoom.setAccessibleName("Zoom")
        self._lay_out()
        self._page.returnPressed.connect(lambda: self.page_chosen.emit(int(self._page.text()) - 1))
        self._zoom.textActivated.connect(self._choose_zoom)
        line = self._zoom.lineEdit()
        if line is not None:
            line.returnPressed.connect(lambda: self._choose_zoom(self._zoom.currentText()))
        self.view.zoom_changed.connect(self._show_zoom)

    def _lay_out(self) -> None:
        previous, following, regions, page, width, out, closer = (
            action_button(self._actions[name]) for name in _BUTTONS
        )
        foot = bar(
            Edge.ABOVE,
            *(previous, self._page, self._count, following, self._warning),
            None,
            *(regions, page, width, out, self._zoom, closer),
            margins=(10, 5, 10, 5),
            spacing=4,
        )
        fill(self, self.view, foot, wide=self.view)

    def show_position(self, index: int, count: int) -> None:
        """Shows which page of how many this is."""
        self._numbers.setRange(1, max(1, count))
        self._page.setText(str(index + 1) if count else "")
        self._page.setEnabled(count > 0)
        self._count.setText(f"of {count}")

    def show_warnings(self, warnings: tuple[str, ...]) -> None:
        """Shows a sign with the remarks about the page's picture, or none."""
        self._warning.setPixmap(pixmap("warning", theme().orange))
        self._warning.setToolTip("\n".join(warnings))
        self._warning.setVisible(bool(warnings))

    def focus_page_number(self) -> None:
        """Puts the caret into the page number."""
        self._page.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._page.selectAll()

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        self.view.restyle()

    def _choose_zoom(self, text: str) -> None:
        fits = {_FIT_PAGE: self.view.fit_page, _FIT_WIDTH: self.view.fit_width}
        number = text.replace("%", "").replace(",", ".").strip()
        if text in fits:
            fits[text]()
        elif number.replace(".", "", 1).isdigit():
            self.view.zoom_to(float(number) / 100)
        else:
            self._show_zoom(self.view.zoom)

    def _show_zoom(self, factor: float) -> None:
        names = {ZoomMode.FIT_PAGE: _FIT_PAGE, ZoomMode.FIT_WIDTH: _FIT_WIDTH}
        self._zoom.setEditText(f"{round(factor * 100)} %")
        self._zoom.setToolTip(f"Zoom ({names.get(self.view.mode, 'free')})")
