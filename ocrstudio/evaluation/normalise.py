"""What is made equal before two texts are compared; a report states it, as no figure means much without."""

import html
import re
import unicodedata
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from ocrstudio.evaluation.tables import html_tables_to_pipe

WhiteSpace = Literal["keep", "collapse", "remove"]

_SPACES = re.compile(r"\s+")
_LINE_SPACES = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r"\n{2,}")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_IMAGE_OR_LINK = re.compile(r"!?\[(?P<text>[^\]\n]*)\]\([^)\n]*\)")
_LINE_MARKS = re.compile(
    r"^[ \t]*(?:#{1,6}[ \t]+|>[ \t]?|[-*+][ \t]+|```.*$|(?:-{3,}|\*{3,}|_{3,})[ \t]*$)", re.MULTILINE
)
_EMPHASIS = re.compile(r"(?<!\w)(?P<mark>\*{1,3}|_{1,3}|~~|`)(?=\S)(?P<text>[^\n]*?\S)(?P=mark)(?!\w)")
_TABLE_RULE = re.compile(
    r"^[ \t]*\|?(?:[ \t]*:?-{3,}:?[ \t]*\|)+(?:[ \t]*:?-{3,}:?[ \t]*)?$\n?", re.MULTILINE
)
_CELL_BORDER = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True)
class Normalisation:
    """The options, applied in this order.

    Attributes:
        unicode_form: ``NFC`` makes composed and combined accents equal, ``NFKC`` also widths and ligatures.
        unify_tables: HTML tables become pipe tables.
        strip_markup: Markdown marks and HTML tags are removed, their text is kept.
        fold_case: Capitals and small letters are equal.
        white_space: ``keep`` it; ``collapse`` runs to one blank or one line end; or ``remove`` it.
    """

    unicode_form: Literal["none", "NFC", "NFKC"] = "NFC"
    unify_tables: bool = False
    strip_markup: bool = False
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
        if self.fold_case:
            text = text.casefold()
        return _WHITE_SPACE[self.white_space](text)

    def describe(self) -> str:
        """One line for people, for instance ``NFC, tables unified, white space collapsed``."""
        parts = [
            self.unicode_form if self.unicode_form != "none" else "Unicode as it is",
            "tables unified" if self.unify_tables else "",
            "markup stripped" if self.strip_markup else "markup kept",
            "case folded" if self.fold_case else "",
            f"white space {_WHITE_SPACE_WORDS[self.white_space]}",
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
    """Remove Markdown marks and HTML tags; the text inside stays."""
    text = _TABLE_RULE.sub("", _COMMENT.sub("", text))
    text = _IMAGE_OR_LINK.sub(lambda match: match["text"], text)
    text = _LINE_MARKS.sub("", text)
    previous = ""
    while previous != text:  # marks nest: **_both_**
        previous, text = text, _EMPHASIS.sub(lambda match: match["text"], text)
    return html.unescape(_TAG.sub(" ", _CELL_BORDER.sub(" ", text)))


def _collapse(text: str) -> str:
    lines = (line.strip() for line in _LINE_SPACES.sub(" ", text).splitlines())
    return _BLANK_LINES.sub("\n", "\n".join(lines)).strip()


_WHITE_SPACE: dict[WhiteSpace, Callable[[str], str]] = {
    "keep": lambda text: text,
    "collapse": _collapse,
    "remove": lambda text: _SPACES.sub("", text),
}
_WHITE_SPACE_WORDS: dict[WhiteSpace, str] = {"keep": "kept", "collapse": "collapsed", "remove": "removed"}
