"""Small pictures of pages for the list: only of rows that can be seen, and drawn when nothing else is."""

from collections import OrderedDict

from PySide6.QtCore import QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QPixmap

from ocrstudio.ui.viewer.renderer import PageKey, PageRenderer

_KEPT = 600
"""A few screens of rows; a thumbnail takes about 15 KB."""
_REST_MS = 120
"""The list has to rest for so long: rows that are only scrolled past are not drawn."""
_MOST_WISHES = 40


class Thumbnails(QObject):
    """Keeps thumbnails and asks for the missing ones.

    Args:
        renderer: Draws them.
        size: The room for one, in device-independent pixels.

    Signals:
        changed: There are new thumbnails.
    """

    changed = Signal()

    def __init__(self, renderer: PageRenderer, size: QSize, parent: QObject) -> None:
        super().__init__(parent)
        self._renderer = renderer
        self._size = size
        self._ratio = 1.0
        self._pictures: OrderedDict[PageKey, QPixmap] = OrderedDict()
        self._wishes: OrderedDict[PageKey, None] = OrderedDict()
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self._ask)
        renderer.small_drawn.connect(self._take)

    def picture(self, key: PageKey, ratio: float) -> QPixmap | None:
        """The thumbnail of a page that is being painted; a missing one is drawn soon.

        Args:
            key: The page.
            ratio: Pixels of the screen for each device-independent one.

        Returns:
            The thumbnail; null when the page cannot be drawn; None when it is not there yet.
        """
        known = self._pictures.get(key)
        if known is not None:
            self._pictures.move_to_end(key)
            return known
        self._ratio = ratio
        self._wishes[key] = None
        self._wishes.move_to_end(key)
        self._rest.start()
        return None

    def forget(self) -> None:
        """Drops everything (another workspace, or thumbnails are not wanted any more)."""
        self._rest.stop()
        self._wishes.clear()
        self._pictures.clear()
        self._renderer.draw_small([])

    def _ask(self) -> None:
        # Rows that were painted last can be seen; of the others the user has only scrolled past.
        wishes = list(self._wishes)[-_MOST_WISHES:]
        self._wishes.clear()
        self._renderer.draw_small(wishes)

    def _take(self, key: PageKey, image: QImage) -> None:
        picture = QPixmap()
        if not image.isNull():
            fitted = image.scaled(
                self._size * self._ratio,
                Qt.AspectRatioMode.KeepAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
            fitted.setDevicePixelRatio(self._ratio)
            picture = QPixmap.fromImage(fitted)
        self._pictures[key] = picture
        while len(self._pictures) > _KEPT:
            self._pictures.popitem(last=False)
        self.changed.emit()
