"""Mends the characters of one line of a text layer, with what only their places tell.

The characters are the dictionaries that PyMuPDF's ``rawdict`` gives; they are changed in place.
"""

import unicodedata

from ocrstudio.pdf.engine import Untyped
from ocrstudio.pdf.font_symbols import sign_of

SOFT_HYPHEN = "\N{SOFT HYPHEN}"
UNREADABLE = "\N{REPLACEMENT CHARACTER}"
_LOST_FF = "\N{DOWNWARDS ARROW WITH CORNER LEFTWARDS}"
"""What macOS makes of the ligature ff (code 11) of TeX's fonts."""
_ACCENTS = {
    "`": "\N{COMBINING GRAVE ACCENT}",
    "\N{ACUTE ACCENT}": "\N{COMBINING ACUTE ACCENT}",
    "\N{MODIFIER LETTER CIRCUMFLEX ACCENT}": "\N{COMBINING CIRCUMFLEX ACCENT}",
    "^": "\N{COMBINING CIRCUMFLEX ACCENT}",
    "\N{SMALL TILDE}": "\N{COMBINING TILDE}",
    "~": "\N{COMBINING TILDE}",
    "\N{DIAERESIS}": "\N{COMBINING DIAERESIS}",
    "\N{MACRON}": "\N{COMBINING MACRON}",
    "\N{BREVE}": "\N{COMBINING BREVE}",
    "\N{DOT ABOVE}": "\N{COMBINING DOT ABOVE}",
    "\N{RING ABOVE}": "\N{COMBINING RING ABOVE}",
    "\N{CARON}": "\N{COMBINING CARON}",
    "\N{DOUBLE ACUTE ACCENT}": "\N{COMBINING DOUBLE ACUTE ACCENT}",
    "\N{CEDILLA}": "\N{COMBINING CEDILLA}",
    "\N{OGONEK}": "\N{COMBINING OGONEK}",
}
_UNDOTTED = {"\N{LATIN SMALL LETTER DOTLESS I}": "i", "\N{LATIN SMALL LETTER DOTLESS J}": "j"}
_BRACE_PIECES = range(0xF8E5, 0xF8FF)  # Adobe's pieces of large brackets: no letters
_BULLET = "\N{BULLET}"
_NO_WIDTH = 0.1  # points
_THIN = 0.1  # of the font size: nothing is drawn
_INSIDE = 0.15  # of a letter's width, by which an accent's middle may lie outside


def mend_line(spans: list[Untyped], hyphenated: set[str]) -> None:
    """Signs, accents, ligatures, soft hyphens and lam-alef of one line.

    Args:
        spans: PyMuPDF's spans with ``chars``, in the order of the line.
        hyphenated: Fonts that write hyphens as such: their soft hyphens are soft; the others have no other.
    """
    for span in spans:
        for char in span["chars"]:
            char["c"] = _sign(char["c"], span["font"])
    chars = [(span, char) for span in spans for char in span["chars"]]
    _join_accents(chars)
    _turn_ligatures([char for _, char in chars])
    for place, (span, char) in enumerate(chars):
        if char["c"] == SOFT_HYPHEN:
            is_last = all(not later["c"].strip() for _, later in chars[place + 1 :])
            is_seen = char["bbox"][2] - char["bbox"][0] > _THIN * span["size"]
            is_hyphen = is_seen and span["font"] not in hyphenated
            char["c"] = SOFT_HYPHEN if is_last else "-" if is_hyphen else ""
        elif char["c"] == _LOST_FF and _between_letters(chars, place):
            char["c"] = "ff"
        elif unicodedata.category(char["c"][:1] or " ") == "Co" and _stands_alone(chars, place):
            is_first = all(not earlier["c"].strip() for _, earlier in chars[:place])
            char["c"] = _BULLET if is_first and len(chars) > place + 1 else ""
    for span in spans:
        span["chars"] = [char for char in span["chars"] if char["c"]]


def is_unreadable(character: str) -> bool:
    """A replacement, private-use or control character: a glyph that the font does not map to a letter."""
    category = unicodedata.category(character[0])
    return character == UNREADABLE or category == "Co" or (category == "Cc" and not character.isspace())


def _sign(character: str, font: str) -> str:
    if len(character) == 1 and ord(character) in _BRACE_PIECES:
        return ""
    return sign_of(character, font)


def _join_accents(chars: list[tuple[Untyped, Untyped]]) -> None:
    """An accent drawn over (or under) its letter becomes part of it."""
    seen = [char for _, char in chars if char["c"].strip()]
    for place, char in enumerate(seen):
        combining = _ACCENTS.get(char["c"])
        if combining is None:
            continue
        middle = (char["bbox"][0] + char["bbox"][2]) / 2
        neighbours = [*seen[place + 1 : place + 2], *seen[max(0, place - 1) : place]]
        for letter in neighbours:
            x0, _, x1, _ = letter["bbox"]
            slack = _INSIDE * (x1 - x0)
            composed = unicodedata.normalize("NFC", _UNDOTTED.get(letter["c"], letter["c"]) + combining)
            if len(composed) == 1 and x0 - slack <= middle <= x1 + slack and x1 > x0:
                letter["c"], char["c"] = composed, ""
                _drop_space_between(chars, char, letter)
                break


def _drop_space_between(chars: list[tuple[Untyped, Untyped]], accent: Untyped, letter: Untyped) -> None:
    """MuPDF may see a gap between an accent and its letter, which lie over each other."""
    places = sorted(place for place, (_, char) in enumerate(chars) if char is accent or char is letter)
    for _, char in chars[places[0] + 1 : places[1]]:
        if char.get("synthetic"):
            char["c"] = ""
    # The accent stood in the middle of a word: the space before it was its own.
    before = places[0] - 1
    if chars[places[0]][1] is accent and before > 0 and chars[before][1].get("synthetic"):
        previous = chars[before - 1][1]["bbox"]
        if letter["bbox"][0] - previous[2] < _THIN * chars[before][0]["size"]:
            chars[before][1]["c"] = ""


def _turn_ligatures(chars: list[Untyped]) -> None:
    """The letters of a right-to-left ligature, the first with all its width, in the order of the word.

    MuPDF gives the letters of a ligature in their order, the later ones without a width, and then turns the
    whole line round, these letters included.
    """
    start = 0
    for place, char in enumerate(chars):
        is_letter = unicodedata.bidirectional(char["c"][:1] or " ") in ("R", "AL")
        if is_letter and char["bbox"][2] - char["bbox"][0] < _NO_WIDTH:
            continue
        ligature = chars[start : place + 1]
        edge = char["bbox"][2]
        if is_letter and len(ligature) > 1 and all(abs(part["bbox"][0] - edge) < 1 for part in ligature[:-1]):
            for part, letter in zip(ligature, [part["c"] for part in reversed(ligature)], strict=True):
                part["c"] = letter
        start = place + 1


def _stands_alone(chars: list[tuple[Untyped, Untyped]], place: int) -> bool:
    """Whether a character is a word of its own: in a private font, an ornament or an icon."""
    around = [chars[near][1]["c"] for near in (place - 1, place + 1) if 0 <= near < len(chars)]
    return all(not text.strip() for text in around)


def _between_letters(chars: list[tuple[Untyped, Untyped]], place: int) -> bool:
    around = [chars[near][1]["c"] for near in (place - 1, place + 1) if 0 <= near < len(chars)]
    return len(around) == 2 and all(text.isalpha() for text in around)  # noqa: PLR2004
