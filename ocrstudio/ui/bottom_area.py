"""The area at the bottom for Teacher, Training, Evaluation and Log: tabs that can be folded away."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QTabWidget, QToolButton, QWidget

from ocrstudio.ui.icons import icon


class BottomArea(QTabWidget):
    """Panels as tabs.

    Signals:
        fold_wanted: The user pressed the button that hides the area.
    """

    fold_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setDocumentMode(True)
        self._ids: list[str] = []
        self._icons: list[str] = []
        self._fold = QToolButton()
        self._fold.setProperty("flat", "true")
        self._fold.setToolTip("Hide the panels (Ctrl+J)")
        self._fold.setAccessibleName("Hide the panels")
        self._fold.clicked.connect(self.fold_wanted)
        self.setCornerWidget(self._fold, Qt.Corner.TopRightCorner)
        self.restyle()

    def add_panel(self, panel_id: str, title: str, icon_name: str, widget: QWidget) -> None:
        """Adds a panel at the end.

        Args:
            panel_id: Stable name for `show_panel`.
            title: Words on the tab.
            icon_name: File in resources/icons.
            widget: The panel.
        """
        self._ids.append(panel_id)
        self._icons.append(icon_name)
        self.addTab(widget, icon(icon_name), title)

    def show_panel(self, panel_id: str) -> None:
        """Brings a panel to the front."""
        self.setCurrentIndex(self._ids.index(panel_id))

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        self._fold.setIcon(icon("down"))
        for number, name in enumerate(self._icons):
            self.setTabIcon(number, icon(name))
