"""The composition root: builds the parts of the window, joins them, and runs until the window is closed."""

import asyncio
import importlib
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import qasync
from PySide6.QtCore import QSettings, QTimer
from PySide6.QtWidgets import QApplication, QMessageBox

from ocrstudio import __version__
from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.settings.app import AppSettings, load_app_settings
from ocrstudio.ui.actions import Context
from ocrstudio.ui.background import Background
from ocrstudio.ui.crash import CrashReporter
from ocrstudio.ui.datasets.controller import DatasetsController
from ocrstudio.ui.documents.controller import DocumentsController
from ocrstudio.ui.documents.removal import RemovalController
from ocrstudio.ui.garbage import collect_due, window_thread_only
from ocrstudio.ui.keys_dialog import KeysDialog
from ocrstudio.ui.labels.controller import LabelController
from ocrstudio.ui.leaving import Leaving
from ocrstudio.ui.main_window import MainWindow
from ocrstudio.ui.messages import Messages
from ocrstudio.ui.pages.controller import PagesController
from ocrstudio.ui.places import Places
from ocrstudio.ui.session import Session
from ocrstudio.ui.theme import ThemeManager
from ocrstudio.ui.viewer.controller import ViewerController
from ocrstudio.ui.viewer.renderer import PageRenderer
from ocrstudio.ui.window_state import WindowState
from ocrstudio.ui.workspace_controller import WorkspaceController

if TYPE_CHECKING:
    from ocrstudio.ui.panels import Panels

_MIB = 1024 * 1024
_BEAT_MS = 200
_PANELS_DELAY_MS = 60
"""Long enough for the window to be painted before the panels are built."""


