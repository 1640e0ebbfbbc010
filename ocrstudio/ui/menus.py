"""The menus as a table of action ids."""

from PySide6.QtWidgets import QMenu, QMenuBar

from ocrstudio.ui.actions import ActionBook

SEPARATOR = ""
RECENT = "@recent"
REMOVED = "@removed"
SUBMENUS = {RECENT: "Open &recent", REMOVED: "Restore removed docu&ments"}
"""Menus whose entries are only known when they open; whoever knows them fills them."""

MENUS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "&File",
        (
            "workspace.new",
            "workspace.open",
            "workspace.open_document",
            "workspace.sample",
            RECENT,
            SEPARATOR,
            "documents.import",
            "documents.import_folder",
            "documents.remove",
            REMOVED,
            SEPARATOR,
            "datasets.export",
            "datasets.import",
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
            "review.next_flagged",
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


def build_menus(bar: QMenuBar, actions: ActionBook) -> dict[str, QMenu]:
    """Fills the menu bar.

    Args:
        bar: The window's menu bar.
        actions: The actions.

    Returns:
        The menus of `SUBMENUS`, still empty.
    """
    submenus: dict[str, QMenu] = {}
    for title, entries in MENUS:
        menu = bar.addMenu(title)
        for entry in entries:
            if entry == SEPARATOR:
                menu.addSeparator()
            elif entry in SUBMENUS:
                submenus[entry] = menu.addMenu(SUBMENUS[entry])
            else:
                menu.addAction(actions[entry])
    return submenus
