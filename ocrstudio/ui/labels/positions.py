"""Places in a text: Qt counts UTF-16 units, Python characters; they differ after rare characters."""

from bisect import bisect_left
from collections.abc import Iterable

_FIRST_TWO_UNIT_CHARACTER = 0x10000
Span = tuple[int, int]


class Utf16Map:
    """Converts places in one text, both ways."""

    def __init__(self, text: str) -> None:
        self._wide = [
            place for place, character in enumerate(text) if ord(character) >= _FIRST_TWO_UNIT_CHARACTER
        ]

    def to_qt(self, place: int) -> int:
        """The UTF-16 place of a character."""
        return place + bisect_left(self._wide, place)

    def from_qt(self, place: int) -> int:
        """The character at a UTF-16 place."""
        result = place
        for count, wide in enumerate(self._wide):
            if wide + count < place:
                result = place - count - 1
            else:
                break
        return result


def moved_spans(old: str, new: str, spans: Iterable[Span]) -> list[Span]:
    """Where spans of an old text are in a new one, following the smallest edit between both.

    Args:
        old: The text the spans belong to.
        new: The text after editing.
        spans: (start, end) in characters; (-1, -1) stays as it is.
    """
    if old == new:
        return list(spans)
    from rapidfuzz.distance import Levenshtein  # not on the way to the window

    blocks = [block for block in Levenshtein.opcodes(old, new) if block.src_end > block.src_start]
    starts = [block.src_start for block in blocks]

    def move(place: int) -> int:
        number = max(bisect_left(starts, place + 1) - 1, 0)
        if not blocks:
            return 0
        block = blocks[number]
        return min(block.dest_start + max(place - block.src_start, 0), max(block.dest_end, block.dest_start))

    return [(start, end) if start < 0 else (move(start), max(move(start), move(end))) for start, end in spans]
