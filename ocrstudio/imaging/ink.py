"""How much text a page shows, counted without reading it.

A draft that is empty, or that lost half of its page, looks like any other draft. So the picture of the page
is asked how many characters it must have. Marks that stand out from their ground are grouped into lines; a
line has so many characters as its marks are wide, measured in the height of the tall ones. That holds for
Latin print within a tenth, for other scripts within a third, and needs no model, language or orientation.

Photographs and drawings have marks, too. They are told apart by their lines: print has marks of one height.
What is irregular is counted apart, so that there is a lower and an upper number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ocrstudio.domain.region import Box

MOST_PIXELS = 1_300_000
"""The size at which the limits below were measured: an A4 page at about 115 dpi."""

# Marks, in pixels of such a page.
_SMALLEST_MARK = 4  # its height: dots, dashes and the dust of a scan are lower
_SMALLEST_AREA = 6
_LARGEST_MARK = 0.12  # its height, of the longer side of the page
_WIDEST_MARK = 0.5
_LONGEST_SHAPE = 25.0  # width by height: beyond it is a rule
_TALLEST_SHAPE = 12.0
_THICKEST_RULE = 8
_FULLEST_MARK = 0.95  # of its box: a filled rectangle
# Lines.
_REACH = 0.7  # how far a mark reaches to the next one, in its own height
_UNEVEN = 0.55  # mean deviation of the heights of its pieces
_THINNEST = 0.1  # share of the boxes that is ink: outlines of drawings have less
_THICKEST = 0.85
_TALLEST_LINE = 3.2  # of the usual height of its pieces
_LONGEST_PIECE = 12.0  # width by usual height: several letters may touch, but not a whole line
_FEW_PIECES = 4
_CLEARLY_UPRIGHT = 0.6  # share of the marks that stand in rows
_SIDEWAYS = 1.15  # how much more text the page must show when turned, before it counts as turned
# Latin letters for each piece of ink that is as long as the line is high, tall letters counted: over 40 pages
# the mean is 1.84 and the standard deviation of its logarithm 0.09.
_CHARACTERS = 1.84
_TALL = 90  # percentile of the heights of pieces: capitals and letters with an ascender
_SMALLER = 25  # percentile of the heights of marks: of lower-case letters without ascender
_LOOSE = 1.5  # letters for each mark of a page that is as wide as the usual mark is high
# Ground.
_SHRUNK = 4
_STROKE = 11  # pixels of the shrunk page: the widest stroke that still stands on a ground
_SMOOTH = 5
_AROUND = 15
_FAINTEST = 24  # grey levels
_FAINTEST_LIGHT = 40
_CONTRAST = 0.35
_DARK = 150
_UNEVEN_GROUND = 14.0  # standard deviation in grey levels
_BLANK = 0.002


@dataclass(frozen=True)
class InkLine:
    """A line of marks that looks like text.

    Attributes:
        box: Where it is.
        characters: About how many.
    """

    box: Box
    characters: float


@dataclass(frozen=True)
class Ink:
    """What a page shows.

    Attributes:
        lines: Lines that look like text.
        at_most: Characters if all marks of a letter's size were text: slanted lines, pictures.
        coverage: Share of the page that is marks.
        shapes: Share of them that is in shapes larger than letters: drawings, joined-up handwriting.
    """

    lines: tuple[InkLine, ...]
    at_most: float
    coverage: float
    shapes: float

    @property
    def characters(self) -> float:
        """About how many Latin characters the page has."""
        return sum(line.characters for line in self.lines)

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing on the page but dust."""
        return self.at_most < 1 and self.coverage < _BLANK


@dataclass(frozen=True)
class Letters:
    """How print stands on a page.

    Attributes:
        height: Of the smaller letters, in pixels.
        contrast: Grey levels between them and the usual ground.
    """

    height: float
    contrast: float


def measure_letters(grey: npt.NDArray[np.uint8]) -> Letters | None:
    """How small and how faint the letters of a page are. Takes about 15 ms.

    Args:
        grey: As for `measure_ink`.

    Returns:
        None for a page without marks.
    """
    dark, light = _marks(grey)
    marks = dark if np.count_nonzero(dark) >= np.count_nonzero(light) else light
    heights = _components(marks)[:, 3]
    heights = heights[heights >= _SMALLEST_MARK]
    if not len(heights):
        return None
    contrast = abs(float(np.median(grey)) - float(np.median(grey[marks])))
    return Letters(float(np.percentile(heights, _SMALLER)), contrast)


