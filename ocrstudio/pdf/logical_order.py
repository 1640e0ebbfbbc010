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
    texts = [_joined(_turned(word, lambda part: _kind(part.text) != "R")) for word in words]
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
        self.text = "".join(char["c"] for char in _with_points_in_place(chars))
        self.x0 = min(char["bbox"][0] for char in chars)
        self.x1 = max(char["bbox"][2] for char in chars)


def _with_points_in_place(chars: Sequence[Untyped]) -> Sequence[Untyped]:
    """Commas and points of a right-to-left word where they stand; MuPDF often has them elsewhere."""
    kinds = {unicodedata.bidirectional(char["c"][:1]) for char in chars}
    if not kinds & _RIGHT_TO_LEFT or kinds & {"L", *_NUMBERS}:
        return chars
    placed = [char for char in chars if not _is_point(char)]
    for point in filter(_is_point, chars):
        left_of_it = (n for n, char in enumerate(placed) if _middle(char) < _middle(point))
        placed.insert(next(left_of_it, len(placed)), point)
    return placed


def _is_point(char: Untyped) -> bool:
    return unicodedata.category(char["c"][:1]) == "Po"


def _middle(char: Untyped) -> float:
    return float(char["bbox"][0] + char["bbox"][2]) / 2


def _words(run: Sequence[Untyped]) -> list[_Piece]:
    """Parts of a run between spaces and where its direction changes: places tell what is beside what."""
    words: list[list[Untyped]] = [[]]
    direction = ""
    for char in run:
        kind = _kind(char["c"])
        turn = "R" if kind == "R" else "L" if kind else direction
        if char["c"].isspace() or (direction and turn != direction):
            words.append([])
        if not char["c"].isspace():
            words[-1].append(char)
        direction = "" if char["c"].isspace() else turn
    return [_Piece(word) for word in words if word]


def _joined(parts: Sequence[_Piece]) -> str:
    """Pieces without a gap; a Latin word has lost the space after it where the direction changes."""
    text = ""
    for part in parts:
        lost = bool(text) and _kind(part.text) == "R" and unicodedata.bidirectional(text[-1]) == "L"
        text += " " * lost + part.text
    return text


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
