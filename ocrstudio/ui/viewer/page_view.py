"""The picture of a page: fit, zoom at the cursor, pan by drag, regions."""

from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QPoint, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QBrush, QColor, QMouseEvent, QPainter, QPen, QPixmap, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import (
    QApplication,
    QGraphicsPixmapItem,
    QGraphicsRectItem,
    QGraphicsScene,
    QGraphicsSimpleTextItem,
    QGraphicsView,
    QWidget,
)

from ocrstudio.domain.region import Region
from ocrstudio.ui.theme import PAPER, PAPER_NOTE, theme
from ocrstudio.ui.viewer.region_items import RegionItem
from ocrstudio.ui.viewer.renderer import RenderedPage

_PIXELS_PER_POINT = 96 / 72  # at 100 %
_MIN_ZOOM, _MAX_ZOOM = 0.05, 16.0
_STEP = 1.25
_MARGIN = 12.0
_SETTLE_MS = 120


class ZoomMode(StrEnum):
    """How the size of the page follows the window."""

    FIT_PAGE = "fit page"
    FIT_WIDTH = "fit width"
    FREE = "free"


@dataclass(frozen=True)
class ViewPlace:
    """How a page is shown, whatever the size of the window.

    Attributes:
        mode: A `ZoomMode`.
        zoom: Factor of a free zoom, 1.0 for 100 %.
        x, y: The point of the page at the upper left corner of the view, as fractions of its size.
    """

    mode: str
    zoom: float
    x: float
    y: float


