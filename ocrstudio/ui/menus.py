"""The menus as a table of action ids."""

from collections.abc import Callable

from PySide6.QtWidgets import QMenu, QMenuBar

from ocrstudio.ui.actions import ActionBook

SEPARATOR = ""
RECENT = "@recent"

MENUS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "&File",
        (
            "workspace.new",
            "workspace.open",
            "workspace.open_document",
            RECENT,
            SEPARATOR,
            "documents.import",
            "documents.import_folder",
            SEPARATOR,
            "edit.save",
            "app.settings",
            SEPARATOR,
            "workspace.close",
            "app.quit",
        ),
    ),
    (
        "&Edit",
        (
            "edit.undo",
            "edit.redo",
            SEPARATOR,
            "edit.find",
            "edit.replace",
            SEPARATOR,
            "edit.next_doubt",
            "edit.previous_doubt",
        ),
    ),
    (
        "&Page",
        (
            "page.previous",
            "page.next",
            "page.go_to",
            "page.filter",
            SEPARATOR,
            "review.next",
            "review.previous",
            SEPARATOR,
            "review.accept",
            "review.flag",
            "review.exclude",
            "review.reopen",
            SEPARATOR,
            "page.draft",
        ),
    ),
    (
        "&View",
        (
            "view.zoom_in",
            "view.zoom_out",
            "view.fit_page",
            "view.fit_width",
            "view.regions",
            SEPARATOR,
            "view.edit",
            "view.preview",
            "view.compare",
            SEPARATOR,
            "window.panels",
            "window.next_pane",
            "window.previous_pane",
        ),
    ),
    ("&Help", ("help.keys", "help.about")),
)


def build_menus(bar: QMenuBar, actions: ActionBook, fill_recent: Callable[[QMenu], None]) -> None:
    """Fills the menu bar.

    Args:
        bar: The window's menu bar.
        actions: The actions.
        fill_recent: Fills the menu of recent workspaces each time it opens.
    """
    for title, entries in MENUS:
        menu = bar.addMenu(title)
        for entry in entries:
            if entry == SEPARATOR:
                menu.addSeparator()
            elif entry == RECENT:
                recent = menu.addMenu("Open &recent")
                recent.aboutToShow.connect(lambda target=recent: fill_recent(target))
            else:
                menu.addAction(actions[entry])
