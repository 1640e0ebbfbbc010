"""The list of keys, generated from the table of actions."""

import html
from collections.abc import Iterable

from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from ocrstudio.ui.actions import ActionSpec, Group
from ocrstudio.ui.theme import theme


def keys_html(specs: Iterable[ActionSpec]) -> str:
    """A table of keys by group."""
    colours = theme()
    by_group: dict[Group, list[ActionSpec]] = {group: [] for group in Group}
    for spec in specs:
        if spec.keys:
            by_group[spec.group].append(spec)
    parts = [f'<table width="100%" cellspacing="0" cellpadding="4" style="color: {colours.text}">']
    for group, members in by_group.items():
        if members:
            parts.append(f'<tr><td colspan="2"><b><br>{html.escape(group.value)}</b></td></tr>')
        for spec in members:
            keys = ", ".join(
                html.escape(QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText))
                for key in spec.keys
            )
            words = html.escape(spec.text.replace("&", "").removesuffix("…"))
            note = (
                f' <span style="color: {colours.muted}">({html.escape(spec.note)})</span>'
                if spec.note
                else ""
            )
            parts.append(f'<tr><td width="38%"><code>{keys}</code></td><td>{words}{note}</td></tr>')
    return "".join([*parts, "</table>"])


class KeysDialog(QDialog):
    """Shows the keys; not modal, so that they can be tried."""

    def __init__(self, parent: QWidget, specs: Iterable[ActionSpec]) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        self.resize(620, 640)
        text = QTextBrowser()
        text.setHtml(keys_html(specs))
        text.document().setDocumentMargin(12)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(text)
        column.addWidget(buttons)
