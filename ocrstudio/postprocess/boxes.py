"""Coordinates of grounding output: text to boxes, without evaluating anything."""

import re

from ocrstudio.domain.region import Box

# The model writes 0 to 999 for the sides of the page; the published code divides by 999.
SCALE = 999
_INNERMOST = re.compile(r"\[([^\[\]]*)\]?")
_NUMBER = re.compile(r"-?\d{1,6}(?:\.\d{1,6})?")
_CORNERS = 4


def parse_boxes(coordinates: str) -> tuple[tuple[Box, ...], bool]:
    """Read ``[[x1, y1, x2, y2], …]``.

    Args:
        coordinates: What stands between the tags.

    Returns:
        The boxes that can be read, in fractions of the page, with corners in order; and whether all of them
        could be read and lay within the page.
    """
    boxes: list[Box] = []
    clean = True
    lists = [match.group(1) for match in _INNERMOST.finditer(coordinates)]
    for text in lists:
        parts = [part.strip() for part in text.split(",")]
        if parts == [""]:
            continue  # the opening bracket of the outer list
        if len(parts) != _CORNERS or not all(_NUMBER.fullmatch(part) for part in parts):
            clean = False
            continue
        values = [float(part) / SCALE for part in parts]
        x0, y0, x1, y1 = (min(max(value, 0.0), 1.0) for value in values)
        clean = clean and [x0, y0, x1, y1] == values
        boxes.append(Box(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)))
    return tuple(boxes), clean and bool(boxes)
