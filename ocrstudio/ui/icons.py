"""Icons: small SVG files of resources/icons, drawn in a colour of the theme at the screen's resolution."""

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from ocrstudio.paths import resources_dir
from ocrstudio.ui.theme import theme

_RATIOS = (1.0, 2.0)


@lru_cache(maxsize=128)
def _source(name: str) -> str:
    return (resources_dir() / "icons" / f"{name}.svg").read_text(encoding="utf-8")


@lru_cache(maxsize=512)
def pixmap(name: str, colour: str, size: int = 18, ratio: float = 2.0) -> QPixmap:
    """The icon as a picture of ``size`` device-independent pixels."""
    data = QByteArray(_source(name).replace("currentColor", colour).encode())
    result = QPixmap(round(size * ratio), round(size * ratio))
    result.fill(Qt.GlobalColor.transparent)
    painter = QPainter(result)
    QSvgRenderer(data).render(painter, QRectF(result.rect()))
    painter.end()
    result.setDevicePixelRatio(ratio)
    return result


def icon(name: str, colour: str = "") -> QIcon:
    """The icon in a colour (the text colour by default), with a faded form for disabled widgets."""
    colours = theme()
    result = QIcon()
    for ratio in _RATIOS:
        for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):  # Qt would tint a selected one
            result.addPixmap(pixmap(name, colour or colours.text, 18, ratio), mode)
        result.addPixmap(pixmap(name, colours.border, 18, ratio), QIcon.Mode.Disabled)
    return result


def app_icon() -> QIcon:
    """The icon of the application."""
    return QIcon(str(resources_dir() / "icons" / "app.svg"))
