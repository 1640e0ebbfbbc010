"""The learning curve: error on the held-out pages over pages trained on, and what more pages would bring."""

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from ocrstudio.domain.wording import count_of
from ocrstudio.ui.background import Background
from ocrstudio.ui.jobs.history import RunHistory
from ocrstudio.ui.theme import theme
from ocrstudio.ui.widgets.empty_state import EmptyState
from ocrstudio.ui.widgets.plot import Plot

_LAW_POINTS = 60
_BEAM = 0.012  # width of the ends of an error bar, of the axis
_ROOM = 1.05  # of the axis, right of the last point


class LearningCurve(QWidget):
    """The sentence of a learning curve, and its plot.

    Args:
        background: Imports what draws.
    """

    def __init__(self, background: Background) -> None:
        super().__init__()
        self.plot = CurvePlot(background)
        self._sentence = QLabel()
        self._sentence.setWordWrap(True)
        self._sentence.setAccessibleName("What more pages would bring")
        self._sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._sentence.setContentsMargins(12, 8, 12, 0)
        self._sentence.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._sentence)
        column.addWidget(self.plot, 1)

    def show_history(self, history: RunHistory | None) -> None:
        """Shows another run, or the same one with more points."""
        outlook = _outlook(history)
        self._sentence.setText(str(outlook.get("sentence", "")))
        self._sentence.setVisible(bool(outlook))
        self.plot.show_points(history.points if history is not None else (), outlook)

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        self.plot.restyle()


class CurvePlot(Plot):
    """Draws points with their intervals, and the law beyond them as a dashed line.

    Args:
        background: Imports what draws.
    """

    def __init__(self, background: Background) -> None:
        empty = EmptyState("training", "No point yet", "The first one is the student before any training.")
        super().__init__(background, empty, name="Learning curve", bottom="Pages trained on", left="CER, %")
        self._points: list[Mapping[str, Any]] = []
        self._outlook: Mapping[str, Any] = {}
        self._drawn: tuple[list[Mapping[str, Any]], Mapping[str, Any]] | None = None
        self._items: dict[str, Any] = {}

    def show_points(self, points: Sequence[Mapping[str, Any]], outlook: Mapping[str, Any]) -> None:
        """Shows what was measured so far.

        Args:
            points: Data of the run's ``point`` events, rates as fractions.
            outlook: As `services.curve_record.outlook_to_json` has it; empty before the end.
        """
        self._points, self._outlook = list(points), outlook
        if self.isVisible():
            self.draw()

    def draw(self) -> None:
        """Draws the points and the law."""
        mark = (self._points, self._outlook)
        if not self.is_ready(wanted=bool(self._points)) or self._drawn == mark:
            return
        self._drawn = mark
        law = _law_of(self._points, self._outlook)
        last = max(float(point["pages"]) for point in [*self._points, *([self._outlook] if law[0] else [])])
        width = max(last, 1.0)
        self._items["measured"].setData(*_line_of(self._points))
        self._items["law"].setData(*law)
        self._items["promised"].setData([law[0][-1]] if law[0] else [], [law[1][-1]] if law[0] else [])
        self._items["bars"].setData(**_bars(self._points, width))
        self._items["promised bars"].setData(**_bars([self._outlook] if law[0] else [], width))
        self._plot.setXRange(0, width * _ROOM, padding=0.02)
        self.show_plot()

    def add_items(self, plot: Any) -> None:  # noqa: ANN401 - pyqtgraph has no types
        """Points, bars and lines."""
        import pyqtgraph

        self._items = {
            "bars": pyqtgraph.ErrorBarItem(),
            "promised bars": pyqtgraph.ErrorBarItem(),
            "law": plot.plot(),
            "measured": plot.plot(symbol="o", symbolSize=8),
            "promised": plot.plot(symbol="o", symbolSize=8),
        }
        for name in ("bars", "promised bars"):
            plot.addItem(self._items[name])

    def paint_items(self) -> None:
        """Blue for what was measured, orange for what is expected."""
        import pyqtgraph

        colours = theme()
        blue, orange = colours.blue, colours.orange
        self._items["measured"].setPen(pyqtgraph.mkPen(blue, width=2))
        self._items["measured"].setSymbolBrush(blue)
        self._items["measured"].setSymbolPen(blue)
        self._items["law"].setPen(pyqtgraph.mkPen(orange, width=2, style=Qt.PenStyle.DashLine))
        self._items["promised"].setSymbolBrush(colours.base)
        self._items["promised"].setSymbolPen(pyqtgraph.mkPen(orange, width=2))
        self._items["bars"].setData(pen=pyqtgraph.mkPen(blue, width=1))
        self._items["promised bars"].setData(pen=pyqtgraph.mkPen(orange, width=1))
        self._legend.setText(
            f'<span style="color:{blue}">\N{BLACK CIRCLE}</span> on the held-out pages, 95 % interval '
            "&nbsp; "
            f'<span style="color:{orange}">\N{BOX DRAWINGS LIGHT TRIPLE DASH HORIZONTAL}'
            "\N{WHITE CIRCLE}</span> expected of more pages"
        )

    def at_pointer(self, position: float) -> tuple[float, str] | None:
        """The nearest point."""
        points = [*self._points, *([self._outlook] if "cer" in self._outlook else [])]
        if not points:
            return None
        point = min(points, key=lambda one: abs(float(one["pages"]) - position))
        pages = int(point["pages"])
        words = f"{count_of(pages, 'page') if pages else 'Not trained'}: "
        words += "expected " if point is self._outlook else ""
        words += f"CER {point['cer']:.1%}"
        if point.get("low") is not None and point.get("high") is not None:
            words += f" ({point['low']:.1%} to {point['high']:.1%})"
        if point.get("eval_loss") is not None:
            words += f", evaluation loss {point['eval_loss']:.4f}"
        return float(pages), words


def sentence_of(history: RunHistory) -> str:
    """What a finished curve says of more pages."""
    return str(_outlook(history).get("sentence", ""))


def _outlook(history: RunHistory | None) -> Mapping[str, Any]:
    found = history.summary.get("outlook") if history is not None else None
    return found if isinstance(found, Mapping) else {}


def _line_of(points: Sequence[Mapping[str, Any]]) -> tuple[list[float], list[float]]:
    return [float(point["pages"]) for point in points], [100 * float(point["cer"]) for point in points]


def _law_of(
    points: Sequence[Mapping[str, Any]], outlook: Mapping[str, Any]
) -> tuple[list[float], list[float]]:
    """The fitted law from the first trained point to where it leads; empty where there is none."""
    first = min((float(point["pages"]) for point in points if point["pages"]), default=0.0)
    if "exponent" not in outlook or not first:
        return [], []
    steps = [
        first + (float(outlook["pages"]) - first) * step / _LAW_POINTS for step in range(_LAW_POINTS + 1)
    ]
    return steps, [100 * outlook["factor"] * pages ** -outlook["exponent"] for pages in steps]


def _bars(points: Sequence[Mapping[str, Any]], width: float) -> dict[str, Any]:
    """The arguments of pyqtgraph's error bars; points without an interval have none."""
    import numpy as np

    known = [point for point in points if point.get("low") is not None and point.get("high") is not None]
    pages, rates, low, high = (
        np.array([float(point[key]) for point in known]) for key in ("pages", "cer", "low", "high")
    )
    # Percentiles of few pages may lie on one side of the rate itself.
    top, bottom = np.maximum(high - rates, 0), np.maximum(rates - low, 0)
    return {"x": pages, "y": 100 * rates, "top": 100 * top, "bottom": 100 * bottom, "beam": _BEAM * width}
