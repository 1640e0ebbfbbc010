"""Differences of two texts as plain data, for views that show them side by side.

Steps are those of a longest common subsequence: what stays is as long as possible. Offsets count characters.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rapidfuzz.distance import LCSseq

_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


class ChangeKind(StrEnum):
    """What happened between the left and the right text."""

    EQUAL = "equal"
    INSERT = "insert"
    DELETE = "delete"
    REPLACE = "replace"


@dataclass(frozen=True)
class Change:
    """A stretch of both texts; together the changes cover both completely and in order.

    Attributes:
        kind: What happened here.
        left: Start and end in the left text.
        right: Start and end in the right text.
    """

    kind: ChangeKind
    left: tuple[int, int]
    right: tuple[int, int]


def diff_lines(left: str, right: str) -> list[Change]:
    """Differences by whole lines; refine a replaced stretch with `diff_words`."""
    return _diff(_LINE.findall(left), _LINE.findall(right))


def diff_words(left: str, right: str) -> list[Change]:
    """Differences by words, white space and punctuation marks."""
    return _diff(_TOKEN.findall(left), _TOKEN.findall(right))


def _diff(left: Sequence[str], right: Sequence[str]) -> list[Change]:
    left_ends, right_ends = _ends(left), _ends(right)
    changes: list[Change] = []
    for step in LCSseq.opcodes(left, right):
        change = Change(
            ChangeKind(step.tag),
            (left_ends[step.src_start], left_ends[step.src_end]),
            (right_ends[step.dest_start], right_ends[step.dest_end]),
        )
        if changes and ChangeKind.EQUAL not in (changes[-1].kind, change.kind):
            changes[-1] = _joined(changes[-1], change)
        else:
            changes.append(change)
    return changes


def _ends(parts: Sequence[str]) -> list[int]:
    """Offsets at which the parts begin, and the length of the whole."""
    offsets = [0]
    for part in parts:
        offsets.append(offsets[-1] + len(part))
    return offsets


def _joined(first: Change, second: Change) -> Change:
    """Two changes side by side as one."""
    kind = first.kind if first.kind is second.kind else ChangeKind.REPLACE
    return Change(kind, (first.left[0], second.left[1]), (first.right[0], second.right[1]))
