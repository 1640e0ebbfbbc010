"""Levels of headings on a page of recognised lines: by their numbers, and by their height."""

import re
from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from ocrstudio.teachers.offline.layout import HEADINGS, Block
from ocrstudio.teachers.offline.lines import OcrLine

_SAME = 1.12  # the boxes of lines in the same type differ by less
_DEEPEST = 6
_MARKS = re.compile(r"^#{1,6} ")
_NUMBER = re.compile(r"^#{1,6} (?P<number>\d{1,2}(?:\.\d{1,2}){0,4})\.?[^\S\n]+\D")


def relevel(blocks: Sequence[Block], lines: Sequence[OcrLine]) -> list[Block]:
    """The blocks with the levels of their headings set anew.

    The layout model counts every point of difference in height as a level, and boxes of recognised lines
    differ by as much in the same type. Here headings of about the same height share a level, the tallest the
    first. Among numbered headings, ``2.1`` stands one below ``2`` whatever their heights.
    """
    heights = {
        number: height
        for number, block in enumerate(blocks)
        if _MARKS.match(block.markdown)
        and block.kind in HEADINGS
        and (height := _height(block, lines)) is not None
    }
    level_of = _levels(heights)
    depths = {number: _depth(blocks[number].markdown) for number in heights}
    numbered = {number: depth for number, depth in depths.items() if depth}
    if numbered:
        shallowest = min(numbered.values())
        level = min(level_of[number] for number, depth in numbered.items() if depth == shallowest)
        for number, depth in numbered.items():
            level_of[number] = min(_DEEPEST, level + depth - shallowest)
    return [
        replace(block, markdown="#" * level_of[number] + " " + _MARKS.sub("", block.markdown))
        if number in level_of
        else block
        for number, block in enumerate(blocks)
    ]


def _levels(heights: dict[int, float]) -> dict[int, int]:
    """Level by block: a new one begins where the height falls by more than the noise of boxes."""
    level_of: dict[int, int] = {}
    level = 0
    top = float("inf")
    for number in sorted(heights, key=lambda n: -heights[n]):
        if heights[number] * _SAME < top:
            level = min(level + 1, _DEEPEST)
            top = heights[number]
        level_of[number] = level
    return level_of


def _depth(markdown: str) -> int:
    match = _NUMBER.match(markdown)
    return match["number"].count(".") + 1 if match else 0


def _height(block: Block, lines: Sequence[OcrLine]) -> float | None:
    """Median height in pixels of the lines inside a heading; None where none is."""
    x0, y0, x1, y1 = block.box
    inside = [
        line.height
        for line in lines
        if x0 <= (line.x0 + line.x1) / 2 <= x1 and y0 <= (line.y0 + line.y1) / 2 <= y1
    ]
    return median(inside) if inside else None
