"""Boxes with a type, from grounding output."""

from dataclasses import dataclass


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
