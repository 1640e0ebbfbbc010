import re
from dataclasses import asdict

import pytest
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QAbstractButton

from ocrstudio.ui.theme import DARK, LIGHT, ThemeManager, style_sheet, theme


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first, second):
    """WCAG 2.1 contrast ratio."""
    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    "name", ["text", "muted", "blue", "orange", "green", "red", "violet", "grey", "code", "accent"]
)
def test_words_can_be_read_on_every_background(colours, name):
    for background in (colours.base, colours.window, colours.raised):
        assert contrast(getattr(colours, name), background) >= 4.5


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_every_name_of_the_style_sheet_is_a_colour(colours):
    assert re.findall(r"@\w+@", style_sheet(colours)) == []


def test_the_chosen_scheme_takes_effect_at_once(qapp, qtbot):
    manager = ThemeManager(qapp)
    with qtbot.waitSignal(manager.changed):
        manager.choose("dark" if not theme().dark else "light")
    manager.choose("dark")
    assert theme() is DARK
    manager.choose("light")
    assert theme() is LIGHT
    manager.deleteLater()


def test_both_themes_define_the_same_colours():
    assert asdict(LIGHT).keys() == asdict(DARK).keys()


def faint_icons(window):
    """Buttons whose picture can hardly be seen on the window."""
    found = []
    for button in window.findChildren(QAbstractButton):
        if not button.isVisible() or not button.isEnabled() or button.icon().isNull():
            continue
        picture = button.icon().pixmap(QSize(18, 18)).toImage()
        colours = [picture.pixelColor(x, y) for x in range(picture.width()) for y in range(picture.height())]
        solid = {colour.name() for colour in colours if colour.alpha() > 200}
        if solid and max(contrast(colour, theme().window) for colour in solid) < 3:
            found.append(button.text() or button.toolTip())
    return found


def test_pictures_on_buttons_follow_the_theme(studio, workspace_root, qtbot):
    for scheme in ("dark", "light"):
        studio.themes.choose(scheme)
        assert faint_icons(studio.window) == [], f"start page, {scheme}"
    assert studio.workspaces.open(workspace_root)
    qtbot.waitUntil(lambda: studio.session.page_id is not None)
    assert studio.panels is not None
    for scheme in ("dark", "light"):
        studio.themes.choose(scheme)
        assert faint_icons(studio.window) == [], f"workspace, {scheme}"
