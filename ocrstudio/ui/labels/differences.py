"""Word differences of two texts as pieces to paint."""

import re
from dataclasses import dataclass
from enum import StrEnum

from rapidfuzz.distance import Indel

_TOKEN = re.compile(r"\s+|\w+|[^\w\s]")


class Kind(StrEnum):
    """What happened to a piece of text."""

    SAME = "same"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True)
class Piece:
    """A run of text of one kind."""

    kind: Kind
    text: str


def compare(old: str, new: str) -> list[Piece]:
    """The pieces that lead from one text to the other, words and single signs being the units."""
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    pieces: list[Piece] = []
    for step in Indel.opcodes(before, after):
        if step.tag == "equal":
            pieces.append(Piece(Kind.SAME, "".join(before[step.src_start : step.src_end])))
        if step.tag in ("delete", "replace"):
            pieces.append(Piece(Kind.REMOVED, "".join(before[step.src_start : step.src_end])))
        if step.tag in ("insert", "replace"):
            pieces.append(Piece(Kind.ADDED, "".join(after[step.dest_start : step.dest_end])))
    return pieces