class PageView(QGraphicsView):
    """Shows one page. The scene is in points (1/72 inch), its origin is the corner of the page.

    Signals:
        zoom_changed: The zoom as a factor, 1.0 for 100 %.
        resolution_wanted: Dots an inch that would be sharp now; sent when the zoom has settled.
        region_clicked: Index of the region.
    """

    zoom_changed = Signal(float)
    resolution_wanted = Signal(float)
    region_clicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setScene(QGraphicsScene(self))
        self.setRenderHints(QPainter.RenderHint.SmoothPixmapTransform | QPainter.RenderHint.Antialiasing)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setFrameShape(QGraphicsView.Shape.NoFrame)
        self.setAccessibleName("Page")
        self.mode = ZoomMode.FIT_PAGE
        self._size = (0.0, 0.0)
        self._regions: list[RegionItem] = []
        self._regions_visible = True
        self._active = -1
        self._drag_from: QPoint | None = None
        self._moved = False
        self._paper = QGraphicsRectItem()
        self._paper.setBrush(QBrush(QColor(PAPER)))
        self._picture = QGraphicsPixmapItem()
        self._picture.setTransformationMode(Qt.TransformationMode.SmoothTransformation)
        self._note = QGraphicsSimpleTextItem()
        self._note.setFlag(QGraphicsSimpleTextItem.GraphicsItemFlag.ItemIgnoresTransformations)
        for item in (self._paper, self._picture, self._note):
            self.scene().addItem(item)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(lambda: self.resolution_wanted.emit(self.sharp_dpi()))
        self.restyle()
        self.clear()

    # What is shown

    def clear(self) -> None:
        """Shows no page."""
        self._size = (0.0, 0.0)
        self.show_regions(())
        for item in (self._paper, self._picture, self._note):
            item.setVisible(False)
        self.scene().setSceneRect(QRectF())

    def show_page(self, width: float, height: float) -> None:
        """Shows the empty paper of a page until its picture comes.

        Args:
            width: Width in points.
            height: Height in points.
        """
        self._size = (width, height)
        self.show_regions(())
        self._paper.setRect(0, 0, width, height)
        self._paper.setVisible(True)
        self._picture.setVisible(False)
        self.scene().setSceneRect(self._margins())
        self.set_note("Loading…")
        self._apply_mode()
        self.verticalScrollBar().setValue(self.verticalScrollBar().minimum())

    def show_picture(self, page: RenderedPage) -> None:
        """Shows the picture of the page, stretched to its size in points."""
        width, height = self._size
        if not width or page.image.isNull():
            return
        self._picture.setPixmap(QPixmap.fromImage(page.image))
        transform = self._picture.transform()
        transform.reset()
        transform.scale(width / page.image.width(), height / page.image.height())
        self._picture.setTransform(transform)
        self._picture.setVisible(True)
        self.set_note("")

    def set_note(self, text: str) -> None:
        """Writes a sentence on the paper (loading, an error), or removes it."""
        self._note.setText(text)
        self._note.setBrush(QBrush(QColor(PAPER_NOTE)))
        self._note.setVisible(bool(text))
        width, height = self._size
        bounds = self._note.boundingRect()
        scale = self.transform().m11() or 1.0
        self._note.setPos((width - bounds.width() / scale) / 2, min(height / 3, 200 / scale))

    @property
    def has_picture(self) -> bool:
        """Whether the page itself is visible, and not only its paper."""
        return self._picture.isVisible()

    @property
    def note(self) -> str:
        """The sentence on the paper."""
        return self._note.text() if self._note.isVisible() else ""

    def show_regions(self, regions: tuple[Region, ...]) -> None:
        """Draws the regions of the page."""
        for item in self._regions:
            self.scene().removeItem(item)
        self._active = -1
        self._regions = [RegionItem(index, region, *self._size) for index, region in enumerate(regions)]
        for item in self._regions:
            item.setVisible(self._regions_visible)
            self.scene().addItem(item)

    def set_regions_visible(self, visible: bool) -> None:
        """Shows or hides all regions."""
        self._regions_visible = visible
        for item in self._regions:
            item.setVisible(visible)

    def activate_region(self, index: int) -> None:
        """Marks a region and scrolls to it; -1 marks none."""
        if index == self._active:
            return
        self._active = index
        for item in self._regions:
            item.set_active(item.index == index)
        if 0 <= index < len(self._regions):
            self.ensureVisible(self._regions[index].sceneBoundingRect(), 24, 24)

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        self.setBackgroundBrush(QBrush(QColor(theme().canvas)))
        self._paper.setPen(QPen(QColor(theme().border), 0))

    # Zoom

    @property
    def zoom(self) -> float:
        """The zoom factor, 1.0 for 100 %."""
        return float(self.transform().m11()) / _PIXELS_PER_POINT

    def sharp_dpi(self) -> float:
        """Dots an inch at which one dot of the picture is one dot of the screen."""
        return 96 * self.zoom * self.devicePixelRatioF()

    def fit_page(self) -> None:
        """Shows the whole page, also after the window changes its size."""
        self.mode = ZoomMode.FIT_PAGE
        self._apply_mode()

    def fit_width(self) -> None:
        """Fills the width, also after the window changes its size."""
        self.mode = ZoomMode.FIT_WIDTH
        self._apply_mode()
        self.verticalScrollBar().setValue(self.verticalScrollBar().minimum())

    def set_mode(self, name: str) -> None:
        """Sets how pages are shown: ``fit_page``, ``fit_width`` or ``actual_size``."""
        if name == "actual_size":
            self.zoom_to(1.0)
        elif name == "fit_page":
            self.fit_page()
        else:
            self.fit_width()

    @property
    def place(self) -> ViewPlace:
        """How the page is shown now."""
        corner, (width, height) = self.mapToScene(0, 0), self._size
        return ViewPlace(self.mode.value, self.zoom, corner.x() / (width or 1), corner.y() / (height or 1))

    def go_to(self, place: ViewPlace) -> None:
        """Shows the page as it was shown before."""
        if place.mode not in list(ZoomMode) or not self._size[0]:
            return
        if place.mode == ZoomMode.FREE:
            self.zoom_to(place.zoom)
        else:
            self.mode = ZoomMode(place.mode)
            self._apply_mode()
        corner = self.mapFromScene(place.x * self._size[0], place.y * self._size[1])
        self.horizontalScrollBar().setValue(self.horizontalScrollBar().value() + corner.x())
        self.verticalScrollBar().setValue(self.verticalScrollBar().value() + corner.y())

    def zoom_in(self) -> None:
        """One step closer, around the middle of the view."""
        self.zoom_to(self.zoom * _STEP)

    def zoom_out(self) -> None:
        """One step away, around the middle of the view."""
        self.zoom_to(self.zoom / _STEP)

    def zoom_to(self, factor: float, around: QPointF | None = None) -> None:
        """Sets the zoom; the point of the page under ``around`` (in the viewport) stays where it is."""
        self.mode = ZoomMode.FREE
        self._apply_mode()
        anchor = QPointF(self.viewport().rect().center()) if around is None else around
        before = self.mapToScene(anchor.toPoint())
        self._scale_to(min(max(factor, _MIN_ZOOM), _MAX_ZOOM))
        moved = self.mapFromScene(before) - anchor.toPoint()
        self.horizontalScrollBar().setValue(self.horizontalScrollBar().value() + moved.x())
        self.verticalScrollBar().setValue(self.verticalScrollBar().value() + moved.y())

    def _scale_to(self, factor: float) -> None:
        scale = factor * _PIXELS_PER_POINT
        self.resetTransform()
        self.scale(scale, scale)
        self.scene().setSceneRect(self._margins())
        self.set_note(self.note)
        self.zoom_changed.emit(factor)
        self._settle.start()

    def _apply_mode(self) -> None:
        width, height = self._size
        policy = Qt.ScrollBarPolicy
        free = self.mode is ZoomMode.FREE
        self.setHorizontalScrollBarPolicy(policy.ScrollBarAsNeeded if free else policy.ScrollBarAlwaysOff)
        if not width or free:
            self._settle.start()
            return
        # The size without scroll bars: they come and go with the answer.
        room_width, room_height = self.width() - 2 * _MARGIN - 2, self.height() - 2 * _MARGIN - 2
        scale = room_width / width
        if self.mode is ZoomMode.FIT_PAGE:
            scale = min(scale, room_height / height)
        elif scale * height > room_height:
            scale = (room_width - self.verticalScrollBar().sizeHint().width()) / width
        self._scale_to(min(max(scale / _PIXELS_PER_POINT, _MIN_ZOOM), _MAX_ZOOM))

    def _margins(self) -> QRectF:
        scale = self.transform().m11() or 1.0
        margin = _MARGIN / scale
        return QRectF(0, 0, *self._size).adjusted(-margin, -margin, margin, margin)

    # Events

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keeps a fitted page fitted."""
        super().resizeEvent(event)
        self._apply_mode()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zooms with Ctrl held, scrolls otherwise."""
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom_to(self.zoom * _STEP ** (event.angleDelta().y() / 120), event.position())
            event.accept()
        else:
            super().wheelEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begins to pan, or points at a region."""
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._drag_from = event.position().toPoint()
            self._moved = False
            event.accept()
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Pans."""
        if self._drag_from is None:
            super().mouseMoveEvent(event)
            return
        here = event.position().toPoint()
        delta = here - self._drag_from
        if not self._moved and delta.manhattanLength() < QApplication.startDragDistance():
            return
        self._moved = True
        self.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)
        self._drag_from = here
        self.horizontalScrollBar().setValue(self.horizontalScrollBar().value() - delta.x())
        self.verticalScrollBar().setValue(self.verticalScrollBar().value() - delta.y())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Ends panning; a click without a move chooses the region under it."""
        if self._drag_from is None:
            super().mouseReleaseEvent(event)
            return
        self._drag_from = None
        self.viewport().unsetCursor()
        if not self._moved and event.button() == Qt.MouseButton.LeftButton:
            self._click(event.position().toPoint())

    def _click(self, position: QPoint) -> None:
        under = [item for item in self.items(position) if isinstance(item, RegionItem)]
        if under:
            # The smallest box is the one that was meant when a figure holds a caption.
            smallest = min(under, key=lambda item: _area(item.sceneBoundingRect()))
            self.region_clicked.emit(smallest.index)


def _area(rectangle: QRectF) -> float:
    return rectangle.width() * rectangle.height()
