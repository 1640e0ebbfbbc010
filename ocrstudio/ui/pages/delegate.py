"""Paints a row of the page list: a document heading, or a page with its status and its first words."""

from collections.abc import Callable

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ocrstudio.domain.wording import count_of
from ocrstudio.store import PageRow
from ocrstudio.ui.icons import pixmap
from ocrstudio.ui.pages.model import DOCUMENT_ROLE, PAGE_ROLE, DocumentHeading
from ocrstudio.ui.pages.status import STATUS_LOOKS
from ocrstudio.ui.theme import theme

THUMBNAIL = QSize(32, 44)
"""Room for the picture of a page."""

PictureOf = Callable[[PageRow, float], QPixmap | None]
"""The thumbnail of a row on a screen of this many pixels a point; see `Thumbnails.picture`."""

_PADDING = 8
_ICON = 18
_SMALL_ICON = 14
_MARKS = "#>*-| "  # Markdown at the beginning of a label says nothing in a list
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class PageDelegate(QStyledItemDelegate):
    """Two lines a row: name and status word, then the muted beginning of the text.

    Attributes:
        picture_of: Where thumbnails come from; None shows none.
    """

    picture_of: PictureOf | None = None

    def sizeHint(self, option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex) -> QSize:
        """The same height for every row, so that the view need not ask for each."""
        height = 2 * option.fontMetrics.height() + 14
        return QSize(160, max(height, THUMBNAIL.height() + 6) if self.picture_of is not None else height)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Paints one row."""
        painter.save()
        painter.setClipRect(option.rect)
        heading = index.data(DOCUMENT_ROLE)
        if isinstance(heading, DocumentHeading):
            self._paint_heading(painter, option, heading)
        else:
            self._paint_page(painter, option, index.data(PAGE_ROLE))
        painter.restore()

    def _paint_heading(
        self, painter: QPainter, option: QStyleOptionViewItem, heading: DocumentHeading
    ) -> None:
        colours = theme()
        painter.fillRect(option.rect, QColor(colours.window))
        is_open = bool(option.state & QStyle.StateFlag.State_Open)
        arrow = pixmap("down" if is_open else "next", colours.muted, 14)
        area = option.rect.adjusted(_PADDING, 5, -_PADDING, -5)
        painter.drawPixmap(area.left(), area.center().y() - 6, arrow)
        text = area.adjusted(_ICON + 4, 0, 0, 0)
        upper, lower = _halves(text)
        bold = QFont(option.font)
        bold.setWeight(QFont.Weight.DemiBold)
        painter.setFont(bold)
        painter.setPen(QColor(colours.text))
        elide = Qt.TextElideMode.ElideMiddle
        painter.drawText(upper, _LEFT, painter.fontMetrics().elidedText(heading.name, elide, upper.width()))
        painter.setFont(option.font)
        painter.setPen(QColor(colours.muted))
        words = f"{count_of(heading.shown, 'page')} · {heading.accepted:,} accepted"
        right = Qt.TextElideMode.ElideRight
        painter.drawText(lower, _LEFT, painter.fontMetrics().elidedText(words, right, lower.width()))

    def _paint_page(self, painter: QPainter, option: QStyleOptionViewItem, row: PageRow) -> None:
        colours = theme()
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        if selected or hovered:
            painter.fillRect(option.rect, QColor(colours.selection if selected else colours.hover))
        if selected:
            bar = QRect(option.rect.left(), option.rect.top(), 3, option.rect.height())
            painter.fillRect(bar, QColor(colours.accent))
        look = STATUS_LOOKS[row.page.status]
        area = option.rect.adjusted(_PADDING + 4, 5, -_PADDING, -5)
        beside = _ICON + 8
        if self.picture_of is not None:
            self._paint_thumbnail(painter, QRect(area.topLeft(), THUMBNAIL), option.rect, row)
            beside = THUMBNAIL.width() + 8
        upper, lower = _halves(area.adjusted(beside, 0, 0, 0))
        painter.setFont(option.font)
        painter.setPen(QColor(look.colour))
        painter.drawText(upper, _RIGHT, look.word)
        size = _ICON if self.picture_of is None else _SMALL_ICON
        left = area.left()
        if self.picture_of is not None:
            left = upper.right() - painter.fontMetrics().horizontalAdvance(look.word) - size - 4
        painter.drawPixmap(left, upper.center().y() - size // 2 + 1, pixmap(look.icon, look.colour, size))
        painter.setPen(QColor(colours.text))
        painter.drawText(upper, _LEFT, f"Page {row.page.index + 1}")
        painter.setPen(QColor(colours.muted))
        words = row.page.note or row.snippet.lstrip(_MARKS) or "No label yet"
        elided = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, lower.width())
        painter.drawText(lower, _LEFT, elided)

    def _paint_thumbnail(self, painter: QPainter, room: QRect, row_rect: QRect, row: PageRow) -> None:
        """The picture of the page, or a sheet of its shape until it is there."""
        colours = theme()
        ratio = painter.device().devicePixelRatioF()
        known = self.picture_of(row, ratio) if self.picture_of is not None else None
        if known is not None and not known.isNull():
            size = known.deviceIndependentSize().toSize()
        else:
            page = QSize(max(1, round(row.page.width)), max(1, round(row.page.height)))
            size = page.scaled(THUMBNAIL, Qt.AspectRatioMode.KeepAspectRatio)
        sheet = QRect(
            room.left() + (room.width() - size.width()) // 2,
            row_rect.top() + (row_rect.height() - size.height()) // 2,
            size.width(),
            size.height(),
        )
        if known is not None and not known.isNull():
            painter.drawPixmap(sheet.topLeft(), known)
        else:
            painter.fillRect(sheet, QColor(colours.base))
        painter.setPen(QColor(colours.border))
        painter.drawRect(sheet.adjusted(-1, -1, 0, 0))


def _halves(area: QRect) -> tuple[QRect, QRect]:
    half = area.height() // 2
    return (
        QRect(area.left(), area.top(), area.width(), half),
        QRect(area.left(), area.top() + half, area.width(), half),
    )
