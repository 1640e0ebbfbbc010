"""Autosave: after a second of quiet, and on leaving the page, the editor or the window."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.ui.labels.source_line import SaveState

_RETRY_MS = 5_000


class Autosave(QObject):
    """Keeps at most one unsaved text and saves it.

    Signals:
        state_changed: A `SaveState` and a sentence for its tool tip.
        failed: The `OcrStudioError` of a save, once until a save succeeds again.
    """

    state_changed = Signal(object, str)
    failed = Signal(object)

    def __init__(self, save: Callable[[int, str], None], delay_ms: int, parent: QObject) -> None:
        super().__init__(parent)
        self._save = save
        self._unsaved: dict[int, str] = {}
        self._told = False
        self._insisted = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.flush)
        self._delay = delay_ms

    def set_delay(self, delay_ms: int) -> None:
        """Sets the quiet time in milliseconds."""
        self._delay = delay_ms

    @property
    def unsaved(self) -> dict[int, str]:
        """Texts that are not on the disk yet, by page."""
        return dict(self._unsaved)

    def text_changed(self, page_id: int, text: str) -> None:
        """Remembers what was typed and saves it after a moment of quiet."""
        self._unsaved[page_id] = text
        self._timer.start(self._delay)
        if not self._told:
            self.state_changed.emit(SaveState.TYPING, "")

    def flush(self) -> bool:
        """Saves now.

        Returns:
            Whether everything is on the disk. If not, the text is kept and tried again every few seconds.
        """
        self._timer.stop()
        for page_id, text in list(self._unsaved.items()):
            try:
                self._save(page_id, text)
            except OcrStudioError as problem:
                self._fail(problem)
                return False
            self._unsaved.pop(page_id, None)
        self._told = self._insisted = False
        self.state_changed.emit(SaveState.SAVED, "")
        return True

    def told_to_close(self) -> bool:
        """Whether the window may close although a save failed: only when the user, who was told, insists.

        The first time the answer is no, so that nobody loses text without having read why.
        """
        insisted, self._insisted = self._insisted, True
        return insisted

    def drop(self) -> None:
        """Forgets what could not be saved (the workspace is closed)."""
        self._timer.stop()
        self._unsaved.clear()
        self._told = False

    def _fail(self, problem: OcrStudioError) -> None:
        self._timer.start(_RETRY_MS)
        self.state_changed.emit(SaveState.FAILED, str(problem))
        if not self._told:
            self._told = True
            self.failed.emit(problem)
