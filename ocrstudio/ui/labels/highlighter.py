"""Colours for Markdown source: headings, emphasis, code, maths, tables, HTML tags and leftover model tags."""

import re
from dataclasses import dataclass

from PySide6.QtGui import QColor, QFont, QSyntaxHighlighter, QTextCharFormat, QTextDocument

from ocrstudio.ui.theme import theme

_NORMAL, _FENCE, _MATHS, _BRACKET_MATHS = -1, 1, 2, 3
# What opens a block over several lines, what closes it, and the state in between.
_BLOCKS = (
    (re.compile(r"^\s*(```|~~~)"), re.compile(r"^\s*(```|~~~)\s*$"), _FENCE),
    (re.compile(r"\$\$"), re.compile(r"\$\$"), _MATHS),
    (re.compile(r"\\\["), re.compile(r"\\\]"), _BRACKET_MATHS),
)


@dataclass(frozen=True)
class Rule:
    """A pattern and how what it matches looks."""

    pattern: re.Pattern[str]
    style: str


RULES = (
    Rule(re.compile(r"^\s{0,3}#{1,6}\s.*$"), "heading"),
    Rule(re.compile(r"^\s*>.*$"), "quote"),
    Rule(re.compile(r"^\s*([-*+]|\d{1,3}[.)])(?=\s)"), "mark"),
    Rule(re.compile(r"(?<!\\)\|"), "mark"),
    Rule(re.compile(r"(\*\*|__)(?=\S)[^*_]+?(?<=\S)\1"), "bold"),
    Rule(re.compile(r"(?<![*\w])\*(?=[^\s*])[^*]+?(?<=[^\s*])\*(?!\*)"), "italic"),
    Rule(re.compile(r"!?\[[^\]]*\]\([^)]*\)"), "link"),
    Rule(re.compile(r"</?[A-Za-z][^<>]*>|<!--.*?-->"), "tag"),
    Rule(re.compile(r"`[^`]+`"), "code"),
    Rule(re.compile(r"(?<![\\$])\$(?=\S)[^$]+?(?<=\S)\$(?!\d)|\\\(.+?\\\)"), "maths"),
    Rule(re.compile(r"<\|[^|<>]*\|>"), "leftover"),
)


class MarkdownHighlighter(QSyntaxHighlighter):
    """Highlights one document, in the colours of the theme at its time."""

    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        self._formats: dict[str, QTextCharFormat] = {}
        self._load_colours()

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        self._load_colours()
        self.rehighlight()

    def _load_colours(self) -> None:
        colours = theme()
        self._formats = {
            "heading": _format(colours.blue, bold=True),
            "quote": _format(colours.muted),
            "mark": _format(colours.accent, bold=True),
            "bold": _format(colours.text, bold=True),
            "italic": _format(colours.text, italic=True),
            "link": _format(colours.accent),
            "tag": _format(colours.muted),
            "code": _format(colours.code),
            "maths": _format(colours.violet),
            "leftover": _format(colours.red, bold=True),
        }

    def highlightBlock(self, text: str) -> None:
        """Colours one line."""
        if self._inside_block(text):
            return
        for rule in RULES:
            for match in rule.pattern.finditer(text):
                self._colour(text, match.start(), match.end(), rule.style)

    def _inside_block(self, text: str) -> bool:
        """Handles code fences and displayed maths; True when the line belongs to one."""
        previous = self.previousBlockState()
        for opening, closing, state in _BLOCKS:
            style = "code" if state == _FENCE else "maths"
            if previous == state:
                self._colour(text, 0, len(text), style)
                self.setCurrentBlockState(_NORMAL if closing.search(text) else state)
                return True
            if previous != _NORMAL:
                continue
            start = opening.search(text)
            if start is not None:
                ends = closing.search(text, start.end()) is not None
                self.setCurrentBlockState(_NORMAL if ends else state)
                self._colour(text, start.start(), len(text), style)
                return True
        self.setCurrentBlockState(_NORMAL)
        return False

    def _colour(self, text: str, start: int, end: int, style: str) -> None:
        # Qt counts UTF-16 units; only lines with rare characters need the conversion.
        if not text.isascii():
            start, end = _units(text[:start]), _units(text[:end])
        self.setFormat(start, end - start, self._formats[style])


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _format(colour: str, *, bold: bool = False, italic: bool = False) -> QTextCharFormat:
    result = QTextCharFormat()
    result.setForeground(QColor(colour))
    if bold:
        result.setFontWeight(QFont.Weight.DemiBold)
    result.setFontItalic(italic)
    return result
