"""What the steps hand on, and the one way to change a text without losing the spans of its regions."""

import bisect
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from ocrstudio.domain.region import Region

TRUNCATED_TAG = "truncated_tag"
STRAY_TAG = "stray_tag"
BAD_BOX = "bad_box"

FLAG_TEXTS: Mapping[str, str] = MappingProxyType(
    {
        TRUNCATED_TAG: "The output ends in the middle of a tag; text at the end of the page may be missing.",
        STRAY_TAG: "The output has tags without their partner; they were removed.",
        BAD_BOX: "A box was not four numbers or lay outside the page; it was left out or cut off.",
    }
)


@dataclass(frozen=True)
class Processed:
    """A model's output on its way to Markdown.

    Attributes:
        text: The text so far.
        regions: Boxes, each with the span of its text (or -1, -1).
        flags: What a reviewer should know; keys of `FLAG_TEXTS`.
    """

    text: str
    regions: tuple[Region, ...] = ()
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Edit:
    """Replace ``text[start:end]``."""

    start: int
    end: int
    replacement: str = ""


def apply_edits(processed: Processed, edits: Sequence[Edit]) -> Processed:
    """Make all replacements at once and move the spans of the regions with their text.

    Args:
        processed: What to change.
        edits: In order of position, not overlapping.
    """
    if not edits:
        return processed
    pieces: list[str] = []
    shifts: list[int] = []  # of the text behind each edit
    position = shift = 0
    for edit in edits:
        pieces += (processed.text[position : edit.start], edit.replacement)
        position = edit.end
        shift += len(edit.replacement) - (edit.end - edit.start)
        shifts.append(shift)
    pieces.append(processed.text[position:])
    starts = [edit.start for edit in edits]

    def moved(place: int) -> int:
        index = bisect.bisect_right(starts, place) - 1
        if index < 0:
            return place
        edit = edits[index]
        if place >= edit.end:
            return place + shifts[index]
        before = shifts[index - 1] if index else 0
        return edit.start + before + min(place - edit.start, len(edit.replacement))

    text = "".join(pieces)
    regions = tuple(_with_span(region, text, moved) for region in processed.regions)
    return dataclasses.replace(processed, text=text, regions=regions)


def _with_span(region: Region, text: str, moved: Callable[[int], int]) -> Region:
    if region.start < 0:
        return region
    start, end = trimmed(text, moved(region.start), moved(region.end))
    return dataclasses.replace(region, start=start, end=end)


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """A span without white space at its ends; (-1, -1) when nothing is left."""
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return (start, end) if start < end else (-1, -1)


def with_flags(flags: Sequence[str], *more: str) -> tuple[str, ...]:
    """Flags without repetition, in the order they were raised."""
    return tuple(dict.fromkeys([*flags, *more]))
