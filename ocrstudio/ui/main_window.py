"""The main window: where things are, and what is remembered of their sizes."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QCloseEvent, QGuiApplication
from PySide6.QtWidgets import (
    QApplication,
    QMainWindow,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ocrstudio.ui.actions import ActionBook
from ocrstudio.ui.background import Background
from ocrstudio.ui.bottom_area import BottomArea
from ocrstudio.ui.file_drops import FileDrops
from ocrstudio.ui.icons import app_icon
from ocrstudio.ui.labels.panel import LabelPanel
from ocrstudio.ui.menus import build_menus
from ocrstudio.ui.messages import Message
from ocrstudio.ui.pages.panel import PagesPanel
from ocrstudio.ui.start_page import StartPage
from ocrstudio.ui.viewer.panel import ViewerPanel
from ocrstudio.ui.widgets.message_stack import MessageStack
from ocrstudio.ui.widgets.task_rows import TaskRows
from ocrstudio.ui.window_state import WindowState

_TITLE = "OCR Studio"
_SIZE = (1480, 920)
_PANES = [270, 640, 560]
_HEIGHTS = [540, 340]
_PAGE_MENU = (
    "review.accept",
    "review.flag",
    "review.exclude",
    "review.reopen",
    "page.draft",
    "documents.remove",
)
_DOCUMENT_MENU = ("documents.remove",)


class MainWindow(QMainWindow):
    """Arranges the panels; it knows no service.

    Signals:
        activated: The window has become the active one.
        closed: The window is closed.

    Attributes:
        may_close: Asked before closing; False keeps the window open.
        pages, viewer, labels: The three panes.
        bottom: The panels below them.
        submenus: Menus that are filled when they open, by their name in `menus.SUBMENUS`.
        start: The start page.
        drops: Takes files that are dropped anywhere on the window.
        message_stack, tasks: What is happening.
    """

    activated = Signal()
    closed = Signal()

    def __init__(self, background: Background, state: WindowState) -> None:
        super().__init__()
        self._state = state
        self.may_close: Callable[[], bool] = lambda: True
        self.book = ActionBook(self)
        self.setWindowIcon(app_icon())
        self.tasks = TaskRows()
        self.start = StartPage(self.book)
        self.pages = PagesPanel(
            self.book.some(_PAGE_MENU), self.book.some(_DOCUMENT_MENU), self.book["documents.import"]
        )
        self.viewer = ViewerPanel(self.book)
        self.labels = LabelPanel(self.book, background)
        self.bottom = BottomArea()
        self._panes = QSplitter(Qt.Orientation.Horizontal)
        self._rows = QSplitter(Qt.Orientation.Vertical)
        self._stack = QStackedWidget()
        self._lay_out()
        self.submenus = build_menus(self.menuBar(), self.book)
        self.book.connect_toggle("window.panels", self._show_bottom)
        self.book.connect("window.next_pane", lambda: self._move_focus(1))
        self.book.connect("window.previous_pane", lambda: self._move_focus(-1))
        self.bottom.fold_wanted.connect(lambda: self.book["window.panels"].setChecked(False))
        self.drops = FileDrops(self)
        self.drops.take_from(self)
        self.show_start()
        self._restore()

    def _lay_out(self) -> None:
        for pane in (self.pages, self.viewer, self.labels):
            self._panes.addWidget(pane)
        self._panes.setChildrenCollapsible(False)
        self._panes.setStretchFactor(1, 1)
        self._panes.setSizes(_PANES)
        self._rows.addWidget(self._panes)
        self._rows.addWidget(self.bottom)
        self._rows.setStretchFactor(0, 1)
        self._rows.setChildrenCollapsible(False)
        self._rows.setSizes(_HEIGHTS)
        self._stack.addWidget(self.start)
        self._stack.addWidget(self._rows)
        centre = QWidget()
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._stack, 1)
        column.addWidget(self.tasks)
        self.setCentralWidget(centre)
        self.message_stack = MessageStack(centre)

    # Contents

    def put_panel(self, panel_id: str, panel: QWidget) -> None:
        """Puts a panel into the bottom area."""
        self.bottom.put_panel(panel_id, panel)
        self.drops.take_from(panel)

    def show_panel(self, panel_id: str) -> None:
        """Unfolds the bottom area and brings a panel to the front."""
        self.bottom.show_panel(panel_id)
        self.book["window.panels"].setChecked(True)

    def show_start(self) -> None:
        """Shows the start page."""
        self.start.show_recent(self._state.recent())
        self._stack.setCurrentWidget(self.start)
        self.message_stack.anchor_to(self.start)
        self.setWindowTitle(_TITLE)

    def show_workspace(self, root: Path) -> None:
        """Shows the three panes."""
        self._stack.setCurrentWidget(self._rows)
        self.message_stack.anchor_to(self.viewer.view)
        self.setWindowTitle(f"{root.name} — {_TITLE}")

    def show_message(self, message: Message) -> None:
        """Shows a message over the page, unless it is for the log only."""
        if message.quiet:
            return
        offer = message.offer
        words, accept = (offer.words, offer.accept) if offer is not None else ("", None)
        self.message_stack.show_message(message.level.value, message.text, message.hint, words, accept)

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        self.book.refresh_icons()
        for part in (self.start, self.pages, self.viewer, self.labels, self.bottom, self.message_stack):
            part.restyle()

    def _show_bottom(self, wanted: bool) -> None:
        self.bottom.setVisible(wanted)

    # Focus

    def _move_focus(self, step: int) -> None:
        """F6: from pane to pane."""
        stops: list[QWidget] = [self.pages.tree, self.viewer.view, self.labels.tabs.currentWidget()]
        if self.bottom.isVisible():
            stops.append(self.bottom)
        focused = QApplication.focusWidget()
        here = next(
            (
                number
                for number, stop in enumerate(stops)
                if focused is not None and (stop is focused or stop.isAncestorOf(focused))
            ),
            -1 if step > 0 else 0,
        )
        target = stops[(here + step) % len(stops)]
        if target is self.labels.tabs.widget(0):
            target = self.labels.editor
        if target is self.bottom:
            target = self.bottom.currentWidget()
        if target.focusPolicy() == Qt.FocusPolicy.NoFocus:
            target = next(filter(_takes_focus, target.findChildren(QWidget)), self.bottom.tabBar())
        target.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def changeEvent(self, event: QEvent) -> None:
        """Tells when the user comes back to the window."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and self.isActiveWindow():
            self.activated.emit()

    # Remembering

    def _restore(self) -> None:
        geometry = self._state.bytes("window/geometry")
        if geometry is None or not self.restoreGeometry(geometry):
            room = QGuiApplication.primaryScreen().availableGeometry()
            self.resize(min(_SIZE[0], room.width()), min(_SIZE[1], room.height()))
        for key, splitter in (("window/panes", self._panes), ("window/rows", self._rows)):
            stored = self._state.bytes(key)
            if stored is not None:
                splitter.restoreState(stored)
        wanted = self._state.flag("window/panels", default=True)
        self.book["window.panels"].setChecked(wanted)
        self._show_bottom(wanted)  # the switch is off from the start, and says nothing when it stays so

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remembers the sizes and closes, unless something cannot be saved."""
        if not self.may_close():
            event.ignore()
            return
        self._state.set_bytes("window/geometry", self.saveGeometry())
        self._state.set_bytes("window/panes", self._panes.saveState())
        self._state.set_bytes("window/rows", self._rows.saveState())
        self._state.set_flag("window/panels", self.book["window.panels"].isChecked())
        self._state.sync()
        event.accept()
        self.closed.emit()


def _takes_focus(widget: QWidget) -> bool:
    return widget.isVisible() and widget.isEnabled() and bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
