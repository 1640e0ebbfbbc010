"""Words of a row that is read from the right, in the order in which they are read.

Files write such rows from either side, word by word or letter by letter; MuPDF turns what it takes for words.
The places of the words tell their order, as in the Unicode bidirectional algorithm (UAX 9) read backwards:
from the right, except that Latin words beside each other run to the right, and so do the parts of a number.
"""

import unicodedata
from collections.abc import Callable, Sequence
from typing import TypeVar

from ocrstudio.pdf.engine import Untyped

_WORD_GAP = 0.12  # of the font size
_RIGHT_TO_LEFT = {"R", "AL"}
_NUMBERS = {"EN", "AN"}

T = TypeVar("T")


def in_logical_order(runs: Sequence[Sequence[Untyped]], size: float) -> str:
    """The text of a row, one space between its words.

    Args:
        runs: Its characters (``rawdict``) in runs, each in logical order.
        size: Font size in points.
    """
    pieces = sorted((word for run in runs for word in _words(run)), key=lambda piece: -piece.x1)
    words: list[list[_Piece]] = []
    for piece in pieces:
        if words and min(part.x0 for part in words[-1]) - piece.x1 < _WORD_GAP * size:
            words[-1].append(piece)
        else:
            words.append([piece])
    texts = [
        "".join(part.text for part in _turned(word, lambda part: _kind(part.text) != "R")) for word in words
    ]
    kinds = [_kind(text) for text in texts]
    # A number or a sign between two Latin words belongs to them.
    latin = [
        kind == "L" or (kind != "R" and _nearest(kinds, place, -1) == _nearest(kinds, place, 1) == "L")
        for place, kind in enumerate(kinds)
    ]
    pairs = _turned(list(zip(texts, latin, strict=True)), lambda pair: pair[1])
    return " ".join(text for text, _ in pairs)


class _Piece:
    """Letters without a space between them."""

    def __init__(self, chars: Sequence[Untyped]) -> None:
        self.text = "".join(char["c"] for char in chars)
        self.x0 = min(char["bbox"][0] for char in chars)
        self.x1 = max(char["bbox"][2] for char in chars)


def _words(run: Sequence[Untyped]) -> list[_Piece]:
    words: list[list[Untyped]] = [[]]
    for char in run:
        if char["c"].isspace():
            words.append([])
        else:
            words[-1].append(char)
    return [_Piece(word) for word in words if word]


def _kind(text: str) -> str:
    """``R`` or ``L`` for a word with such letters, ``N`` for a number, empty for signs."""
    kinds = {unicodedata.bidirectional(character) for character in text}
    if kinds & _RIGHT_TO_LEFT:
        return "R"
    return "L" if "L" in kinds else "N" if kinds & _NUMBERS else ""


def _nearest(kinds: list[str], place: int, step: int) -> str:
    """The kind of the next word with letters on one side."""
    around = kinds[place + 1 :] if step > 0 else kinds[:place][::-1]
    return next((kind for kind in around if kind in ("L", "R")), "")


def _turned(parts: Sequence[T], runs_right: Callable[[T], bool]) -> list[T]:
    """Parts from right to left, with each run of those that run to the right turned round."""
    ordered: list[T] = []
    run: list[T] = []
    for part in parts:
        if runs_right(part):
            run.append(part)
            continue
        ordered += [*reversed(run), part]
        run = []
    return [*ordered, *reversed(run)]
