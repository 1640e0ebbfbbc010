"""The lay-outs that panels share: slim bars, parts below each other without gaps, parts side by side."""

from enum import StrEnum

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QVBoxLayout, QWidget

_BAR_MARGINS = (12, 6, 12, 6)


class Edge(StrEnum):
    """Where the line of a bar is; the values are roles of the style sheet."""

    ABOVE = "bar-top"
    BELOW = "bar-bottom"


def style_bar(widget: QWidget, edge: Edge) -> None:
    """Gives a widget the look of a bar."""
    widget.setProperty("role", edge.value)
    widget.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)


def bar(
    edge: Edge,
    *parts: QWidget | None,
    wide: QWidget | None = None,
    margins: tuple[int, int, int, int] = _BAR_MARGINS,
    spacing: int = 8,
) -> QWidget:
    """A bar with parts from left to right.

    Args:
        edge: Where its line is.
        parts: The parts; None is free room.
        wide: The part that takes what is left.
        margins: Around the parts.
        spacing: Between them.
    """
    result = QWidget()
    style_bar(result, edge)
    row = QHBoxLayout(result)
    row.setContentsMargins(*margins)
    row.setSpacing(spacing)
    for part in parts:
        if part is None:
            row.addStretch(1)
        else:
            row.addWidget(part, 1 if part is wide else 0)
    return result


def fill(owner: QWidget, *parts: QWidget, wide: QWidget | None = None) -> None:
    """Fills a widget with parts below each other, without margins or gaps.

    Args:
        owner: The widget.
        parts: From top to bottom.
        wide: The part that takes the height that is left.
    """
    column = QVBoxLayout(owner)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    for part in parts:
        column.addWidget(part, 1 if part is wide else 0)


def stacked(*parts: QWidget, wide: QWidget | None = None) -> QWidget:
    """Parts below each other as one widget; see `fill`."""
    result = QWidget()
    fill(result, *parts, wide=wide)
    return result


def side_by_side(*parts: QWidget, sizes: list[int], wide: QWidget | None = None) -> QSplitter:
    """Parts side by side, with a line to drag between them.

    Args:
        parts: From left to right.
        sizes: Their widths to begin with.
        wide: The part that takes what a larger window brings.
    """
    splitter = QSplitter(Qt.Orientation.Horizontal)
    for part in parts:
        splitter.addWidget(part)
    splitter.setChildrenCollapsible(False)
    if wide is not None:
        splitter.setStretchFactor(parts.index(wide), 1)
    splitter.setSizes(sizes)
    return splitter
