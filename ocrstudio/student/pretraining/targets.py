"""What the dense supervision asks: which characters a patch holds, and where a token is read. numpy only."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ocrstudio.student.modeling.loss import IGNORE_INDEX
from ocrstudio.student.pretraining.levels import Grid

TOKEN_SIDE = 64
"""Pixels of a page that one image token covers, either way."""

CELL_WIDTH, CELL_HEIGHT = 8, 16
"""Pixels of a cell; a token has `SLOTS` of them, row by row."""

SLOT_COLUMNS = TOKEN_SIDE // CELL_WIDTH
SLOTS = SLOT_COLUMNS * (TOKEN_SIDE // CELL_HEIGHT)

CHARACTERS = (
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    ".,;:!?'\"()-/&%$+=@#<>|*\u2018\u2019\u201c\u201d\u2013\u2014\u2022éèäöüßàçñê€£°…"
)
CLASSES = len(CHARACTERS) + 2
"""Nothing (0), the characters, and any other character (the last)."""

_CLASS_OF = {character: number + 1 for number, character in enumerate(CHARACTERS)}
# A character's box is as high as its line: the ink is between these shares of it.
_INK = (0.2, 0.9)
_MIDDLE = 0.55
_LOOK_AHEAD = 4

Boxes = npt.NDArray[np.float32]
Sides = npt.NDArray[np.float64]


def character_cells(characters: str, boxes: Boxes, width: int, height: int) -> npt.NDArray[np.uint8]:
    """The class of every cell of a page.

    Args:
        characters: One for each box.
        boxes: Left, top, right, bottom in pixels, [characters, 4].
        width: Of the page in pixels.
        height: Of the page in pixels.

    Returns:
        [height / 16, width / 8].
    """
    cells = np.zeros((height // CELL_HEIGHT, width // CELL_WIDTH), np.uint8)
    left, top, right, bottom = boxes.astype(np.float64).T
    line = bottom - top
    lefts, rights = _covered(left, right, CELL_WIDTH, (left + right) / 2, cells.shape[1])
    tops, bottoms = _covered(
        top + _INK[0] * line, top + _INK[1] * line, CELL_HEIGHT, top + _MIDDLE * line, cells.shape[0]
    )
    classes = [_CLASS_OF.get(character, CLASSES - 1) for character in characters]
    for value, column, end, row, below in zip(classes, lefts, rights, tops, bottoms, strict=True):
        cells[row:below, column:end] = value
    return cells


def _covered(start: Sides, stop: Sides, side: int, middle: Sides, count: int) -> tuple[list[int], list[int]]:
    """First and end of the cells whose centre lies within, at least the one with the middle."""
    first = np.ceil((start - side / 2) / side)
    last = np.floor((stop - side / 2) / side)
    none = first > last
    first, last = (np.where(none, middle // side, bound) for bound in (first, last))
    ends = np.clip(last + 1, 0, count)
    return np.maximum(first, 0).astype(int).tolist(), ends.astype(int).tolist()


def reading_places(
    answer: str, offsets: Sequence[tuple[int, int]], characters: str, boxes: Boxes, grid: Grid
) -> tuple[list[int], list[int]]:
    """Where each token of an answer is read: at the first of its characters that is printed.

    Args:
        answer: The text.
        offsets: Start and end of each token in it.
        characters: What is printed, in reading order.
        boxes: Its boxes.
        grid: Tiles of the page.

    Returns:
        For each token the position of its image token in the picture's sequence, and the slot in it; -100
        where it is markup.
    """
    printed = _aligned(answer, characters)
    corners = boxes.tolist()
    columns, rows = (count * READER_TOKENS for count in grid)
    places: list[int] = []
    slots: list[int] = []
    for start, stop in offsets:
        found = next((printed[index] for index in range(start, stop) if printed[index] >= 0), -1)
        if found < 0:
            places.append(IGNORE_INDEX)
            slots.append(IGNORE_INDEX)
            continue
        left, top, right, bottom = corners[found]
        x = min(max((left + right) / 2, 0), columns * TOKEN_SIDE - 1)
        y = min(max(top + _MIDDLE * (bottom - top), 0), rows * TOKEN_SIDE - 1)
        # Each row of image tokens ends with a newline token.
        places.append(int(y // TOKEN_SIDE) * (columns + 1) + int(x // TOKEN_SIDE))
        slots.append(int(y % TOKEN_SIDE // CELL_HEIGHT) * SLOT_COLUMNS + int(x % TOKEN_SIDE // CELL_WIDTH))
    return places, slots


READER_TOKENS = 6
"""Image tokens along the side of a tile of the reader (384 pixels)."""


def _aligned(answer: str, characters: str) -> list[int]:
    """For each character of the answer the number of its printed twin, or -1 (blanks and markup)."""
    printed = [-1] * len(answer)
    position = 0
    for index, character in enumerate(answer):
        if character.isspace():
            continue
        found = characters.find(character, position, position + _LOOK_AHEAD)
        if found >= 0:
            printed[index] = found
            position = found + 1
    return printed
