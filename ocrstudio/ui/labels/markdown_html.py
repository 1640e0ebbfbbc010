"""Markdown of a label → HTML that is safe to show.

Labels come from models and from other people's documents, so the HTML in them is hostile until it has been
cleaned: no scripts, no styles, no network. DeepSeek-OCR writes its tables as HTML, and those pass.

The Markdown is CommonMark with GitHub's tables, strikethrough and footnotes, as most programs read it.
"""

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin

_MATHS = re.compile(
    r"\$\$(?P<dollars>.+?)\$\$|\\\[(?P<brackets>.+?)\\\]|\\\((?P<parens>.+?)\\\)"
    r"|(?<![\\$\w])\$(?P<dollar>(?! )[^$\n]+?(?<![ \\]))\$(?![\d$])",
    re.DOTALL,
)
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)[^\n]+?(?<!`)\1(?!`)")
_CODE_BLOCKS = frozenset({"fence", "code_block"})
# Only a blank line ends HTML in Markdown; models write the next paragraph right after a table.
_TABLE_END = re.compile(r"(</table>[ \t]*\n)(?=[^\s<])", re.IGNORECASE)
# Private-use characters stand for a formula while the text is parsed.
_TOKEN = re.compile("\ue000(\\d+)\ue001")
_TAGS = {
    "a", "b", "blockquote", "br", "caption", "center", "code", "dd", "del", "div", "dl", "dt", "em",
    "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "li", "mark",
    "ol", "p", "pre", "s", "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot",
    "th", "thead", "tr", "u", "ul",
}  # fmt: skip
_ATTRIBUTES = {
    "td": {"colspan", "rowspan", "align"},
    "th": {"colspan", "rowspan", "align"},
    "img": {"src", "alt"},
    "a": {"title"},
    "ol": {"start"},
}
_MAX_TEXT = 400_000
_ALIGNMENT = re.compile(r"text-align:(left|right|center)")
_IMAGE = '<img src="maths:{}" style="vertical-align: middle">'


@dataclass
class MathsSource:
    """A formula found in a label."""

    source: str
    display: bool
    written: str


@dataclass
class SafeHtml:
    """The result.

    Attributes:
        body: Clean HTML; a formula is ``<img src="maths:N">``.
        formulas: The formulas by number.
    """

    body: str
    formulas: list[MathsSource] = field(default_factory=list)


def to_safe_html(text: str) -> SafeHtml:
    """Renders Markdown; the result holds nothing that could run or be fetched."""
    formulas: list[MathsSource] = []
    shown = re.sub("[\ue000\ue001]", "", re.sub("\r\n?", "\n", text[:_MAX_TEXT]))
    prepared = _outside_code(shown, lambda part: _TABLE_END.sub(r"\1\n", _take_maths(part, formulas)))
    clean = nh3.clean(
        _parser().render(prepared),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=set(),
        link_rel=None,
        attribute_filter=partial(_attribute, formulas),
    )
    body = _TOKEN.sub(lambda match: _picture(int(match.group(1)), formulas), clean)
    body = body.replace("<p></p>", "")  # left beside a formula on a line of its own
    body = body.replace("\n</code></pre>", "</code></pre>")  # Qt would show another line
    if len(text) > _MAX_TEXT:
        body += f"<p><em>The preview ends here: the label has {len(text):,} characters.</em></p>"
    return SafeHtml(body, formulas)


def show_source(body: str, number: int, formula: MathsSource) -> str:
    """The HTML with one formula replaced by its source, for maths that cannot be drawn."""
    return body.replace(
        _picture(number, [formula], offset=number), f"<code>{html.escape(formula.written)}</code>"
    )


def stand_on_line(body: str, number: int) -> str:
    """The HTML with one formula standing on the line of text, for a formula that has nothing below it."""
    image = _IMAGE.format(number)
    return body.replace(image, image.replace("middle", "baseline"))


