"""The loss curve: training and evaluation loss, and a smoothed line."""

from bisect import bisect_left
from typing import TYPE_CHECKING, Any, TypeAlias

from ocrstudio.ui.background import Background
from ocrstudio.ui.jobs.history import Curve, RunHistory
from ocrstudio.ui.theme import theme
from ocrstudio.ui.widgets.empty_state import EmptyState
from ocrstudio.ui.widgets.plot import Plot

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


class LossCurve(Plot):
    """Draws the curves of a `RunHistory`.

    Args:
        background: Imports what draws.
    """

    def __init__(self, background: Background) -> None:
        empty = EmptyState("training", "No loss yet", "The curve begins with the first step.")
        super().__init__(background, empty, name="Loss curve", bottom="Step", left="Loss")
        self._history: RunHistory | None = None
        self._drawn: tuple[int, int, float] | None = None
        self._lines: dict[str, Any] = {}

    def show_history(self, history: RunHistory | None) -> None:
        """Shows another run, or the same one with more steps."""
        if history is not self._history:
            self._history = history
            self._drawn = None
            self._value.clear()
        if self.isVisible():
            self.draw()

    def draw(self) -> None:
        """Draws the steps so far."""
        history = self._history
        if history is None or not len(history.loss):
            self.is_ready(wanted=False)
            return
        mark = (len(history.loss), len(history.eval_loss), history.loss.steps[-1])
        if mark == self._drawn or not self.is_ready(wanted=True):
            return
        self._drawn = mark
        loss, evaluation = history.loss, history.eval_loss
        self._set("loss", loss, "values")
        self._set("smoothed", loss, "smoothed")
        self._set("evaluation", evaluation, "values")
        # A line of one point is invisible, and the plot would show negative steps around it.
        self._lines["smoothed"].setSymbol("o" if len(loss) == 1 else None)
        last = max(loss.steps[-1], evaluation.steps[-1] if len(evaluation) else 0)
        self._plot.setXRange(0, max(last, _FEWEST_STEPS), padding=0.02)
        self.show_plot()

    def _set(self, name: str, curve: Curve, column: str) -> None:
        import numpy as np

        steps, values = decimate(np.array(curve.steps), np.array(getattr(curve, column)))
        self._lines[name].setData(steps, values)

    def add_items(self, plot: Any) -> None:  # noqa: ANN401 - pyqtgraph has no types
        """The three lines."""
        self._lines = {
            "loss": plot.plot(),
            "smoothed": plot.plot(symbolSize=7),
            "evaluation": plot.plot(symbol="o", symbolSize=7),
        }

    def paint_items(self) -> None:
        """Blue for training, orange for evaluation."""
        import pyqtgraph

        colours = theme()
        faint = pyqtgraph.mkColor(colours.blue)
        faint.setAlpha(130)
        self._lines["loss"].setPen(pyqtgraph.mkPen(faint, width=1))
        for name, colour in (("smoothed", colours.blue), ("evaluation", colours.orange)):
            self._lines[name].setPen(pyqtgraph.mkPen(colour, width=2))
            self._lines[name].setSymbolBrush(colour)
            self._lines[name].setSymbolPen(colour)
        self._legend.setText(
            f'<span style="color:{colours.blue}">\N{BOX DRAWINGS HEAVY HORIZONTAL}</span> training loss, '
            f'smoothed &nbsp; <span style="color:{colours.orange}">\N{BLACK CIRCLE}</span> evaluation loss'
        )

    def at_pointer(self, position: float) -> tuple[float, str] | None:
        """The losses of the nearest step, and the evaluation nearest to it."""
        history = self._history
        if history is None or not len(history.loss):
            return None
        number = nearest(history.loss, position)
        step = history.loss.steps[number]
        words = f"Step {step:g}: loss {history.loss.values[number]:.4f}"
        words += f", smoothed {history.loss.smoothed[number]:.4f}"
        if len(history.eval_loss):
            before = nearest(history.eval_loss, position)
            words += f"; evaluation {history.eval_loss.values[before]:.4f}"
            words += f" at step {history.eval_loss.steps[before]:g}"
        return step, words


def nearest(curve: Curve, step: float) -> int:
    """Position of the point of a curve that is nearest to a step."""
    place = bisect_left(curve.steps, step)
    around = [number for number in (place - 1, place) if 0 <= number < len(curve)]
    return min(around, key=lambda number: abs(curve.steps[number] - step))
