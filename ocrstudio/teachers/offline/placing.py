"""Where each recognised line went in the text that an arrangement made of the lines, and what it left out."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from ocrstudio.teachers.offline.layout import Block
from ocrstudio.teachers.offline.lines import OcrLine, letters

_ALIKE = 85.0  # percent
_MIN_FUZZY = 6  # letters
_LOST = 0.7  # of the letters of a line


@dataclass(frozen=True, order=True)
class Place:
    """A block and the first letter of the line in it."""

    block: int
    offset: int


def count_kept(found: str, text: str) -> int:
    """How many letters of the lines are in a text, each counted once."""
    return (Counter(letters(found)) & Counter(letters(text))).total()


def place_lines(lines: Sequence[OcrLine], blocks: Sequence[Block]) -> list[Place | None]:
    """Find each line in the blocks: first in that which holds its middle, then in all others.

    Returns:
        A place for each line; None for a line that is nowhere as it was read, or has no letters.
    """
    texts = [letters(block.markdown) for block in blocks]
    taken = [[False] * len(text) for text in texts]
    places: list[Place | None] = [None] * len(lines)
    near = [sorted(range(len(blocks)), key=lambda b: _distance(line, blocks[b])) for line in lines]
    expected = _expected(lines, [order[0] if order else -1 for order in near])
    # Long lines first: a page number must not take the place of a figure in a sentence.
    numbers = sorted(range(len(lines)), key=lambda n: -len(lines[n].text))
    for only_nearest in (True, False):
        for number in numbers:
            wanted = letters(lines[number].text)
            if not wanted or places[number] is not None:
                continue
            for block in near[number][:1] if only_nearest else near[number]:
                offset = _free(wanted, texts[block], taken[block], expected[number])
                if offset is not None:
                    places[number] = Place(block, offset)
                    end = min(offset + len(wanted), len(texts[block]))
                    taken[block][offset:end] = [True] * (end - offset)
                    break
    return places


def _expected(lines: Sequence[OcrLine], nearest: Sequence[int]) -> list[int]:
    """Where each line begins if the lines of its block stand from top to bottom; decides equal places."""
    letters_before: Counter[int] = Counter()
    expected = [0] * len(lines)
    for number in sorted(range(len(lines)), key=lambda n: (lines[n].y0 + lines[n].y1, lines[n].x0)):
        expected[number] = letters_before[nearest[number]]
        letters_before[nearest[number]] += len(letters(lines[number].text))
    return expected


def lost_lines(
    lines: Sequence[OcrLine], places: Sequence[Place | None], blocks: Sequence[Block]
) -> list[int]:
    """Numbers of the lines whose letters are in no block.

    A line without a place may be there all the same, with other lines between its words; so only as many
    lines are lost as letters are missing.
    """
    found = Counter[str]()
    for line in lines:
        found.update(letters(line.text))
    for block in blocks:
        found.subtract(letters(block.markdown))
    missing = +found
    lost = []
    for number in sorted(range(len(lines)), key=lambda n: -len(lines[n].text)):
        own = Counter(letters(lines[number].text))
        if places[number] is None and own and (own & missing).total() >= _LOST * own.total():
            lost.append(number)
            missing -= own
    return sorted(lost)


def _free(wanted: str, text: str, taken: list[bool], expected: int) -> int | None:
    """A place of a line in a text where nothing else stands yet; a few letters may differ."""
    found_at = []
    start = text.find(wanted)
    while start >= 0:
        if not any(taken[start : start + len(wanted)]):
            found_at.append(start)
        start = text.find(wanted, start + 1)
    if found_at:
        return min(found_at, key=lambda place: abs(place - expected))
    if len(wanted) < _MIN_FUZZY:
        return None
    found = fuzz.partial_ratio_alignment(wanted, text, score_cutoff=_ALIKE)
    if found is None or len(text) < len(wanted):
        return None
    place = slice(found.dest_start, found.dest_end)
    return found.dest_start if sum(taken[place]) < len(wanted) / 2 else None


def _distance(line: OcrLine, block: Block) -> float:
    """Pixels between the middle of a line and a block; 0 inside."""
    x, y = (line.x0 + line.x1) / 2, (line.y0 + line.y1) / 2
    x0, y0, x1, y1 = block.box
    return max(x0 - x, x - x1, 0.0) + max(y0 - y, y - y1, 0.0)