def measure_ink(grey: npt.NDArray[np.uint8]) -> Ink:
    """Count what a page shows. Takes 20 to 100 ms.

    Args:
        grey: Luminance, shape [height, width]; of at most `MOST_PIXELS`.
    """
    dark, light = _marks(grey)
    found = np.concatenate([_components(dark), _components(light)])
    upright = _read(found, grey.shape[0], grey.shape[1])
    best, turned = upright, False
    if upright.in_rows < _CLEARLY_UPRIGHT * (upright.in_lines + upright.scattered):
        sideways = _read(found[:, [1, 0, 3, 2, 4]], grey.shape[1], grey.shape[0])
        if sideways.in_rows > _SIDEWAYS * upright.in_rows:
            best, turned = sideways, True
    area = float(found[:, 4].sum())
    lines = [_line(box, count, turned=turned) for box, count in best.lines]
    even = _on_even_ground(lines, grey, dark | light)
    return Ink(
        tuple(line for line, is_even in zip(lines, even, strict=True) if is_even),
        max(_CHARACTERS * best.in_lines + _LOOSE * best.scattered, _LOOSE * upright.loose),
        area / grey.size,
        upright.large / area if area else 0.0,
    )


@dataclass(frozen=True)
class _Reading:
    """The marks of a page, grouped into lines in one direction; counts are in line heights.

    Attributes:
        lines: Box in fractions of the page, and count, of what looks like text.
        scattered: Count of what does not.
        in_rows: Count of the lines that are more than a few marks.
        loose: Count of all marks of a letter's size by themselves.
        large: Pixels of larger ones that are no rules.
    """

    lines: tuple[tuple[tuple[float, float, float, float], float], ...]
    scattered: float
    in_rows: float
    loose: float
    large: float

    @property
    def in_lines(self) -> float:
        return sum(count for _, count in self.lines)


