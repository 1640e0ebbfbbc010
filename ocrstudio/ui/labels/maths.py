"""Maths of a label as pictures. Safe to call from any thread."""

import threading
from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

_RATIO = 2.0
_MAX_SOURCE = 2_000
_lock = threading.Lock()  # ziamath keeps global settings and fonts


@dataclass(frozen=True)
class Formula:
    """A formula to draw.

    Attributes:
        source: TeX without its delimiters.
        display: On a line of its own.
        size: Font size in pixels.
        colour: ``#rrggbb``.
    """

    source: str
    display: bool
    size: float
    colour: str


@dataclass(frozen=True)
class Drawn:
    """A formula as a picture.

    Attributes:
        image: The picture, with two dots for each pixel of the screen.
        descent: How far it reaches below the line of text, in pixels.
    """

    image: QImage
    descent: float


@lru_cache(maxsize=1_000)
def draw(formula: Formula) -> Drawn | None:
    """The formula as a picture, or None when it cannot be read as TeX."""
    if len(formula.source) > _MAX_SOURCE:
        return None
    with _lock:
        drawing = _svg(formula)
    if drawing is None:
        return None
    svg, descent = drawing
    renderer = QSvgRenderer(QByteArray(svg.encode()))
    size = renderer.defaultSize()
    if not renderer.isValid() or size.isEmpty():
        return None
    box = renderer.viewBoxF()
    image = QImage(
        max(1, round(box.width() * _RATIO)),
        max(1, round(box.height() * _RATIO)),
        QImage.Format.Format_ARGB32_Premultiplied,
    )
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    renderer.render(painter, QRectF(image.rect()))
    painter.end()
    image.setDevicePixelRatio(_RATIO)
    return Drawn(image, descent)


def _svg(formula: Formula) -> tuple[str, float] | None:
    from ziamath.config import config
    from ziamath.zmath import Latex

    config.svg2 = False  # Qt draws SVG 1.2: paths, no <symbol>
    try:
        expression = Latex(
            formula.source, size=formula.size, color=formula.colour, inline=not formula.display
        )
        return str(expression.svg()), abs(float(expression.getyofst()))
    except Exception:  # noqa: BLE001 - any text may stand between dollar signs, and ziamath raises anything
        return None
