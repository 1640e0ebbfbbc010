"""The environment panel."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QShowEvent
from PySide6.QtWidgets import QLabel, QTreeWidget, QTreeWidgetItem, QWidget

from ocrstudio.services.environment import Verdict
from ocrstudio.ui.environment.facts import TRAINING, Fact, Section, as_text
from ocrstudio.ui.icons import icon
from ocrstudio.ui.theme import theme
from ocrstudio.ui.widgets.buttons import push_button
from ocrstudio.ui.widgets.layouts import Edge, bar, fill

_LEAST_HEIGHT = 160
_WIDTHS = (240, 120)
_VERDICTS = {
    Verdict.OK: ("Good", "accepted", "green"),
    Verdict.DIFFERS: ("Differs", "warning", "orange"),
    Verdict.MISSING: ("Missing", "warning", "orange"),
    Verdict.PROBLEM: ("Problem", "error", "red"),
}


class EnvironmentPanel(QWidget):
    """Shows what was found, in sections; nothing can be changed.

    Signals:
        wanted: The panel is shown for the first time, or the user asks to look again.
        install_requested: The user wants what trains.
    """

    wanted = Signal()
    install_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._sections: tuple[Section, ...] = ()
        self._asked = False
        self._state = QLabel("Nothing was looked at yet")
        self._state.setProperty("role", "muted")
        self.install = push_button("Install what trains…", self.install_requested.emit)
        self.install.hide()
        self.refresh = push_button("Look again", self.wanted.emit)
        self.copy = push_button("Copy", self.copy_all)
        self.copy.setToolTip("Copies everything as text, for a report of a problem")
        self.tree = QTreeWidget()
        self.tree.setHeaderLabels(["What", "State", "Found"])
        self.tree.setAccessibleName("Environment")
        self.tree.setIconSize(QSize(14, 14))
        self.tree.setTextElideMode(Qt.TextElideMode.ElideRight)
        for column, width in enumerate(_WIDTHS):
            self.tree.setColumnWidth(column, width)
        self._lay_out()
        self.setMinimumHeight(_LEAST_HEIGHT)

    def _lay_out(self) -> None:
        head = bar(Edge.BELOW, self._state, self.install, self.copy, self.refresh, wide=self._state)
        fill(self, head, self.tree, wide=self.tree)

    def showEvent(self, event: QShowEvent) -> None:
        """Asks for what is to be shown, once."""
        super().showEvent(event)
        if not self._asked:
            self._asked = True
            self.wanted.emit()

    def show_busy(self) -> None:
        """Says that the machine is being looked at."""
        self._state.setText("Looking …")
        self.refresh.setEnabled(False)

    def show_sections(self, sections: tuple[Section, ...]) -> None:
        """Shows what was found."""
        self._sections = sections
        self.install.setVisible(any(section.title == TRAINING for section in sections))
        facts = [fact for section in sections for fact in section.facts]
        open_points = sum(fact.verdict not in (None, Verdict.OK) for fact in facts)
        self._state.setText(f"{open_points} to look at" if open_points else "Everything is as it should be")
        self.refresh.setEnabled(True)
        self.tree.clear()
        for section in sections:
            heading = QTreeWidgetItem([section.title])
            font = heading.font(0)
            font.setBold(True)
            heading.setFont(0, font)
            heading.addChildren([_item(fact) for fact in section.facts])
            self.tree.addTopLevelItem(heading)
        self.tree.expandAll()

    def show_failure(self, sentence: str) -> None:
        """Says why nothing could be found out."""
        self._state.setText(sentence)
        self.refresh.setEnabled(True)

    def copy_all(self) -> None:
        """Puts everything onto the clipboard."""
        QGuiApplication.clipboard().setText(as_text(self._sections))

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        if self._sections:
            self.show_sections(self._sections)


def _item(fact: Fact) -> QTreeWidgetItem:
    item = QTreeWidgetItem([fact.name, "", fact.found])
    item.setToolTip(2, fact.found)
    if fact.verdict is not None:
        words, picture, colour = _VERDICTS[fact.verdict]
        item.setText(1, words)
        item.setIcon(1, icon(picture, getattr(theme(), colour)))
    return item
