"""What is made equal before two texts are compared; a report states it, as no figure means much without."""

import html
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from ocrstudio.evaluation.metrics import is_unspaced
from ocrstudio.evaluation.tables import html_tables_to_pipe

WhiteSpace = Literal["keep", "collapse", "flat", "remove"]

_SPACES = re.compile(r"\s+")
_LINE_SPACES = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r"\n{2,}")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_IMAGE_OR_LINK = re.compile(r"!?\[(?P<text>[^\]\n]{0,2000})\]\([^)\n]{0,2000}\)")
_LINE_MARKS = re.compile(
    r"^[ \t]*(?:#{1,6}[ \t]+|>[ \t]?|[-*+][ \t]+|```.*$|(?:-{3,}|\*{3,}|_{3,})[ \t]*$)", re.MULTILINE
)
_EMPHASIS = re.compile(r"(?<!\w)(?P<mark>\*{1,3}|_{1,3}|~~|`)(?=\S)(?P<text>[^\n]*?\S)(?P=mark)(?!\w)")
_TABLE_RULE = re.compile(
    r"^[ \t]*\|?(?:[ \t]*:?-{3,}:?[ \t]*\|)+(?:[ \t]*:?-{3,}:?[ \t]*)?$\n?", re.MULTILINE
)
_MATH = re.compile(
    r"\$\$(.{1,2000}?)\$\$|\\\[(.{1,2000}?)\\\]|\\\((.{1,2000}?)\\\)"
    r"|\$(?=\S)([^$\n]{1,500}?)(?<=\S)\$(?!\d)",  # as in Pandoc: two prices are no formula
    re.DOTALL,
)
_HARD_BREAK = re.compile(r"\\(?=\n)")
_CELL_BORDER = re.compile(r"(?<!\\)\|")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_BOLD_TAG = re.compile(r"</?[bi]>")
_BOLD_OR_ITALIC = (re.compile(r"(\*\*|__)(.*?)\1"), re.compile(r"(\*|_)(.*?)\1"))
_NO_LETTER = re.compile(r"[^\w\s]")
_ASCII = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a", "'"),
        **dict.fromkeys("\u201c\u201d\u201e", '"'),
        **dict.fromkeys("\u2011\u2012\u2013\u2014\u2212", "-"),
        "\uff3f": "_",
        "\u00b5": "\u03bc",
    }
)
"""Quotes and dashes as a keyboard has them, after the normalisation of olmOCR-bench."""


@dataclass(frozen=True)
class Normalisation:
    """The options, applied in this order.

    Attributes:
        unicode_form: ``NFC`` makes composed and combined accents equal, ``NFKC`` also widths and ligatures.
        unify_tables: HTML tables become pipe tables.
        strip_markup: Markdown marks, HTML tags and delimiters of formulas are removed, their text is kept.
        strip_emphasis: Only the marks of bold and italic text are removed.
        ascii_marks: Typographic quotes and dashes equal those of a keyboard.
        letters_only: Only letters, digits, underscores and white space count.
        fold_case: Capitals and small letters are equal.
        white_space: ``keep`` it; ``collapse`` runs to one blank or one line end; ``flat``: each run, line
            ends included, is one blank, and none between characters of scripts without blanks; ``remove``.
    """

    unicode_form: Literal["none", "NFC", "NFKC"] = "NFC"
    unify_tables: bool = False
    strip_markup: bool = False
    strip_emphasis: bool = False
    ascii_marks: bool = False
    letters_only: bool = False
    fold_case: bool = False
    white_space: WhiteSpace = "collapse"

    def apply(self, text: str) -> str:
        """Normalise a text."""
        if self.unicode_form != "none":
            text = unicodedata.normalize(self.unicode_form, text)
        if self.unify_tables:
            text = html_tables_to_pipe(text)
        if self.strip_markup:
            text = strip_markup(text)
        if self.strip_emphasis:
            text = strip_emphasis(text)
        if self.ascii_marks:
            text = text.translate(_ASCII)
        if self.letters_only:
            text = _NO_LETTER.sub("", text)
        if self.fold_case:
            text = text.casefold()
        return _WHITE_SPACE[self.white_space](text)

    def join(self, parts: Iterable[str]) -> str:
        """Neighbouring parts of a page, normalised already, as one text."""
        return _WHITE_SPACE[self.white_space](" ".join(parts))

    def describe(self) -> str:
        """One line for people, for instance ``NFC, tables unified, white space collapsed``."""
        parts = [
            self.unicode_form if self.unicode_form != "none" else "Unicode as it is",
            "tables unified" if self.unify_tables else "",
            "markup stripped" if self.strip_markup else "" if self.strip_emphasis else "markup kept",
            "emphasis stripped" if self.strip_emphasis else "",
            "quotes and dashes as in ASCII" if self.ascii_marks else "",
            "letters and digits only" if self.letters_only else "",
            "case folded" if self.fold_case else "",
            _WHITE_SPACE_WORDS[self.white_space],
        ]
        return ", ".join(part for part in parts if part)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """From JSON."""
        return cls(**data)


def strip_markup(text: str) -> str:
    """Remove Markdown marks, HTML tags and the delimiters of formulas; the text inside stays."""
    text = _TABLE_RULE.sub("", _COMMENT.sub("", text))
    text = _IMAGE_OR_LINK.sub(lambda match: match["text"], text)
    text = _HARD_BREAK.sub("", _LINE_MARKS.sub("", text))
    text = _MATH.sub(lambda match: next(group for group in match.groups() if group).strip(), text)
    previous = ""
    while previous != text:  # marks nest: **_both_**
        previous, text = text, _EMPHASIS.sub(lambda match: match["text"], text)
    return html.unescape(_TAG.sub(" ", _CELL_BORDER.sub(" ", text)))


def strip_emphasis(text: str) -> str:
    """Remove the marks of bold and italic text, as the normalisation of olmOCR-bench does."""
    text = _BOLD_TAG.sub("", _BREAK.sub(" ", text))
    for mark in _BOLD_OR_ITALIC:
        text = mark.sub(r"\2", text)
    return text


def _flat(text: str) -> str:
    """Every run of white space as one blank; a line that breaks between two Chinese characters needs none."""
    words = text.split()
    return "".join(
        word if not number or (is_unspaced(words[number - 1][-1]) and is_unspaced(word[0])) else f" {word}"
        for number, word in enumerate(words)
    )


def _collapse(text: str) -> str:
    lines = (line.strip() for line in _LINE_SPACES.sub(" ", text).splitlines())
    return _BLANK_LINES.sub("\n", "\n".join(lines)).strip()


_WHITE_SPACE: dict[WhiteSpace, Callable[[str], str]] = {
    "keep": lambda text: text,
    "collapse": _collapse,
    "flat": _flat,
    "remove": lambda text: _SPACES.sub("", text),
}
_WHITE_SPACE_WORDS: dict[WhiteSpace, str] = {
    "keep": "white space kept",
    "collapse": "white space collapsed",
    "flat": "line breaks as blanks",
    "remove": "white space removed",
}
