"""Files that are dropped anywhere on the window go to the window, and never into a text as its address."""

from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QWidget

from ocrstudio.ui.widgets.path_field import PathLine


class FileDrops(QObject):
    """Takes files and folders for a window.

    Qt offers a drag to the widget under the pointer first, and to the one that holds it only when it is
    refused. An editor would take files as text, and a page view takes every drag and then refuses the drop.

    Args:
        window: Takes the files.

    Signals:
        dropped: Paths that were dropped, as a tuple.
    """

    dropped = Signal(object)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def take_from(self, part: QWidget) -> None:
        """Lets every widget in a part of the window leave files to the window; text is still theirs."""
        for widget in (part, *part.findChildren(QWidget)):
            # A line for a path means the path.
            if widget.acceptDrops() and widget is not self._window and not isinstance(widget, PathLine):
                widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Refuses files for a part, so that Qt offers them to the window, which takes them."""
        if isinstance(event, QDragEnterEvent) and files_of(event.mimeData()):
            if watched is self._window:
                event.acceptProposedAction()
            else:
                event.ignore()
            return True
        if isinstance(event, QDropEvent) and watched is self._window and event.type() == QEvent.Type.Drop:
            paths = files_of(event.mimeData())
            if paths:
                event.acceptProposedAction()
                self.dropped.emit(paths)
            return True
        return super().eventFilter(watched, event)


def files_of(data: QMimeData) -> tuple[Path, ...]:
    """The files and folders of this computer that are dragged."""
    return tuple(Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile())