def _marks(grey: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Dark marks on light ground, and light marks on dark ground, by the contrast around them."""
    import cv2

    height, width = grey.shape
    small_size = (max(1, width // _SHRUNK), max(1, height // _SHRUNK))
    small = cv2.resize(grey, small_size, interpolation=cv2.INTER_AREA)
    stroke = np.ones((_STROKE, _STROKE), np.uint8)
    smooth = (_SMOOTH, _SMOOTH)

    def full(part: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
        return np.asarray(cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)

    paper = cv2.blur(cv2.morphologyEx(small, cv2.MORPH_CLOSE, stroke), smooth)
    ink = cv2.blur(cv2.morphologyEx(small, cv2.MORPH_OPEN, stroke), smooth)
    darkest = cv2.blur(cv2.erode(small, stroke), smooth)
    brightest = cv2.blur(cv2.dilate(small, stroke), smooth)
    contrast = cv2.subtract(brightest, darkest)
    mean = cv2.blur(small, (_AROUND, _AROUND))
    on_dark = (cv2.subtract(mean, darkest) < _CONTRAST * contrast) & (mean < _DARK)
    least = full(np.maximum(_FAINTEST, _CONTRAST * contrast).astype(np.uint8))
    ground = full(on_dark.astype(np.uint8)) > 0
    dark = (cv2.subtract(full(paper), grey) > least) & ~ground
    light = (cv2.subtract(grey, full(ink)) > np.maximum(least, _FAINTEST_LIGHT)) & ground
    return dark, light


def _on_even_ground(
    lines: Sequence[InkLine], grey: npt.NDArray[np.uint8], marks: npt.NDArray[np.bool_]
) -> list[bool]:
    """Which lines stand on paper and not in a photograph: the ground between their marks is of one grey."""
    import cv2

    if not lines:
        return []
    # Every second pixel of every second row is enough to tell.
    ground = 1 - cv2.dilate(marks.astype(np.uint8), np.ones((3, 3), np.uint8))[::2, ::2]
    levels = grey[::2, ::2].astype(np.float32) * ground
    number = cv2.integral(ground)
    sums, squares = cv2.integral2(levels, sdepth=cv2.CV_64F)
    height, width = ground.shape
    sides = np.array([(line.box.x0, line.box.y0, line.box.x1, line.box.y1) for line in lines])
    x0, y0, x1, y1 = np.rint(sides * (width, height, width, height)).astype(int).T
    margin = (y1 - y0) // 2  # a little of the paper around, where letters are set tightly
    x0, x1 = (x0 - margin).clip(0), (x1 + margin).clip(None, width)
    y0, y1 = (y0 - margin).clip(0), (y1 + margin).clip(None, height)

    def inside(table: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        return np.asarray(table[y1, x1] - table[y0, x1] - table[y1, x0] + table[y0, x0], np.float64)

    count = inside(number).clip(1)
    mean = inside(sums) / count
    spread = np.sqrt((inside(squares) / count - mean**2).clip(0))
    return [bool(even) for even in spread < _UNEVEN_GROUND]


def _components(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
    """The connected marks of a mask: left, top, width, height, area."""
    import cv2

    if not mask.any():
        return np.empty((0, 5), np.int32)
    _, _, facts, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    return np.asarray(facts[1:], np.int32)


def _read(marks: npt.NDArray[np.int32], height: int, width: int) -> _Reading:
    """Group marks into rows and tell lines of text from the rest."""
    side = max(height, width)
    w, h, area = marks[:, 2], marks[:, 3], marks[:, 4]
    fits = (h >= _SMALLEST_MARK) & (h <= _LARGEST_MARK * side) & (w <= _WIDEST_MARK * side)
    fits &= (area >= _SMALLEST_AREA) & (w < _LONGEST_SHAPE * h) & (h < _TALLEST_SHAPE * w)
    fits &= area < _FULLEST_MARK * (w * h)
    is_large = (w > _LARGEST_MARK * side) | (h > _LARGEST_MARK * side)
    is_large &= (np.minimum(w, h) > _THICKEST_RULE) & (area < _FULLEST_MARK * (w * h))
    lines = []
    scattered = in_rows = 0.0
    for row in _rows(marks[fits], height, width):
        count, pieces = _count(row)
        if count is None:
            usual = float(np.median(row[:, 3]))
            scattered += float((np.minimum(row[:, 2], _LONGEST_PIECE / 2 * usual) / usual).sum())
            continue
        left, top = row[:, 0].min(), row[:, 1].min()
        right, bottom = (row[:, 0] + row[:, 2]).max(), (row[:, 1] + row[:, 3]).max()
        lines.append(((left / width, top / height, right / width, bottom / height), count))
        in_rows += count if pieces >= _FEW_PIECES else 0.0
    return _Reading(tuple(lines), scattered, in_rows, _loose(marks[fits]), float(area[is_large].sum()))


def _loose(marks: npt.NDArray[np.int32]) -> float:
    """The count of marks that are in no line."""
    if not len(marks):
        return 0.0
    usual = _weighted_median(marks[:, 3], marks[:, 2])
    return float((np.minimum(marks[:, 2], _LONGEST_PIECE / 2 * marks[:, 3]) / usual).sum())


def _rows(marks: npt.NDArray[np.int32], height: int, width: int) -> list[npt.NDArray[np.int32]]:
    """Marks that reach each other from left to right."""
    import cv2

    if not len(marks):
        return []
    field = np.zeros((height, width), np.uint8)
    for x, y, w, h, _ in marks.tolist():
        reach = max(3, int(_REACH * h))
        field[y + h // 4 : y + h - h // 4, max(0, x - reach) : x + w + reach] = 1
    _, names = cv2.connectedComponents(field, connectivity=4)
    owner = names[marks[:, 1] + marks[:, 3] // 2, marks[:, 0] + marks[:, 2] // 2]
    order = np.argsort(owner, kind="stable")
    return np.split(marks[order], np.flatnonzero(np.diff(owner[order])) + 1)


def _count(row: npt.NDArray[np.int32]) -> tuple[float | None, int]:
    """The width of the ink of a row in its own height, and in how many pieces; no width if it is no text."""
    row = row[np.argsort(row[:, 0])]
    left, top = row[:, 0], row[:, 1]
    right, bottom = left + row[:, 2], top + row[:, 3]
    # Marks above each other are one piece: the dot of an i, the parts of a Korean syllable.
    starts = np.flatnonzero(np.r_[True, left[1:] >= np.maximum.accumulate(right)[:-1]])
    widths = np.maximum.reduceat(right, starts) - left[starts]
    heights = np.maximum.reduceat(bottom, starts) - np.minimum.reduceat(top, starts)
    usual = _weighted_median(heights, widths)
    short = widths <= _LONGEST_PIECE * usual
    uneven = float(np.average(np.abs(heights - usual) / usual, weights=widths))
    filled = float(row[:, 4].sum() / (row[:, 2] * row[:, 3]).sum())
    is_text = uneven < _UNEVEN and _THINNEST < filled < _THICKEST
    is_text = is_text and bottom.max() - top.min() < _TALLEST_LINE * usual and 2 * short.sum() > len(short)
    tall = max(usual, float(np.percentile(heights, _TALL)))
    return (float(widths[short].sum() / tall) if is_text else None), len(widths)


def _weighted_median(values: npt.NDArray[np.int32], weights: npt.NDArray[np.int32]) -> float:
    order = np.argsort(values)
    sums = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(sums, sums[-1] / 2)])


def _line(box: tuple[float, float, float, float], count: float, *, turned: bool) -> InkLine:
    x0, y0, x1, y1 = map(float, box)
    return InkLine(Box(y0, x0, y1, x1) if turned else Box(x0, y0, x1, y1), _CHARACTERS * count)
