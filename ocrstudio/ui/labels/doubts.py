"""Doubtful spots: places in a label that a reviewer should look at first. Text in, spans out.

They are signs, not errors: nothing is changed and nothing is refused because of them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_REPEATS = 4
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("unreadable character", re.compile("[�□\x00-\x08\x0b\x0c\x0e-\x1f]+")),
    ("marked as unreadable", re.compile(r"\[(?:\?|illegible|unreadable|unclear)\]|\?{3,}", re.IGNORECASE)),
    ("leftover model tag", re.compile(r"<\|[^|<>\n]{0,40}\|>")),
    (
        "letter O among digits",
        re.compile(r"(?<![A-Za-z])\d+[oO]\d*(?![A-Za-z])|(?<![A-Za-z\d])[oO]\d+(?![A-Za-z])"),
    ),
    (
        "letter l or I among digits",
        re.compile(r"(?<![A-Za-z])\d+[lI]\d+(?![A-Za-z])|(?<![A-Za-z\d])[lI]\d{2,}\b"),
    ),
    ("digit inside a word", re.compile(r"\b[a-z]{2,}[015][a-z]{2,}\b")),
    ("one character again and again", re.compile(r"([^\s\-=_.·…*#|:~])\1{5,}")),
    ("one word again and again", re.compile(r"\b(\w[\w'-]*)(?:\s+\1\b){3,}")),
)
_TABLE_TAG = re.compile(r"<(/?)table\b[^>]*>", re.IGNORECASE)


@dataclass(frozen=True)
class Doubt:
    """A span in characters and the reason in words."""

    start: int
    end: int
    reason: str


def find_doubts(text: str) -> list[Doubt]:
    """All doubtful spots of a label in their order."""
    found = [
        Doubt(match.start(), match.end(), reason)
        for reason, pattern in _PATTERNS
        for match in pattern.finditer(text)
    ]
    found.extend(_repeated_lines(text))
    found.extend(_open_maths(text))
    found.extend(_open_tables(text))
    return sorted(found, key=lambda doubt: (doubt.start, doubt.end))


def _repeated_lines(text: str) -> Iterator[Doubt]:
    start, place, count, previous = 0, 0, 0, ""
    for line in [*text.splitlines(keepends=True), ""]:
        words = line.strip()
        if words and words == previous:
            count += 1
        else:
            if count >= _REPEATS:
                yield Doubt(start, place, f"the same line {count} times")
            start, count = place, 1
        previous = words
        place += len(line)


def _open_maths(text: str) -> Iterator[Doubt]:
    for opening, closing in ((r"\(", r"\)"), (r"\[", r"\]")):
        depth = text.count(opening) - text.count(closing)
        if depth:
            mark = opening if depth > 0 else closing
            place = text.rfind(mark)
            yield Doubt(place, place + len(mark), f"{opening} and {closing} do not pair up")
    if text.count("$$") % 2:
        place = text.rfind("$$")
        yield Doubt(place, place + 2, "$$ without a partner")


def _open_tables(text: str) -> Iterator[Doubt]:
    opened: list[re.Match[str]] = []
    for tag in _TABLE_TAG.finditer(text):
        if not tag.group(1):
            opened.append(tag)
        elif opened:
            opened.pop()
        else:
            yield Doubt(tag.start(), tag.end(), "</table> without a beginning")
    for tag in opened:
        yield Doubt(tag.start(), tag.end(), "<table> without an end")
