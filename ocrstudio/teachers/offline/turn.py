"""How a picture has to be turned so that its text stands upright, and where things lie before and after."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ocrstudio.domain.region import Box

Points = npt.NDArray[np.float64]
"""x and y in pixels, shape [count, 2]."""

_SURE_ASPECT = 4.0  # a short word gives no angle
_MIN_DEGREES = 0.15


@dataclass(frozen=True)
class Turn:
    """The upright page that a picture becomes.

    Attributes:
        width: Width of the picture in pixels.
        height: Height of the picture in pixels.
        quarters: Quarter turns, counter-clockwise, 0 to 3.
        degrees: The rest of the turn, counter-clockwise; the page grows to keep its corners.
    """

    width: int
    height: int
    quarters: int = 0
    degrees: float = 0.0

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the upright page in pixels."""
        width, height = self._quartered
        if not self.degrees:
            return width, height
        cosine, sine = abs(math.cos(math.radians(self.degrees))), abs(math.sin(math.radians(self.degrees)))
        return math.ceil(width * cosine + height * sine), math.ceil(width * sine + height * cosine)

    @property
    def is_identity(self) -> bool:
        """Whether the picture stands upright already."""
        return not self.quarters and not self.degrees

    @property
    def matrix(self) -> npt.NDArray[np.float64]:
        """From picture to upright page, homogeneous, shape [3, 3]."""
        return self._skew @ self._quarter

    def forward(self, points: npt.ArrayLike) -> Points:
        """Points of the picture on the upright page."""
        return _apply(self.matrix, points)

    def back(self, box: tuple[float, float, float, float]) -> Box:
        """A rectangle of the upright page as fractions of the picture; the smallest that holds it there."""
        x0, y0, x1, y1 = box
        corners = _apply(
            np.asarray(np.linalg.inv(self.matrix), dtype=float), [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
        )
        left, top = np.clip(corners.min(axis=0) / (self.width, self.height), 0, 1)
        right, bottom = np.clip(corners.max(axis=0) / (self.width, self.height), 0, 1)
        return Box(float(left), float(top), float(right), float(bottom))

    def picture(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """The picture as the upright page."""
        turned = np.ascontiguousarray(np.rot90(pixels, self.quarters))
        if not self.degrees:
            return turned
        import cv2

        return np.asarray(
            cv2.warpAffine(turned, self._skew[:2], self.size, borderMode=cv2.BORDER_REPLICATE), dtype=np.uint8
        )

    @property
    def _quartered(self) -> tuple[int, int]:
        return (self.height, self.width) if self.quarters % 2 else (self.width, self.height)

    @property
    def _quarter(self) -> npt.NDArray[np.float64]:
        width, height = self.width, self.height
        rows = (
            ((1, 0, 0), (0, 1, 0)),
            ((0, 1, 0), (-1, 0, width)),
            ((-1, 0, width), (0, -1, height)),
            ((0, -1, height), (1, 0, 0)),
        )[self.quarters]
        return np.array((*rows, (0, 0, 1)), dtype=float)

    @property
    def _skew(self) -> npt.NDArray[np.float64]:
        """Turn about the middle of the quartered picture, which becomes the middle of the page."""
        cosine, sine = math.cos(math.radians(self.degrees)), math.sin(math.radians(self.degrees))
        turn = np.array(((cosine, sine, 0), (-sine, cosine, 0), (0, 0, 1)))
        old, new = np.array(self._quartered) / 2, np.array(self.size) / 2
        turn[:2, 2] = new - turn[:2, :2] @ old
        return turn


def are_tall(quads: Points) -> npt.NDArray[np.bool_]:
    """Which quadrilaterals (shape [count, 4, 2], clockwise from the top left) hold a line that runs down.

    The limit is RapidOCR's own: such a crop is turned by a quarter before it is read.
    """
    sides = _sides(quads)
    return np.asarray(sides[:, 1] >= 1.5 * sides[:, 0])


def lengths(quads: Points) -> Points:
    """The longer side of each quadrilateral in pixels."""
    return np.asarray(_sides(quads).max(axis=1))


def skew(quads: Points) -> float:
    """Degrees, counter-clockwise, by which lines have to be turned to be level; 0 where none is long.

    The median over the lines, weighted by their length, so that one odd box does not count.
    """
    sides = _sides(quads)
    long = quads[sides[:, 0] >= _SURE_ASPECT * sides[:, 1]]
    if not len(long):
        return 0.0
    run = (long[:, 1] - long[:, 0]) + (long[:, 2] - long[:, 3])
    angles = np.degrees(np.arctan2(run[:, 1], run[:, 0]))
    order = np.argsort(angles)
    weights = np.cumsum(np.linalg.norm(run[order], axis=1))
    middle = float(angles[order][np.searchsorted(weights, weights[-1] / 2)])
    return middle if abs(middle) >= _MIN_DEGREES else 0.0


def upright(turn: Turn, quads: Points) -> Points:
    """Quadrilaterals of the picture on the page after the quarter turns, again from their top left corner."""
    if not len(quads):
        return quads
    placed = Turn(turn.width, turn.height, turn.quarters).forward(quads.reshape(-1, 2)).reshape(-1, 4, 2)
    return np.roll(placed, -turn.quarters, axis=1)


def _sides(quads: Points) -> Points:
    """Width and height of each quadrilateral."""
    across = np.linalg.norm(quads[:, 1] - quads[:, 0], axis=1)
    down = np.linalg.norm(quads[:, 3] - quads[:, 0], axis=1)
    return np.stack([across, down], axis=1)


def _apply(matrix: npt.NDArray[np.float64], points: npt.ArrayLike) -> Points:
    flat = np.asarray(points, dtype=float).reshape(-1, 2)
    return np.asarray(flat @ matrix[:2, :2].T + matrix[:2, 2])


def boxes(turn: Turn, quads: Points) -> Sequence[tuple[float, float, float, float]]:
    """The upright boxes (x0, y0, x1, y1) of quadrilaterals of the picture on the upright page."""
    corners = turn.forward(quads.reshape(-1, 2)).reshape(-1, 4, 2)
    low, high = corners.min(axis=1), corners.max(axis=1)
    return [(float(a), float(b), float(c), float(d)) for (a, b), (c, d) in zip(low, high, strict=True)]
