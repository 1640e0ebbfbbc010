"""Boxes with a type, from grounding output."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Box:
    """A rectangle in fractions of the page: 0 <= x0 <= x1 <= 1 from the left, y0 and y1 from the top."""

    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True)
class Region:
    """A part of a page and the text that belongs to it.

    Attributes:
        label: Layout class (``title``, ``text``, ``table``, …), or the located text itself.
        boxes: One or more rectangles.
        start: First character of its text in the post-processed Markdown, or -1 when it has none there.
        end: One past the last character, or -1.
    """

    label: str
    boxes: tuple[Box, ...]
    start: int = -1
    end: int = -1


def region_to_row(region: Region) -> list[Any]:
    """A region as JSON values: label, the four sides of each box, start, end."""
    boxes = [[box.x0, box.y0, box.x1, box.y1] for box in region.boxes]
    return [region.label, boxes, region.start, region.end]


def region_from_row(row: Sequence[Any]) -> Region:
    """The region that `region_to_row` wrote."""
    label, boxes, start, end = row
    return Region(label, tuple(Box(*box) for box in boxes), start, end)