class Studio:
    """The window with everything behind it.

    Args:
        app: The Qt application.
        settings: The user's settings.
        store: Where window geometry and recent workspaces are kept.

    Attributes:
        window, session, messages, background: For controllers that are added to the window.
    """

    def __init__(self, app: QApplication, settings: AppSettings, store: QSettings) -> None:
        self.settings = settings
        self.themes = ThemeManager(app)
        self.themes.choose(settings.theme)
        self.messages = Messages()
        self.background = Background(self.messages.failure)
        self.state = WindowState(store, settings.recent_workspaces_limit)
        self.session = Session()
        self.window = MainWindow(self.background, self.state)
        self.renderer = PageRenderer(settings.page_cache_mib * _MIB, settings.max_page_seconds)
        self.crashes = CrashReporter(self.window)
        window, session = self.window, self.session
        self.documents = DocumentsController(session, window, self.background, self.messages)
        self.pages = PagesController(session, window.pages, self.renderer, self.background, self.messages)
        self.viewer = ViewerController(session, window.viewer, self.renderer, self.messages)
        self.labels = LabelController(
            session,
            window.labels,
            lambda: window.pages.model.listed,
            self.messages,
            settings.autosave_delay_ms,
        )
        self.removal = RemovalController(session, window, self.pages, self.labels.save_now, self.messages)
        self.datasets = DatasetsController(
            session, window, self.labels.save_now, self.background, self.messages, settings
        )
        self.leaving = Leaving(window, self._unfinished)
        self.workspaces = WorkspaceController(
            session, window, self.documents, self.datasets, self.leaving, self.messages, self.state
        )
        self.places = Places(session, window, self.pages, self.state)
        self._applied: AppSettings | None = None
        self._panels: Panels | None = None
        self._is_shut_down = False
        self._panels_due = QTimer(window)
        self._panels_due.setSingleShot(True)
        self._panels_due.timeout.connect(self._load_panels)
        self._join()
        self.apply_settings(settings)

    @property
    def panels(self) -> "Panels":
        """The panels of the bottom area; built after the window is painted, or when they are first used."""
        if self._panels is None:
            from ocrstudio.ui.panels import Panels

            self._panels = Panels(self.session, self.window, self.background, self.messages, self.settings)
        return self._panels

    def _load_panels(self) -> None:
        """Imports what the panels need in a thread, so that typing goes on, and then builds them."""

        def build(_module: object) -> None:
            if not self._is_shut_down:
                _ = self.panels

        self.background.run(lambda _: importlib.import_module("ocrstudio.ui.panels"), build)

    def _restyle_panels(self) -> None:
        if self._panels is not None:
            self._panels.restyle()

    def _join(self) -> None:
        window, session, labels = self.window, self.session, self.window.labels
        self.messages.posted.connect(window.show_message)
        self.themes.changed.connect(window.restyle)
        self.themes.changed.connect(self._restyle_panels)
        window.activated.connect(self._look_for_changes)
        session.opened.connect(lambda _: self._set_available())
        session.closed.connect(self._set_available)
        session.page_chosen.connect(lambda _: self._set_available())
        self.labels.regions_changed.connect(window.viewer.view.show_regions)
        labels.editor.caret_region.connect(window.viewer.view.activate_region)
        window.viewer.view.region_clicked.connect(self._go_to_region)
        window.viewer.page_chosen.connect(self.pages.go_to_index)
        window.may_close = self._may_close
        self._connect_actions()

    def _connect_actions(self) -> None:
        book, view, labels = self.window.book, self.window.viewer.view, self.window.labels
        handlers = {
            "workspace.new": self.workspaces.ask_new,
            "workspace.open": self.workspaces.ask_open,
            "workspace.open_document": self.workspaces.ask_open_document,
            "workspace.sample": self.workspaces.open_sample,
            "workspace.close": self.workspaces.close,
            "documents.import": self.documents.ask_import,
            "documents.import_folder": self.documents.ask_import_folder,
            "datasets.export": self.datasets.ask_export,
            "datasets.import": self.datasets.ask_import,
            "documents.remove": self.removal.ask_remove,
            "app.settings": self.show_settings,
            "app.quit": self.window.close,
            "edit.undo": labels.editor.undo,
            "edit.redo": labels.editor.redo,
            "edit.find": lambda: labels.open_find(replace=False),
            "edit.replace": lambda: labels.open_find(replace=True),
            "edit.next_doubt": lambda: self.labels.next_doubt(1),
            "edit.previous_doubt": lambda: self.labels.next_doubt(-1),
            "edit.save": self.labels.save_now,
            "page.previous": lambda: self.pages.step(-1),
            "page.next": lambda: self.pages.step(1),
            "page.go_to": self.window.viewer.focus_page_number,
            "page.filter": self.window.pages.focus_search,
            "page.draft": self.session.request_draft,
            "review.next": lambda: self.pages.step_review(1),
            "review.previous": lambda: self.pages.step_review(-1),
            "review.next_flagged": lambda: self.pages.step_review(1, only_flagged=True),
            "review.accept": self.labels.accept_and_next,
            "review.flag": self.labels.flag,
            "review.exclude": self.labels.exclude,
            "review.reopen": self.labels.reopen,
            "view.zoom_in": view.zoom_in,
            "view.zoom_out": view.zoom_out,
            "view.fit_page": view.fit_page,
            "view.fit_width": view.fit_width,
            "view.edit": lambda: labels.show_tab(0),
            "view.preview": lambda: labels.show_tab(1),
            "view.compare": lambda: labels.show_tab(2),
            "help.keys": self.show_keys,
            "help.about": self.show_about,
        }
        for action_id, handler in handlers.items():
            book.connect(action_id, handler)
        book.connect_toggle("view.regions", view.set_regions_visible)

    def _go_to_region(self, index: int) -> None:
        self.window.viewer.view.activate_region(index)
        self.window.labels.show_tab(0)
        self.window.labels.editor.go_to_region(index)

    def _look_for_changes(self) -> None:
        try:
            self.session.look_for_changes()
        except OcrStudioError as problem:
            self.messages.failure(problem)

    def _set_available(self) -> None:
        contexts = {Context.ALWAYS}
        if self.session.workspace is not None:
            contexts.add(Context.WORKSPACE)
        if self.session.page_id is not None:
            contexts.add(Context.PAGE)
        self.window.book.set_available(frozenset(contexts))

    # Settings and help

    def apply_settings(self, settings: AppSettings) -> None:
        """Puts settings into effect at once; what did not change keeps what the user has made of it since."""
        before, self._applied = self._applied, settings
        self.settings = settings
        self.themes.choose(settings.theme)
        editor, preview = self.window.labels.editor, self.window.labels.preview
        editor.set_font(settings.editor_font_family, settings.editor_font_size)
        editor.set_wrap(settings.editor_wrap_lines)
        preview.set_delay(settings.preview_delay_ms)
        self.labels.autosave.set_delay(settings.autosave_delay_ms)
        if before is None or before.show_regions != settings.show_regions:
            self.window.book["view.regions"].setChecked(settings.show_regions)
        self.viewer.neighbours = settings.prefetch_pages
        self.pages.set_thumbnails(settings.show_thumbnails)
        if before is None or before.zoom_mode != settings.zoom_mode:
            self.window.viewer.view.set_mode(settings.zoom_mode)
        self.renderer.cache.set_limit(settings.page_cache_mib * _MIB)
        self.renderer.page_seconds = settings.max_page_seconds
        self.state.recent_limit = settings.recent_workspaces_limit
        self.datasets.apply_settings(settings)
        if self._panels is not None:
            self._panels.apply_settings(settings)

    def show_settings(self) -> None:
        """Opens the settings dialog."""
        from ocrstudio.ui.settings.dialog import SettingsDialog

        dialog = SettingsDialog(self.window, self.settings, self.messages)
        dialog.applied.connect(self.apply_settings)
        dialog.show()

    def show_keys(self) -> None:
        """Opens the list of keys."""
        KeysDialog(self.window, self.window.book.specs.values()).show()

    def show_about(self) -> None:
        """Says what this is."""
        QMessageBox.about(
            self.window,
            "About OCR Studio",
            f"<b>OCR Studio {__version__}</b><p>A workbench for fine-tuning DeepSeek-OCR by pseudo "
            "labelling: draft, correct, train, evaluate.</p><p>MIT licence.</p>",
        )

    # Life

    def start(self, path: Path | None) -> None:
        """Shows the window, then opens the workspace or document asked for, or the last workspace."""
        self.window.show()
        self.renderer.warm_up()
        self._panels_due.start(_PANELS_DELAY_MS)
        recent = self.state.recent()
        if path is not None and path.is_file():
            self.workspaces.take_files([path])
        elif path is not None:
            self.workspaces.open(path)
        elif self.settings.reopen_last_workspace and recent:
            self.workspaces.open(recent[0])

    def _may_close(self) -> bool:
        saved = self.labels.save_now() or self.labels.autosave.told_to_close()
        return saved and self.leaving.may(self.window.close)

    def _unfinished(self) -> list[str]:
        """What ends with the window, a sentence each."""
        batch = self._panels.unfinished if self._panels is not None else ""
        return [*filter(None, [batch]), *(f"{title} is not finished." for title in self.background.titles)]

    def interrupt(self) -> None:
        """Closes the window without a question, for Ctrl+C in the terminal."""
        self.leaving.agree(self.window.close)

    def shutdown(self) -> None:
        """Saves, and ends everything that runs."""
        self._is_shut_down = True
        self._panels_due.stop()
        self.session.close()
        self.background.shutdown()
        self.renderer.shutdown()
        self.crashes.restore()


