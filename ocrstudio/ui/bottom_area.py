"""The area at the bottom for Teacher, Training, Evaluation and Log: tabs that can be folded away."""

from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QTabWidget, QToolButton, QVBoxLayout, QWidget

from ocrstudio.ui.icons import icon


@dataclass(frozen=True)
class PanelSpec:
    """A panel: its stable name, the words on its tab, and its file in resources/icons."""

    id: str
    title: str
    icon: str


PANELS = (
    PanelSpec("teacher", "Teacher", "teacher"),
    PanelSpec("training", "Training", "training"),
    PanelSpec("evaluation", "Evaluation", "evaluation"),
    PanelSpec("environment", "Environment", "info"),
    PanelSpec("log", "Log", "log"),
)


class BottomArea(QTabWidget):
    """Panels as tabs. The tabs are there from the start; their panels are built later and put into them.

    Signals:
        fold_wanted: The user pressed the button that hides the area.
    """

    fold_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setDocumentMode(True)
        self._fold = QToolButton()
        self._fold.setProperty("flat", "true")
        self._fold.setToolTip("Hide the panels (Ctrl+J)")
        self._fold.setAccessibleName("Hide the panels")
        self._fold.clicked.connect(self.fold_wanted)
        self.setCornerWidget(self._fold, Qt.Corner.TopRightCorner)
        self._places: dict[str, QVBoxLayout] = {}
        for spec in PANELS:
            place = QWidget()
            self._places[spec.id] = QVBoxLayout(place)
            self._places[spec.id].setContentsMargins(0, 0, 0, 0)
            self.addTab(place, spec.title)
        self.restyle()

    def put_panel(self, panel_id: str, panel: QWidget) -> None:
        """Puts a panel under its tab."""
        self._places[panel_id].addWidget(panel)

    def show_panel(self, panel_id: str) -> None:
        """Brings a panel to the front."""
        self.setCurrentIndex(list(self._places).index(panel_id))

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        self._fold.setIcon(icon("down"))
        for number, spec in enumerate(PANELS):
            self.setTabIcon(number, icon(spec.icon))
