"""Colours, palette and style sheet of the window, light and dark.

Widgets ask `theme()` for named colours and never write a literal one, so that a change of the system's
colour scheme reaches everything that is painted by hand.
"""

from dataclasses import asdict, dataclass

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

from ocrstudio.paths import resources_dir


@dataclass(frozen=True)
class Theme:
    """Named colours (``#rrggbb``)."""

    dark: bool
    window: str
    base: str
    raised: str
    text: str
    muted: str
    border: str
    hover: str
    accent: str
    on_accent: str
    selection: str
    canvas: str
    blue: str
    orange: str
    green: str
    red: str
    violet: str
    grey: str
    code: str
    added: str
    removed: str
    found: str
    region: str


LIGHT = Theme(
    dark=False,
    window="#f4f5f7",
    base="#ffffff",
    raised="#ffffff",
    text="#1d2430",
    muted="#5d6878",
    border="#d5d9e0",
    hover="#e8ebf0",
    accent="#2563cf",
    on_accent="#ffffff",
    selection="#d6e4fd",
    canvas="#dfe2e8",
    blue="#2563cf",
    orange="#b45309",
    green="#15803d",
    red="#c62828",
    violet="#7c3aed",
    grey="#626a77",
    code="#9d174d",
    added="#d7f5df",
    removed="#fde0e0",
    found="#ffe58a",
    region="#2563cf",
)
DARK = Theme(
    dark=True,
    window="#1e2127",
    base="#16191e",
    raised="#262a31",
    text="#e4e7ec",
    muted="#9aa4b2",
    border="#373d47",
    hover="#2d323b",
    accent="#6ea3ff",
    on_accent="#0d1726",
    selection="#2c4570",
    canvas="#111317",
    blue="#6ea3ff",
    orange="#f5a04a",
    green="#4cc38a",
    red="#ff7b72",
    violet="#b794f6",
    grey="#98a1ae",
    code="#f0a3c4",
    added="#173d29",
    removed="#4d2025",
    found="#6b5618",
    region="#6ea3ff",
)

PAPER = "#ffffff"
PAPER_NOTE = "#5d6878"
PAPER_MARK = "#c2570c"
"""A page is white in both themes, so what stands on it keeps its colours: a sentence, a marked region."""


class ThemeManager(QObject):
    """Applies a theme to the application and follows the system.

    Signals:
        changed: The colours are different now; hand-painted widgets repaint.
    """

    changed = Signal()

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._app = app
        self.current = LIGHT
        app.setStyle("Fusion")
        app.styleHints().colorSchemeChanged.connect(self._refresh)
        self._refresh()

    def choose(self, scheme: str) -> None:
        """Follows ``system``, or holds ``light`` or ``dark``."""
        schemes = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}
        self._app.styleHints().setColorScheme(schemes.get(scheme, Qt.ColorScheme.Unknown))
        self._refresh(schemes.get(scheme))

    def _refresh(self, scheme: Qt.ColorScheme | None = None) -> None:
        effective = self._app.styleHints().colorScheme() if scheme is None else scheme
        chosen = DARK if effective == Qt.ColorScheme.Dark else LIGHT
        if chosen is self.current and self._app.styleSheet():
            return
        self.current = chosen
        _current[0] = chosen
        self._app.setPalette(palette(chosen))
        self._app.setStyleSheet(style_sheet(chosen))
        self.changed.emit()


_current = [LIGHT]


def theme() -> Theme:
    """The colours in use. Only the `ThemeManager` changes them."""
    return _current[0]


def palette(colours: Theme) -> QPalette:
    """The Qt palette of a theme."""
    result = QPalette()
    roles = {
        QPalette.ColorRole.Window: colours.window,
        QPalette.ColorRole.WindowText: colours.text,
        QPalette.ColorRole.Base: colours.base,
        QPalette.ColorRole.AlternateBase: colours.window,
        QPalette.ColorRole.Text: colours.text,
        QPalette.ColorRole.Button: colours.raised,
        QPalette.ColorRole.ButtonText: colours.text,
        QPalette.ColorRole.ToolTipBase: colours.raised,
        QPalette.ColorRole.ToolTipText: colours.text,
        QPalette.ColorRole.PlaceholderText: colours.muted,
        QPalette.ColorRole.Highlight: colours.selection,
        QPalette.ColorRole.HighlightedText: colours.text,
        QPalette.ColorRole.Link: colours.accent,
        QPalette.ColorRole.LinkVisited: colours.accent,
        QPalette.ColorRole.Accent: colours.accent,
        QPalette.ColorRole.Mid: colours.border,
        QPalette.ColorRole.Dark: colours.border,
        QPalette.ColorRole.Light: colours.raised,
        QPalette.ColorRole.Midlight: colours.hover,
    }
    for role, colour in roles.items():
        result.setColor(role, QColor(colour))
    for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
        faded = QColor(colours.muted)
        faded.setAlpha(140)
        result.setColor(QPalette.ColorGroup.Disabled, role, faded)
    return result


def style_sheet(colours: Theme) -> str:
    """``resources/styles/window.qss`` with ``@name@`` replaced by the theme's colours.

    ``@arrow@``, ``@arrow_up@`` and ``@check@`` are pictures, which a style sheet can only name as files.
    """
    text = (resources_dir() / "styles" / "window.qss").read_text(encoding="utf-8")
    scheme = "dark" if colours.dark else "light"
    for picture in ("arrow", "arrow_up", "check"):
        path = resources_dir() / "icons" / f"{picture}_{scheme}.svg"
        text = text.replace(f"@{picture}@", path.as_posix())
    for name, value in asdict(colours).items():
        text = text.replace(f"@{name}@", str(value))
    return text
