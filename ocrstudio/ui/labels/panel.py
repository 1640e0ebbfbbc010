"""The right side: source line, the tabs Edit, Preview and Compare, and the buttons of review."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QTabWidget, QWidget

from ocrstudio.ui.actions import ActionBook
from ocrstudio.ui.background import Background
from ocrstudio.ui.icons import icon
from ocrstudio.ui.labels.compare import ComparePanel
from ocrstudio.ui.labels.editor import LabelEditor
from ocrstudio.ui.labels.find_bar import FindBar
from ocrstudio.ui.labels.preview import Preview
from ocrstudio.ui.labels.source_line import SourceLine
from ocrstudio.ui.widgets.buttons import labelled_button
from ocrstudio.ui.widgets.layouts import Edge, bar, fill, stacked

_TAB_ICONS = ("edit", "preview", "compare")


class LabelPanel(QWidget):
    """Holds the views of one label; the controller fills them.

    Attributes:
        editor: The Markdown source.
        preview: The rendered label.
        compare: Two versions and their differences.
        find_bar: Find and replace.
        source_line: Facts about the label.
    """

    def __init__(self, actions: ActionBook, background: Background) -> None:
        super().__init__()
        self._actions = actions
        self.source_line = SourceLine()
        self.editor = LabelEditor()
        self.find_bar = FindBar(self.editor)
        self.preview = Preview(background)
        self.compare = ComparePanel()
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        edit = stacked(self.editor, self.find_bar, wide=self.editor)
        for widget, words, action in (
            (edit, "Edit", "view.edit"),
            (self.preview, "Preview", "view.preview"),
            (self.compare, "Compare", "view.compare"),
        ):
            number = self.tabs.addTab(widget, words)
            self.tabs.setTabToolTip(number, f"{words} ({actions[action].shortcut().toString()})")
        self._lay_out()
        self.restyle()

    def _lay_out(self) -> None:
        others = [
            labelled_button(self._actions[action_id], words)
            for action_id, words in (
                ("page.draft", "Draft"),
                ("review.flag", "Flag…"),
                ("review.exclude", "Exclude"),
            )
        ]
        accept = labelled_button(self._actions["review.accept"], "Accept && next", primary=True)
        foot = bar(Edge.ABOVE, *others, None, accept, margins=(10, 8, 10, 8), spacing=6)
        fill(self, self.source_line, self.tabs, foot, wide=self.tabs)

    def show_tab(self, number: int) -> None:
        """Shows Edit (0), Preview (1) or Compare (2) and gives it the focus."""
        self.tabs.setCurrentIndex(number)
        target = (self.editor, self.preview, self.compare)[number]
        target.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def open_find(self, *, replace: bool) -> None:
        """Shows the find bar of the editor."""
        self.tabs.setCurrentIndex(0)
        self.find_bar.open_bar(replace=replace)

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        for number, name in enumerate(_TAB_ICONS):
            self.tabs.setTabIcon(number, icon(name))
        self.editor.restyle()
        self.find_bar.restyle()
        self.preview.restyle()
        self.compare.restyle()
        self.source_line.restyle()
