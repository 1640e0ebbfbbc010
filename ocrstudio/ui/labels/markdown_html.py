"""Markdown of a label → HTML that is safe to show.

Labels come from models and from other people's documents, so the HTML in them is hostile until it has been
cleaned: no scripts, no styles, no network. DeepSeek-OCR writes its tables as HTML, and those pass.
"""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import markdown
import nh3

_MATHS = re.compile(
    r"\$\$(?P<dollars>.+?)\$\$|\\\[(?P<brackets>.+?)\\\]|\\\((?P<parens>.+?)\\\)"
    r"|(?<![\\$\w])\$(?P<dollar>(?! )[^$\n]+?(?<![ \\]))\$(?![\d$])",
    re.DOTALL,
)
_CODE = re.compile(r"^(```|~~~).*?^\1[ \t]*$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
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
    prepared = _outside_code(text[:_MAX_TEXT], lambda part: _take_maths(part, formulas))
    rendered = markdown.markdown(
        prepared,
        extensions=["tables", "fenced_code", "sane_lists", "md_in_html"],
        extension_configs={"tables": {"use_align_attribute": True}},
        output_format="html",
    )
    clean = nh3.clean(
        rendered,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=set(),
        link_rel=None,
        attribute_filter=_local_pictures,
    )
    body = _TOKEN.sub(lambda match: _picture(int(match.group(1)), formulas), clean)
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


def _local_pictures(tag: str, attribute: str, value: str) -> str | None:
    """Keeps only pictures with a relative path; the viewer looks for them in the workspace."""
    if tag == "img" and attribute == "src" and (":" in value or value.startswith(("/", "\\"))):
        return None
    return value


def _outside_code(text: str, change: Callable[[str], str]) -> str:
    """Applies a change to everything but code."""
    parts: list[str] = []
    place = 0
    for match in _CODE.finditer(text):
        parts.append(change(text[place : match.start()]))
        parts.append(match.group())
        place = match.end()
    parts.append(change(text[place:]))
    return "".join(parts)


def _take_maths(text: str, formulas: list[MathsSource]) -> str:
    """Puts a token in the place of each formula, so that Markdown does not read its underscores."""

    def token(match: re.Match[str]) -> str:
        kind = match.lastgroup or ""
        display = kind in ("dollars", "brackets")
        formulas.append(MathsSource(match.group(kind).strip(), display, match.group()))
        return f"\ue000{len(formulas) - 1}\ue001"

    return _MATHS.sub(token, text.replace("\ue000", "").replace("\ue001", ""))