async def _run_until_closed(studio: Studio) -> None:
    """Waits for the window, then ends every task that is still running."""
    closed = asyncio.Event()
    studio.window.closed.connect(closed.set)
    await closed.wait()
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def main(argv: Sequence[str]) -> int:
    """Runs the window.

    Args:
        argv: Nothing, or the path of a workspace or a document to open.

    Returns:
        Exit status.
    """
    logging.getLogger("qasync").setLevel(logging.WARNING)
    app = QApplication.instance() or QApplication(["ocrstudio"])
    if not isinstance(app, QApplication):
        return 1
    app.setApplicationName("OCR Studio")
    app.setOrganizationName("OCR Studio")
    app.setDesktopFileName("ocrstudio")
    app.setQuitOnLastWindowClosed(False)  # the loop ends when the tasks have ended, not before
    try:
        settings = load_app_settings()
    except OcrStudioError as problem:
        QMessageBox.critical(None, "OCR Studio", str(problem))
        return 1
    loop = qasync.QEventLoop(app)
    asyncio.set_event_loop(loop)
    studio = Studio(app, settings, QSettings())
    handle = signal.signal(signal.SIGINT, lambda *_: studio.interrupt())
    beat = QTimer()  # also lets Python see Ctrl+C while Qt waits
    beat.start(_BEAT_MS)
    beat.timeout.connect(collect_due)
    studio.start(Path(argv[0]).absolute() if argv else None)
    try:
        with window_thread_only(), loop:
            loop.run_until_complete(_run_until_closed(studio))
            studio.shutdown()
    finally:
        beat.stop()
        signal.signal(signal.SIGINT, handle)
        asyncio.set_event_loop(None)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
