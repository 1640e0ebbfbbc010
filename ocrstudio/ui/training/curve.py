"""The loss curve: training and evaluation loss, and a smoothed line.

pyqtgraph takes a second to import; that happens in a thread, when the first curve is to be seen.
"""

import importlib
import sys
from bisect import bisect_left
from typing import TYPE_CHECKING, Any, TypeAlias

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from ocrstudio.ui.background import Background
from ocrstudio.ui.jobs.history import Curve, RunHistory
from ocrstudio.ui.theme import theme
from ocrstudio.ui.widgets.empty_state import EmptyState

_FEWEST_STEPS = 5
"""The steps that the axis has at least."""

_MOST_POINTS = 4_000
"""Points that are drawn of a line at most; beyond it, each stretch keeps its lowest and highest value."""

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats: TypeAlias = npt.NDArray[np.float64]


def decimate(steps: "Floats", values: "Floats", most: int = _MOST_POINTS) -> "tuple[Floats, Floats]":
    """Fewer points with the same outline: the lowest and highest of each stretch, in order, and the last.

    Args:
        steps: Horizontal positions, ascending.
        values: Vertical positions.
        most: Largest number of points to keep.
    """
    import numpy as np

    count = len(steps)
    if count <= most:
        return steps, values
    stretch = -(-count // (most // 2 - 1))
    whole = count // stretch * stretch
    blocks = values[:whole].reshape(-1, stretch)
    starts = np.arange(0, whole, stretch)
    both = np.stack([starts + blocks.argmin(axis=1), starts + blocks.argmax(axis=1)], axis=1)
    kept = np.unique(np.concatenate([both.ravel(), [count - 1]]))
    return steps[kept], values[kept]


class LossCurve(QWidget):
    """Draws the curves of a `RunHistory`.

    Args:
        background: Imports what draws.
    """

    def __init__(self, background: Background) -> None:
        super().__init__()
        self._background = background
        self._importing = False
        self._history: RunHistory | None = None
        self._drawn: tuple[int, int, float] | None = None
        self._plot: Any = None
        self._page = QWidget()
        self._lines: dict[str, Any] = {}
        self._cursor: Any = None
        self._value = QLabel()
        self._value.setProperty("role", "muted")
        self._value.setAccessibleName("Values at the pointer")
        self._legend = QLabel()
        self._legend.setTextFormat(Qt.TextFormat.RichText)
        self._empty = EmptyState("training", "No loss yet", "The curve begins with the first step.")
        self._stack = QStackedWidget()
        self._blank = QWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self._blank)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._stack)

    def show_history(self, history: RunHistory | None) -> None:
        """Shows another run, or the same one with more steps."""
        if history is not self._history:
            self._history = history
            self._drawn = None
            self._value.clear()
        if self.isVisible():
            self._draw()

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        self._empty.restyle()
        if self._plot is not None:
            self._paint_theme()

    def showEvent(self, event: QEvent) -> None:
        """Draws what came while it was hidden."""
        super().showEvent(event)  # type: ignore[arg-type]
        self._draw()

    def _draw(self) -> None:
        history = self._history
        if history is None or not len(history.loss):
            self._stack.setCurrentWidget(self._empty)
            return
        mark = (len(history.loss), len(history.eval_loss), history.loss.steps[-1])
        if mark == self._drawn:
            return
        if self._plot is None and not self._is_imported():
            self._stack.setCurrentWidget(self._blank)
            return
        if self._plot is None:
            self._make_plot()
        self._drawn = mark
        loss, evaluation = history.loss, history.eval_loss
        self._set("loss", loss, "values")
        self._set("smoothed", loss, "smoothed")
        self._set("evaluation", evaluation, "values")
        # A line of one point is invisible, and the plot would show negative steps around it.
        self._lines["smoothed"].setSymbol("o" if len(loss) == 1 else None)
        last = max(loss.steps[-1], evaluation.steps[-1] if len(evaluation) else 0)
        self._plot.setXRange(0, max(last, _FEWEST_STEPS), padding=0.02)
        self._stack.setCurrentWidget(self._page)

    def _is_imported(self) -> bool:
        """Whether pyqtgraph is there; otherwise it comes, and the curve is drawn then."""
        if "pyqtgraph" in sys.modules and not self._importing:
            return True
        if not self._importing:
            self._importing = True
            self._background.run(lambda _: importlib.import_module("pyqtgraph"), self._take_import)
        return False

    def _take_import(self, _module: object) -> None:
        self._importing = False
        if self.isVisible():
            self._draw()

    def _set(self, name: str, curve: Curve, column: str) -> None:
        import numpy as np

        steps, values = decimate(np.array(curve.steps), np.array(getattr(curve, column)))
        self._lines[name].setData(steps, values)

    # The plot

    def _make_plot(self) -> None:
        import pyqtgraph

        pyqtgraph.setConfigOptions(antialias=True)
        plot = pyqtgraph.PlotWidget()
        plot.setMenuEnabled(False)
        plot.hideButtons()
        plot.setMouseEnabled(x=False, y=False)
        plot.setLabel("bottom", "Step")
        plot.setLabel("left", "Loss")
        plot.setAccessibleName("Loss curve")
        self._lines = {
            "loss": plot.plot(),
            "smoothed": plot.plot(symbolSize=7),
            "evaluation": plot.plot(symbol="o", symbolSize=7),
        }
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
        faint = pyqtgraph.mkColor(colours.blue)
        faint.setAlpha(130)
        self._lines["loss"].setPen(pyqtgraph.mkPen(faint, width=1))
        self._lines["smoothed"].setPen(pyqtgraph.mkPen(colours.blue, width=2))
        self._lines["smoothed"].setSymbolBrush(colours.blue)
        self._lines["smoothed"].setSymbolPen(colours.blue)
        self._lines["evaluation"].setPen(pyqtgraph.mkPen(colours.orange, width=2))
        self._lines["evaluation"].setSymbolBrush(colours.orange)
        self._lines["evaluation"].setSymbolPen(colours.orange)
        self._cursor.setPen(pyqtgraph.mkPen(colours.muted, width=1, style=Qt.PenStyle.DashLine))
        for side in ("bottom", "left"):
            axis = self._plot.getAxis(side)
            axis.setPen(colours.border)
            axis.setTextPen(colours.muted)
        self._plot.showGrid(x=False, y=True, alpha=0.15)
        self._legend.setText(
            f'<span style="color:{colours.blue}">\N{BOX DRAWINGS HEAVY HORIZONTAL}</span> training loss, '
            f'smoothed &nbsp; <span style="color:{colours.orange}">\N{BLACK CIRCLE}</span> evaluation loss'
        )

    def _hover(self, place: QPointF) -> None:
        """Says the values at the pointer."""
        history = self._history
        inside = self._plot.sceneBoundingRect().contains(place)
        if history is None or not len(history.loss) or not inside:
            self._cursor.hide()
            self._value.clear()
            return
        wanted = self._plot.getPlotItem().vb.mapSceneToView(place).x()
        number = nearest(history.loss, wanted)
        step = history.loss.steps[number]
        self._cursor.setPos(step)
        self._cursor.show()
        words = f"Step {step:g}: loss {history.loss.values[number]:.4f}"
        words += f", smoothed {history.loss.smoothed[number]:.4f}"
        if len(history.eval_loss):
            before = nearest(history.eval_loss, wanted)
            words += f"; evaluation {history.eval_loss.values[before]:.4f}"
            words += f" at step {history.eval_loss.steps[before]:g}"
        self._value.setText(words)


def nearest(curve: Curve, step: float) -> int:
    """Position of the point of a curve that is nearest to a step."""
    place = bisect_left(curve.steps, step)
    around = [number for number in (place - 1, place) if 0 <= number < len(curve)]
    return min(around, key=lambda number: abs(curve.steps[number] - step))
