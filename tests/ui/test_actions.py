from collections import Counter

import pytest
from PySide6.QtGui import QKeySequence

from ocrstudio.paths import resources_dir
from ocrstudio.ui.actions import ACTIONS
from ocrstudio.ui.keys_dialog import keys_html
from ocrstudio.ui.menus import MENUS, SEPARATOR, SUBMENUS

IN_MENUS = [entry for _, entries in MENUS for entry in entries if entry not in (SEPARATOR, *SUBMENUS)]


def test_ids_are_unique():
    assert [name for name, count in Counter(spec.id for spec in ACTIONS).items() if count > 1] == []


def test_no_key_does_two_things():
    keys = Counter(QKeySequence(key).toString() for spec in ACTIONS for key in spec.keys)
    assert [key for key, count in keys.items() if count > 1] == []
    assert "" not in keys


def test_each_action_is_in_exactly_one_menu():
    assert Counter(IN_MENUS) == Counter(spec.id for spec in ACTIONS)


@pytest.mark.parametrize(
    ("action", "keys"),
    [
        ("page.next", ("PgDown", "Ctrl+Right")),
        ("page.previous", ("PgUp", "Ctrl+Left")),
        ("review.next", ("Ctrl+Shift+D",)),
        ("review.previous", ("Ctrl+Shift+A",)),
        ("review.accept", ("Ctrl+Return", "Ctrl+Enter")),
        ("edit.save", ("Ctrl+S",)),
        ("edit.find", ("Ctrl+F",)),
        ("edit.replace", ("Ctrl+H",)),
        ("edit.next_doubt", ("F3",)),
        ("view.fit_page", ("Ctrl+0",)),
        ("view.fit_width", ("Ctrl+Shift+W",)),
        ("page.draft", ("Ctrl+R",)),
        ("window.next_pane", ("F6",)),
        ("help.keys", ("F1", "?")),
    ],
)
def test_the_keys_of_the_design(action, keys):
    assert next(spec.keys for spec in ACTIONS if spec.id == action) == keys


@pytest.mark.parametrize("name", sorted({spec.icon for spec in ACTIONS if spec.icon}))
def test_each_icon_exists(name):
    assert (resources_dir() / "icons" / f"{name}.svg").is_file()


def test_each_action_does_something(studio):
    assert studio.window.book.unconnected() == []


def test_actions_wait_for_a_workspace_and_a_page(studio):
    book = studio.window.book
    assert book["workspace.open"].isEnabled()
    assert not book["documents.import"].isEnabled()
    assert not book["review.accept"].isEnabled()


def test_actions_of_a_page_are_available_once_one_is_shown(opened):
    assert opened.window.book["review.accept"].isEnabled()
    opened.session.close()
    assert not opened.window.book["review.accept"].isEnabled()


def test_menus_show_the_keys(studio):
    bar = studio.window.menuBar()
    page_menu = next(action.menu() for action in bar.actions() if action.text() == "&Page")
    accept = next(action for action in page_menu.actions() if action.objectName() == "review.accept")
    assert accept.shortcut() == QKeySequence("Ctrl+Return")
    assert accept.isShortcutVisibleInContextMenu() or accept.shortcut().toString()


def test_the_list_of_keys_has_every_action_with_a_key():
    text = keys_html(ACTIONS)
    for spec in ACTIONS:
        if spec.keys:
            assert spec.text.replace("&", "").removesuffix("…") in text
