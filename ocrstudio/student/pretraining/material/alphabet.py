"""The characters that every page of the reader is written with."""

import string
from functools import cache
from types import MappingProxyType

# Letters of Western European languages: those of Latin-1 and the three that it lacks for French.
_LETTERS = "".join(chr(code) for code in range(0xC0, 0x100) if code not in (0xD7, 0xF7)) + "ŒœŸ"
_SIGNS = "‘’“”„–—•…§©®°±×÷·½£€¥«»¡¿"  # noqa: RUF001 (these are the signs of print)

ALPHABET = string.ascii_letters + string.digits + string.punctuation + _LETTERS + _SIGNS
"""Every font draws all of them and every one is a single token. No blank."""

LIGATURES = "\ufb00\ufb01\ufb02\ufb03\ufb04"
"""What fonts may draw for ff, fi, fl, ffi and ffl."""

_SAME = MappingProxyType(
    {
        "\u00a0": " ",
        "\u2002": " ",
        "\u2003": " ",
        "\u2009": " ",
        "\u202f": " ",
        "\u2010": "-",
        "\u2011": "-",
        "\u2212": "-",
        "\u2032": "'",
        "\u2192": "->",
        "\u21d2": "=>",
        "\u2264": "<=",
        "\u2265": ">=",
        "\u00ad": "",
        "\u200b": "",
        "\ufeff": "",
    }
)


@cache
def _replacements() -> dict[int, str]:
    return str.maketrans(dict(_SAME))


def fit(text: str) -> str | None:
    """The text in the alphabet, with its blanks as single spaces; None when it has other characters."""
    fitting = " ".join(text.translate(_replacements()).split())
    return fitting if _KNOWN.issuperset(fitting) else None


_KNOWN = frozenset(ALPHABET + " ")
