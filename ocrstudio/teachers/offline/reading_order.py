"""Reading order of lines by recursive XY-cut: split a page at its white gaps, columns before paragraphs.

After G. Nagy and S. Seth, Hierarchical Representation of Optically Scanned Documents, ICPR 1984.
"""

import statistics
from collections.abc import Callable, Sequence
from itertools import groupby

from ocrstudio.teachers.offline.lines import OcrLine

_COLUMN_GAP = 0.6  # of the median line height
_PARAGRAPH_GAP = 0.9


def to_markdown(lines: Sequence[OcrLine]) -> str:
    """Paragraphs in reading order, separated by blank lines; the lines of a paragraph stay lines."""
    if not lines:
        return ""
    height = statistics.median(line.height for line in lines)
    blocks: list[list[OcrLine]] = []
    _cut(list(lines), height, blocks)
    return "\n\n".join("\n".join(_rows(block)) for block in blocks) + "\n"


def _cut(lines: list[OcrLine], height: float, blocks: list[list[OcrLine]]) -> None:
    """Append the blocks of these lines to `blocks` in reading order."""
    rows = _split(lines, _PARAGRAPH_GAP * height, lambda line: (line.y0, line.y1))
    columns = _split(lines, _COLUMN_GAP * height, lambda line: (line.x0, line.x1))
    if len(columns) > 1 and len(columns) <= len(lines) // 2:
        parts = columns
    elif len(rows) > 1:
        parts = rows
    else:
        blocks.append(lines)
        return
    for part in parts:
        _cut(part, height, blocks)


def _split(
    lines: list[OcrLine], gap: float, extent: Callable[[OcrLine], tuple[float, float]]
) -> list[list[OcrLine]]:
    """Groups of lines with at least `gap` of white between them along one axis."""
    groups: list[list[OcrLine]] = []
    end = float("-inf")
    for line in sorted(lines, key=extent):
        start, stop = extent(line)
        if not groups or start - end >= gap:
            groups.append([])
        groups[-1].append(line)
        end = max(end, stop)
    return groups


def _rows(block: list[OcrLine]) -> list[str]:
    """The texts of a block from top to bottom; pieces at the same height are joined from left to right."""
    rows: list[list[OcrLine]] = []
    for line in sorted(block, key=lambda item: (item.y0 + item.y1) / 2):
        middle = (line.y0 + line.y1) / 2
        if rows and middle < _bottom_half(rows[-1]):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [" ".join(piece.text for piece in sorted(row, key=lambda item: item.x0)) for row in rows]


def _bottom_half(row: list[OcrLine]) -> float:
    """A line whose middle is above this stands in the same row."""
    first = row[0]
    return first.y0 + 0.75 * first.height


def paragraphs(lines: Sequence[OcrLine]) -> str:
    """Paragraphs of an engine that orders its lines itself."""
    blocks = groupby(lines, key=lambda line: line.paragraph)
    text = "\n\n".join("\n".join(line.text for line in block) for _, block in blocks)
    return text + "\n" if text else ""
