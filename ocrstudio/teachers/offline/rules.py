"""Ruled lines of a page: what shows the layout model that a table is one."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from ocrstudio.teachers.offline.lines import OcrLine

_MIN_LENGTH = 2.5  # of the median line height: longer than any stroke of a letter
_MAX_THICKNESS = 0.5
_BRIDGE = 0.15  # gaps that a scan leaves in a rule
_INK = 12  # grey levels darker than the paper around
_MARGIN = 0.15  # of a line above and below its letters
_REACH = 0.4  # of the line height: rules nearer than this touch
_MIN_RULES = 3
_PAPER = 51  # pixels across which paper is taken to be even


@dataclass(frozen=True)
class Rule:
    """A level or upright line in pixels of the upright page.

    Attributes:
        x0, y0, x1, y1: Its ends; x0 == x1 for an upright line, y0 == y1 for a level one.
        thickness: In pixels.
    """

    x0: float
    y0: float
    x1: float
    y1: float
    thickness: float = 1.0

    @property
    def is_level(self) -> bool:
        """Whether it runs from left to right."""
        return self.y0 == self.y1

    @property
    def length(self) -> float:
        """In pixels."""
        return self.x1 - self.x0 + self.y1 - self.y0


def find_rules(pixels: npt.NDArray[np.uint8], lines: Sequence[OcrLine], height: float) -> tuple[Rule, ...]:
    """Level and upright lines that are longer than any letter.

    Ink is what is darker than the paper around it; opening it with a long thin element leaves the lines
    (J. Serra, Image Analysis and Mathematical Morphology, 1982).

    Args:
        pixels: The upright page, RGB.
        lines: The text on it: a row of ``e`` and ``o`` has a rule through its middle that is none.
        height: Median height of a text line in pixels.
    """
    import cv2

    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    ink = cv2.adaptiveThreshold(grey, 1, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, _PAPER, _INK)
    length = max(20, round(_MIN_LENGTH * height))
    bridge = max(2, round(_BRIDGE * height))
    rules: list[Rule] = []
    for level in (True, False):
        across = (length, 1) if level else (1, length)
        along = (bridge, 1) if level else (1, bridge)
        # Thick strokes first get a little wider, so that a rule that is not quite level stays whole.
        widened = cv2.dilate(ink, np.ones((3, 1) if level else (1, 3), np.uint8))
        closed = cv2.morphologyEx(widened, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_RECT, along))
        opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_RECT, across))
        count, _, boxes, _ = cv2.connectedComponentsWithStats(opened, connectivity=8)
        for number in range(1, count):
            left, top, width, depth, _ = (int(value) for value in boxes[number])
            thickness = depth if level else width
            if thickness > max(6.0, _MAX_THICKNESS * height) + 2:
                continue
            if level:
                middle = top + depth / 2
                rules.append(Rule(left, middle, left + width, middle, max(1, thickness - 2)))
            else:
                middle = left + width / 2
                rules.append(Rule(middle, top, middle, top + depth, max(1, thickness - 2)))
    real = [rule for rule in rules if not any(_strikes(rule, line) for line in lines)]
    return tuple(rule for group in _groups(real, height) if _is_table(group, lines) for rule in group)


def _groups(rules: Sequence[Rule], height: float) -> list[list[Rule]]:
    """Rules that touch, and level rules that begin and end below each other."""
    reach = _REACH * height
    group_of = list(range(len(rules)))
    for a, b in combinations(range(len(rules)), 2):
        if group_of[a] != group_of[b] and _belong_together(rules[a], rules[b], reach, height):
            old, new = group_of[a], group_of[b]
            group_of = [new if group == old else group for group in group_of]
    groups: dict[int, list[Rule]] = {}
    for rule, group in zip(rules, group_of, strict=True):
        groups.setdefault(group, []).append(rule)
    return list(groups.values())


def _belong_together(one: Rule, other: Rule, reach: float, height: float) -> bool:
    across = one.x0 - reach <= other.x1 and other.x0 - reach <= one.x1
    if across and one.y0 - reach <= other.y1 and other.y0 - reach <= one.y1:
        return True
    level = one.is_level and other.is_level
    return level and abs(one.x0 - other.x0) <= height and abs(one.x1 - other.x1) <= height


def _is_table(group: Sequence[Rule], lines: Sequence[OcrLine]) -> bool:
    """Whether rules enclose text as a table does; a frame has two each way, a drawing more than text."""
    x0, x1 = min(rule.x0 for rule in group), max(rule.x1 for rule in group)
    y0, y1 = min(rule.y0 for rule in group), max(rule.y1 for rule in group)
    level = sum(rule.is_level for rule in group)
    inside = sum(
        x0 <= (line.x0 + line.x1) / 2 <= x1 and y0 <= (line.y0 + line.y1) / 2 <= y1 for line in lines
    )
    return max(level, len(group) - level) >= _MIN_RULES and inside >= max(_MIN_RULES, len(group) / 2)


def _strikes(rule: Rule, line: OcrLine) -> bool:
    """Whether a rule runs through the letters of a line."""
    margin = _MARGIN * line.height
    inside = (
        line.x0 - margin <= rule.x0
        and rule.x1 <= line.x1 + margin
        and line.y0 <= rule.y0
        and rule.y1 <= line.y1
    )
    if rule.is_level:
        return inside and line.y0 + margin < rule.y0 < line.y1 - margin
    return inside
