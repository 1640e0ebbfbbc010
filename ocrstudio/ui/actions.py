"""Every action of the window as one table; menus are a second table (`menus`).

The keys are shown in the menus, and the list of keys (F1) is generated from this table. An action is joined
to what it does by `ActionBook.connect`, so that neither table knows a controller.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from ocrstudio.ui.icons import icon


class Context(StrEnum):
    """When an action can be used."""

    ALWAYS = "always"
    WORKSPACE = "a workspace is open"
    PAGE = "a page is shown"


class Group(StrEnum):
    """Heading in the list of keys."""

    WORKSPACE = "Workspace"
    PAGES = "Pages"
    REVIEW = "Review"
    EDITOR = "Editor"
    VIEW = "Page view"
    WINDOW = "Window"


@dataclass(frozen=True)
class ActionSpec:
    """One action.

    Attributes:
        id: Stable name, ``area.verb``.
        text: Words in the menu; an ellipsis when a dialog follows.
        keys: Shortcuts in Qt's portable form; the first is shown in the menu.
        group: Heading in the list of keys.
        context: When it can be used.
        icon: File name in resources/icons without its ending, or empty.
        checkable: Whether it is a switch.
        note: A remark for the list of keys.
    """

    id: str
    text: str
    keys: tuple[str, ...] = ()
    group: Group = Group.WINDOW
    context: Context = Context.ALWAYS
    icon: str = ""
    checkable: bool = False
    note: str = ""


_W, _P = Context.WORKSPACE, Context.PAGE

ACTIONS: tuple[ActionSpec, ...] = (
    ActionSpec("workspace.new", "&New workspace…", ("Ctrl+N",), Group.WORKSPACE, icon="new"),
    ActionSpec("workspace.open", "&Open workspace…", ("Ctrl+O",), Group.WORKSPACE, icon="folder"),
    ActionSpec("workspace.open_document", "Open &PDF…", ("Ctrl+Shift+O",), Group.WORKSPACE, icon="document"),
    ActionSpec("workspace.sample", "Open the s&ample workspace", (), Group.WORKSPACE, icon="document"),
    ActionSpec("workspace.close", "&Close workspace", ("Ctrl+W",), Group.WORKSPACE, _W),
    ActionSpec("documents.import", "&Import documents…", ("Ctrl+I",), Group.WORKSPACE, _W, "import"),
    ActionSpec(
        "documents.import_folder", "Import &folder…", ("Ctrl+Shift+I",), Group.WORKSPACE, _W, "folder"
    ),
    ActionSpec("datasets.export", "&Export dataset…", ("Ctrl+E",), Group.WORKSPACE, _W, "export"),
    ActionSpec("datasets.import", "Import dataset…", (), Group.WORKSPACE, _W, "import"),
    ActionSpec("documents.remove", "Remo&ve document…", (), Group.WORKSPACE, _P, "excluded"),
    ActionSpec("app.settings", "&Settings…", ("Ctrl+,",), Group.WINDOW, icon="settings"),
    ActionSpec("app.quit", "&Quit", ("Ctrl+Q",), Group.WINDOW),
    ActionSpec("edit.undo", "&Undo", ("Ctrl+Z",), Group.EDITOR, _P, "undo"),
    ActionSpec("edit.redo", "&Redo", ("Ctrl+Shift+Z", "Ctrl+Y"), Group.EDITOR, _P, "redo"),
    ActionSpec("edit.find", "&Find…", ("Ctrl+F",), Group.EDITOR, _P, "find"),
    ActionSpec("edit.replace", "&Replace…", ("Ctrl+H",), Group.EDITOR, _P, "replace"),
    ActionSpec("edit.next_doubt", "Next &doubtful spot", ("F3",), Group.EDITOR, _P),
    ActionSpec("edit.previous_doubt", "Previous doubtful spot", ("Shift+F3",), Group.EDITOR, _P),
    ActionSpec(
        "edit.save", "&Save now", ("Ctrl+S",), Group.EDITOR, _P, "save", note="typing is saved by itself"
    ),
    ActionSpec(
        "page.previous",
        "&Previous page",
        ("PgUp", "Ctrl+Left"),
        Group.PAGES,
        _W,
        "previous",
        note="in a text field Ctrl+Left moves by a word",
    ),
    ActionSpec(
        "page.next",
        "&Next page",
        ("PgDown", "Ctrl+Right"),
        Group.PAGES,
        _W,
        "next",
        note="in a text field Ctrl+Right moves by a word",
    ),
    ActionSpec("page.go_to", "&Go to page…", ("Ctrl+G",), Group.PAGES, _P),
    ActionSpec("page.filter", "Filter the page &list", ("Ctrl+L",), Group.PAGES, _W, "filter"),
    ActionSpec("review.next", "Next page &to review", ("Ctrl+Shift+D",), Group.REVIEW, _W),
    ActionSpec("review.next_flagged", "Next flagge&d page", ("Ctrl+Shift+G",), Group.REVIEW, _W),
    ActionSpec("review.previous", "Previous page to review", ("Ctrl+Shift+A",), Group.REVIEW, _W),
    ActionSpec(
        "review.accept", "&Accept and go on", ("Ctrl+Return", "Ctrl+Enter"), Group.REVIEW, _P, "accepted"
    ),
    ActionSpec("review.flag", "&Flag…", ("Ctrl+Shift+F",), Group.REVIEW, _P, "flagged"),
    ActionSpec("review.exclude", "&Exclude", ("Ctrl+Shift+X",), Group.REVIEW, _P, "excluded"),
    ActionSpec("review.reopen", "&Reopen", ("Ctrl+Shift+E",), Group.REVIEW, _P, "restore"),
    ActionSpec("page.draft", "&Draft this page", ("Ctrl+R",), Group.REVIEW, _P, "teacher"),
    ActionSpec(
        "view.zoom_in", "Zoom &in", ("Ctrl++", "Ctrl+="), Group.VIEW, _P, "zoom_in", note="or Ctrl+wheel"
    ),
    ActionSpec("view.zoom_out", "Zoom &out", ("Ctrl+-",), Group.VIEW, _P, "zoom_out", note="or Ctrl+wheel"),
    ActionSpec("view.fit_page", "Fit &page", ("Ctrl+0",), Group.VIEW, _P, "fit_page"),
    ActionSpec("view.fit_width", "Fit &width", ("Ctrl+Shift+W",), Group.VIEW, _P, "fit_width"),
    ActionSpec("view.regions", "Show &regions", ("Ctrl+Shift+R",), Group.VIEW, _P, "regions", checkable=True),
    ActionSpec("view.edit", "&Edit", ("Ctrl+1",), Group.WINDOW, _P, "edit"),
    ActionSpec("view.preview", "Pre&view", ("Ctrl+2",), Group.WINDOW, _P, "preview"),
    ActionSpec("view.compare", "&Compare", ("Ctrl+3",), Group.WINDOW, _P, "compare"),
    ActionSpec("window.next_pane", "Next pane", ("F6",), Group.WINDOW),
    ActionSpec("window.previous_pane", "Previous pane", ("Shift+F6",), Group.WINDOW),
    ActionSpec("window.panels", "&Bottom panels", ("Ctrl+J",), Group.WINDOW, icon="panel", checkable=True),
    ActionSpec("help.keys", "&Keys", ("F1", "?"), Group.WINDOW, icon="keyboard"),
    ActionSpec("help.about", "&About OCR Studio", (), Group.WINDOW, icon="info"),
)


class ActionBook:
    """The table as QActions of a window.

    Args:
        window: Owner of the actions; their shortcuts work everywhere in it.
        specs: The table.
    """

    def __init__(self, window: QWidget, specs: Iterable[ActionSpec] = ACTIONS) -> None:
        self.specs = {spec.id: spec for spec in specs}
        self._connected: set[str] = set()
        self._actions: dict[str, QAction] = {}
        for spec in self.specs.values():
            action = QAction(spec.text, window)
            action.setObjectName(spec.id)
            action.setShortcuts([QKeySequence(keys) for keys in spec.keys])
            action.setCheckable(spec.checkable)
            action.setMenuRole(QAction.MenuRole.NoRole)
            self._actions[spec.id] = action
            window.addAction(action)
        self.refresh_icons()
        self.set_available(frozenset({Context.ALWAYS}))

    def __getitem__(self, action_id: str) -> QAction:
        return self._actions[action_id]

    def some(self, action_ids: Iterable[str]) -> tuple[QAction, ...]:
        """Several actions, for a menu of a panel."""
        return tuple(self._actions[action_id] for action_id in action_ids)

    def connect(self, action_id: str, handler: Callable[[], object]) -> None:
        """Calls ``handler`` without arguments when the action is triggered."""
        self._actions[action_id].triggered.connect(lambda _checked=False: handler())
        self._connected.add(action_id)

    def connect_toggle(self, action_id: str, handler: Callable[[bool], object]) -> None:
        """Calls ``handler`` with the new state of a switch, also when it is set by the program."""
        self._actions[action_id].toggled.connect(handler)
        self._connected.add(action_id)

    def unconnected(self) -> list[str]:
        """Ids of actions that nothing handles."""
        return [action_id for action_id in self._actions if action_id not in self._connected]

    def set_available(self, contexts: frozenset[Context]) -> None:
        """Enables the actions of the given contexts and disables the rest."""
        for spec in self.specs.values():
            self._actions[spec.id].setEnabled(spec.context in contexts or spec.context is Context.ALWAYS)

    def refresh_icons(self) -> None:
        """Draws the icons in the colours of the theme."""
        for spec in self.specs.values():
            if spec.icon:
                self._actions[spec.id].setIcon(icon(spec.icon))
