"""A region of a page as something to point at."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsItem, QGraphicsPathItem, QGraphicsSceneHoverEvent

from ocrstudio.domain.region import Region
from ocrstudio.ui.theme import PAPER_MARK, theme

_REST, _HOVER, _ACTIVE = 0, 26, 46
_REST_LINE, _STRONG_LINE = 120, 255


class RegionItem(QGraphicsPathItem):
    """The boxes of one region, in points of the page.

    Args:
        index: Its place in the list of regions.
        region: The region.
        width: Width of the page in points.
        height: Height of the page in points.
    """

    def __init__(self, index: int, region: Region, width: float, height: float) -> None:
        super().__init__()
        self.index = index
        self.region = region
        self._active = False
        self._hovered = False
        path = QPainterPath()
        for box in region.boxes:
            path.addRect(
                QRectF(box.x0 * width, box.y0 * height, (box.x1 - box.x0) * width, (box.y1 - box.y0) * height)
            )
        self.setPath(path)
        self.setToolTip(region.label)
        self.setAcceptHoverEvents(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemIsSelectable, False)
        self._restyle()

    def set_active(self, active: bool) -> None:
        """Marks the region whose text has the caret."""
        self._active = active
        self.setZValue(2 if active else 1)
        self._restyle()

    def hoverEnterEvent(self, event: QGraphicsSceneHoverEvent) -> None:
        """Shows that the region can be clicked."""
        self._hovered = True
        self._restyle()
        super().hoverEnterEvent(event)

    def hoverLeaveEvent(self, event: QGraphicsSceneHoverEvent) -> None:
        """Back to rest."""
        self._hovered = False
        self._restyle()
        super().hoverLeaveEvent(event)

    def _restyle(self) -> None:
        line = QColor(PAPER_MARK if self._active else theme().region)
        line.setAlpha(_STRONG_LINE if self._active or self._hovered else _REST_LINE)
        pen = QPen(line, 2.0 if self._active else 1.2)
        pen.setCosmetic(True)
        self.setPen(pen)
        fill = QColor(line)
        fill.setAlpha(_ACTIVE if self._active else _HOVER if self._hovered else _REST)
        self.setBrush(QBrush(fill))
