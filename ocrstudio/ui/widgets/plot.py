"""A plot in the style of the window: a legend above it, the values at the pointer, the colours of the theme.

pyqtgraph takes a second to import; that happens in a thread, when the first plot is to be seen.
"""

import importlib
import sys
from typing import Any

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from ocrstudio.ui.background import Background
from ocrstudio.ui.theme import theme
from ocrstudio.ui.widgets.empty_state import EmptyState


class Plot(QWidget):
    """Shows an empty state, or a plot whose items come from whoever derives from it.

    Args:
        background: Imports what draws.
        empty: What stands there while there is nothing to draw.
        name: For assistive technology.
        bottom: Title of the horizontal axis.
        left: Title of the vertical axis.
    """

    def __init__(
        self, background: Background, empty: EmptyState, *, name: str, bottom: str, left: str
    ) -> None:
        super().__init__()
        self._background = background
        self._titles = {"bottom": bottom, "left": left}
        self._name = name
        self._importing = False
        self._plot: Any = None
        self._cursor: Any = None
        self._page = QWidget()
        self._value = QLabel()
        self._value.setProperty("role", "muted")
        self._value.setAccessibleName("Values at the pointer")
        self._legend = QLabel()
        self._legend.setTextFormat(Qt.TextFormat.RichText)
        self._empty = empty
        self._stack = QStackedWidget()
        self._blank = QWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self._blank)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._stack)

    # For whoever derives from it

    def draw(self) -> None:
        """Draws what is known; called when it is seen, too."""
        raise NotImplementedError

    def add_items(self, plot: Any) -> None:  # noqa: ANN401 - pyqtgraph has no types
        """Puts the items into the new plot, without colours."""
        raise NotImplementedError

    def paint_items(self) -> None:
        """Gives the items and the legend the colours of the theme."""
        raise NotImplementedError

    def at_pointer(self, position: float) -> tuple[float, str] | None:
        """Where the nearest values are on the horizontal axis and what they are; None for nothing to say."""
        raise NotImplementedError

    def is_ready(self, *, wanted: bool) -> bool:
        """Whether to draw now: there is something, and what draws was imported (else it comes)."""
        if not wanted:
            self._stack.setCurrentWidget(self._empty)
            return False
        if self._plot is None and not self._is_imported():
            self._stack.setCurrentWidget(self._blank)
            return False
        if self._plot is None:
            self._make_plot()
        return True

    def show_plot(self) -> None:
        """Shows what was drawn."""
        self._stack.setCurrentWidget(self._page)

    # For the window

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        self._empty.restyle()
        if self._plot is not None:
            self._paint_theme()

    def showEvent(self, event: QEvent) -> None:
        """Draws what came while it was hidden."""
        super().showEvent(event)  # type: ignore[arg-type]
        self.draw()

    # Inside

    def _is_imported(self) -> bool:
        if "pyqtgraph" in sys.modules and not self._importing:
            return True
        if not self._importing:
            self._importing = True
            self._background.run(lambda _: importlib.import_module("pyqtgraph"), self._take_import)
        return False

    def _take_import(self, _module: object) -> None:
        self._importing = False
        if self.isVisible():
            self.draw()

    def _make_plot(self) -> None:
        import pyqtgraph

        pyqtgraph.setConfigOptions(antialias=True)
        plot = pyqtgraph.PlotWidget()
        plot.setMenuEnabled(False)
        plot.hideButtons()
        plot.setMouseEnabled(x=False, y=False)
        for side, title in self._titles.items():
            plot.setLabel(side, title)
        plot.setAccessibleName(self._name)
        self.add_items(plot)
        self._cursor = pyqtgraph.InfiniteLine(angle=90, movable=False)
        self._cursor.hide()
        plot.addItem(self._cursor, ignoreBounds=True)
        plot.scene().sigMouseMoved.connect(self._hover)
        self._plot = plot
        self._page = QWidget()
        column = QVBoxLayout(self._page)
        column.setContentsMargins(6, 4, 6, 2)
        column.setSpacing(2)
        head = QWidget()
        row = QHBoxLayout(head)
        row.setContentsMargins(6, 0, 6, 0)
        row.addWidget(self._legend)
        row.addStretch(1)
        row.addWidget(self._value)
        column.addWidget(head)
        column.addWidget(plot, 1)
        self._stack.addWidget(self._page)
        self._paint_theme()

    def _paint_theme(self) -> None:
        import pyqtgraph

        colours = theme()
        self._plot.setBackground(colours.base)
        self.paint_items()
        self._cursor.setPen(pyqtgraph.mkPen(colours.muted, width=1, style=Qt.PenStyle.DashLine))
        for side in self._titles:
            axis = self._plot.getAxis(side)
            axis.setPen(colours.border)
            axis.setTextPen(colours.muted)
        self._plot.showGrid(x=False, y=True, alpha=0.15)

    def _hover(self, place: QPointF) -> None:
        """Says the values at the pointer."""
        inside = self._plot.sceneBoundingRect().contains(place)
        position = self._plot.getPlotItem().vb.mapSceneToView(place).x()
        found = self.at_pointer(position) if inside else None
        if found is None:
            self._cursor.hide()
            self._value.clear()
            return
        self._cursor.setPos(found[0])
        self._cursor.show()
        self._value.setText(found[1])