def _picture(number: int, formulas: list[MathsSource], offset: int = 0) -> str:
    place = number - offset
    if not 0 <= place < len(formulas):
        return ""
    image = _IMAGE.format(number)
    return f'</p><p align="center">{image}</p><p>' if formulas[place].display else image


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    """The parser; it keeps no state between two texts and is safe to use from several threads."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    # Notes stay where they are written, with the mark that the page has; a mark without a note is shown, too.
    footnote_plugin(parser, inline=False, move_to_end=False, always_match_refs=True)
    parser.core.ruler.push("notes_and_alignment", _notes_and_alignment)
    parser.add_render_rule("footnote_ref", _note_mark)
    for name in ("footnote_reference_open", "footnote_reference_close"):
        parser.add_render_rule(name, _nothing)
    return parser


@lru_cache(maxsize=1)
def _block_parser() -> MarkdownIt:
    """Finds the blocks of a text and leaves the words in them alone."""
    return MarkdownIt("commonmark").enable("table").disable("inline")


def _notes_and_alignment(state: StateCore) -> None:
    """Puts its mark before each footnote, and the alignment of cells into the attribute that Qt knows."""
    mark = ""
    for token in state.tokens:
        if token.type == "footnote_reference_open":
            mark = f"[{token.meta['label']}] "
        elif token.type == "inline" and mark and token.children is not None:
            token.children.insert(0, Token("text", "", 0, content=mark))
            mark = ""
        aligned = _ALIGNMENT.fullmatch(str(token.attrGet("style") or ""))
        if aligned:
            token.attrSet("align", aligned[1])


def _note_mark(_renderer: object, tokens: Sequence[Token], place: int, *_: Any) -> str:  # noqa: ANN401
    return f"<sup>[{html.escape(str(tokens[place].meta['label']))}]</sup>"


def _nothing(*_: Any) -> str:  # noqa: ANN401 - what the renderer hands over
    return ""


def _attribute(formulas: Sequence[MathsSource], tag: str, attribute: str, value: str) -> str | None:
    """Keeps only pictures with a relative path, which the viewer looks for in the workspace.

    A formula in an attribute (the words in place of a picture) is written, not drawn.
    """
    if tag == "img" and attribute == "src" and (":" in value or value.startswith(("/", "\\"))):
        return None
    return _TOKEN.sub(lambda match: _written(int(match.group(1)), formulas), value)


def _written(number: int, formulas: Sequence[MathsSource]) -> str:
    return formulas[number].written if number < len(formulas) else ""


def _outside_code(text: str, change: Callable[[str], str]) -> str:
    """Applies a change to everything but code."""
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)  # as the parser counts them, and no other line ends
    may_hold_code = any(mark in text for mark in ("```", "~~~", "    ", "\t"))
    parts: list[str] = []
    place = 0
    for first, last in _code_blocks(text) if may_hold_code else []:
        parts += [_outside_spans("".join(lines[place:first]), change), *lines[first:last]]
        place = last
    return "".join([*parts, _outside_spans("".join(lines[place:]), change)])


def _code_blocks(text: str) -> list[tuple[int, int]]:
    """First line, and the line after the last, of each block of code."""
    tokens = _block_parser().parse(text)
    return [(token.map[0], token.map[1]) for token in tokens if token.type in _CODE_BLOCKS and token.map]


def _outside_spans(text: str, change: Callable[[str], str]) -> str:
    parts: list[str] = []
    place = 0
    for match in _CODE_SPAN.finditer(text):
        parts += [change(text[place : match.start()]), match.group()]
        place = match.end()
    return "".join([*parts, change(text[place:])])


def _take_maths(text: str, formulas: list[MathsSource]) -> str:
    """Puts a token in the place of each formula, so that Markdown does not read its underscores."""

    def token(match: re.Match[str]) -> str:
        kind = match.lastgroup or ""
        display = kind in ("dollars", "brackets")
        formulas.append(MathsSource(match.group(kind).strip(), display, match.group()))
        return f"\ue000{len(formulas) - 1}\ue001"

    return _MATHS.sub(token, text)
