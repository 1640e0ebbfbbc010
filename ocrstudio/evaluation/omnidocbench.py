"""The figures of a page as OmniDocBench's published scorer computes them (end to end, *quick match*).

What differs from the other profiles, and why its figures are lower: only letters, digits and underscores of
the text count; text in tables and display formulas is left out of it; invented blocks cost nothing; whatever
is left over at the end is paired, however unlike it is, so a single wrong block is "in order".

The truth of the benchmark is a list of annotated blocks; here it is Markdown, split by the scorer's own rules
for Markdown. Formulas are measured by their edit distance: the benchmark's CDM draws them with LaTeX.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import fmean
from typing import Literal

from ocrstudio.evaluation.block_scores import BlockScores, edit_share, order_edit, pair_tables
from ocrstudio.evaluation.latex import publish_latex
from ocrstudio.evaluation.quick_match import Match, quick_match
from ocrstudio.evaluation.tables import Table, html_table_spans, parse_table, pipe_table_spans
from ocrstudio.evaluation.teds import structure_of, teds

Kind = Literal["text", "formula", "inline", "table"]

# Every lazy run is bounded: a runaway answer may open thousands of formulas and close none.
_IMAGE = re.compile(r"!\[.{0,2000}?\]\(.{0,2000}?\)")
_FENCES = re.compile(r"^```(?:markdown|html|latex)\n?|```\n?$", re.MULTILINE)
_PAGE_TAGS = re.compile(r"</?(?:html|body)>")
_LATEX_TABLE = re.compile(r"\\begin\{(table|tabular)\}.{0,20000}?\\end\{\1\}", re.DOTALL)
_FORMULA = re.compile(
    r"\$\$(?P<display>.{0,4000}?)\$\$|\\\[(?P<brackets>.{0,4000}?)\\\]"
    r"|\$(?P<inline>.{0,4000}?)\$|\\\((?P<round>.{0,4000}?)\\\)",
    re.DOTALL,
)
_TITLE_COMMAND = re.compile(r"\\(?:title|text|section\*?)\s*\{\s*(.{0,2000}?)\s*\}", re.DOTALL)
_INLINE = re.compile(r"\$(.{0,2000}?)\$|\\\((.{0,2000}?)\\\)")
_ESCAPED = re.compile(r"\\([\\_&%^])")
_LINE_WORDS = re.compile(r"\\[tn]|/[tn]")
_NO_WORD = re.compile(r"[^\w\u4e00-\u9fff]")


@dataclass(frozen=True)
class Item:
    r"""A block as the scorer sees it.

    Attributes:
        kind: What it is.
        content: What it says; formulas as ``\[…\]``.
        start: Its place on the page.
    """

    kind: Kind
    content: str
    start: int


Read = Sequence[tuple[Item, str]]
"""Blocks and what of them is compared."""


def split_items(text: str) -> list[Item]:
    """The blocks of a page of Markdown, in their order."""
    text = _PAGE_TAGS.sub("", _FENCES.sub("", _IMAGE.sub("", text)))
    text = re.sub(r" {4,}", "    ", re.sub(r"_{4,}", "____", text))
    items: list[Item] = []
    text = _blanked(text, [found.span() for found in _LATEX_TABLE.finditer(text)])
    html = html_table_spans(text)
    items += (Item("table", text[start:end], start) for start, end in html)
    text, formulas = _without_formulas(_blanked(text, html))
    pipes = pipe_table_spans(text)
    items += (Item("table", text[start:end], start) for start, end in pipes)
    text = _blanked(text, pipes)
    text = _TITLE_COMMAND.sub(r"\1", text)
    return sorted([*items, *formulas, *_paragraphs(text)], key=lambda item: item.start)


def score_published(reference: str, prediction: str) -> BlockScores:
    """The figures of a page; see the module. Invented blocks are counted, though they cost nothing."""
    truth = [item for item in split_items(reference) if item.kind != "inline"]
    guess = split_items(prediction)
    true_tables, found_tables = _tables(truth), _tables(guess)
    pairs = pair_tables(true_tables, found_tables)
    expected = _readable([item for item in truth if item.kind != "table"])
    found = _readable(_offered(guess, found_tables, {column for _, column in pairs} if true_tables else None))
    matches = quick_match([text for _, text in expected], [text for _, text in found], lenient=True)
    text_matches = [match for match in matches if _about(match, expected) == "text"]
    formulas, as_text = _formula_pairs(matches, expected, found)
    texts = [_sides(match, expected, found) for match in text_matches]
    tables = [(true_tables[row], found_tables[column]) for row, column in pairs]
    lost_tables = len(true_tables) - len(tables)
    used = {number for match in matches if match.is_pair for number in match.found}
    return BlockScores(
        text_edit=edit_share([*texts, *as_text] if texts else []),
        order_edit=order_edit(text_matches, lambda number: found[number][0].start),
        teds=_similarity(tables, lost_tables, lambda table: table),
        teds_s=_similarity(tables, lost_tables, structure_of),
        formula_edit=edit_share(formulas),
        blocks=len(expected) + len(true_tables),
        missing_blocks=lost_tables + sum(len(match.expected) for match in matches if not match.found),
        invented_blocks=sum(
            number not in used and item.kind != "inline" for number, (item, _) in enumerate(found)
        ),
    )


def _offered(guess: Sequence[Item], tables: Sequence[Table], paired: set[int] | None) -> list[Item]:
    """What may be paired with text and formulas: inline formulas come last; a table without partner is text.

    Args:
        guess: All blocks of the prediction.
        tables: Its tables.
        paired: Numbers of the tables that have a partner; None where the truth has no table.
    """
    loose = [table for number, table in enumerate(tables) if paired is not None and number not in paired]
    return [
        *(item for item in guess if item.kind in ("text", "formula")),
        *(Item("text", cell.text, 0) for table in loose for row in table for cell in row),
        *(item for item in guess if item.kind == "inline"),
    ]


def published_text(text: str) -> str:
    """Letters, digits and underscores of a text, its inline formulas as Unicode."""
    parts: list[str] = []
    position = 0
    for found in _INLINE.finditer(text):
        formula = _ESCAPED.sub("", found[1] if found[1] is not None else found[2])
        written = _unicode(formula) if any(sign in formula for sign in "\\^_") else None
        if written is not None:
            parts += (text[position : found.start()], written)
            position = found.end()
    return _NO_WORD.sub("", _LINE_WORDS.sub("", "".join([*parts, text[position:]])))


@lru_cache(maxsize=1024)
def _unicode(formula: str) -> str | None:
    """A formula as plain text, such as ``a/2``; None when it cannot be read."""
    from pylatexenc.latex2text import LatexNodes2Text

    try:
        return str(
            LatexNodes2Text().latex_to_text(formula + " " if formula.endswith("\\") else formula)
        ).strip()
    except Exception:  # noqa: BLE001 - whatever a model wrote; the scorer leaves such a formula as it is, too
        return None


def _blanked(text: str, spans: Sequence[tuple[int, int]]) -> str:
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def _without_formulas(text: str) -> tuple[str, list[Item]]:
    """Display formulas are taken out; inline ones stay in their paragraph and are told as well."""
    items: list[Item] = []
    display: list[tuple[int, int]] = []
    for found in _FORMULA.finditer(text):
        inline = found["inline"] if found["inline"] is not None else found["round"]
        body = inline or found["display"] or found["brackets"] or ""
        line = " ".join(body.split("\n"))
        if inline is None and body:
            display.append(found.span())
        items.append(Item("formula" if inline is None else "inline", f"\\[{line}\\]", found.start()))
    return _blanked(text, display), items


def _paragraphs(text: str) -> list[Item]:
    parts = text.split("\n\n")
    if len(parts) == 1:
        parts = text.split("\n")
    items: list[Item] = []
    start = 0
    for part in parts:
        lines = "\n".join(line.strip() for line in part.split("\n") if line.strip())
        is_formula = lines.startswith("$") and lines.endswith("$")
        if lines and (not is_formula or lines.replace("$", "").strip()):
            items.append(Item("formula" if is_formula else "text", lines, start))
        start += len(part)  # the scorer counts without the line ends between them
    return items


def _readable(items: Sequence[Item]) -> Read:
    read = [
        (item, published_text(item.content) if item.kind == "text" else publish_latex(item.content))
        for item in items
    ]
    return [(item, text) for item, text in read if item.content and text]


def _tables(items: Sequence[Item]) -> list[Table]:
    texts = (unicodedata.normalize("NFKC", item.content) for item in items if item.kind == "table")
    return [table for text in texts if (table := parse_table(text))]


def _about(match: Match, expected: Read) -> str:
    """Whether a match is one of text or of a formula, by the more frequent kind of its truth."""
    kinds = [expected[number][0].kind for number in match.expected]
    return max(kinds, key=kinds.count) if kinds else ""


def _sides(match: Match, expected: Read, found: Read) -> tuple[str, str]:
    return (
        "".join(expected[number][1] for number in match.expected),
        "".join(found[number][1] for number in match.found),
    )


def _formula_pairs(
    matches: Sequence[Match], expected: Read, found: Read
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Formulas beside formulas, and those that the prediction wrote as text: they count as text."""
    formulas: list[tuple[str, str]] = []
    texts: list[tuple[str, str]] = []
    for match in matches:
        if _about(match, expected) != "formula":
            continue
        left, right = _sides(match, expected, found)
        if match.found and found[match.found[0]][0].kind == "text":
            whole = "".join(expected[number][0].content for number in match.expected)
            texts.append((_NO_WORD.sub("", _unicode(whole) or ""), right))
        else:
            formulas.append((left, right))
    return formulas, texts


def _similarity(
    pairs: Sequence[tuple[Table, Table]], lost: int, view: Callable[[Table], Table]
) -> float | None:
    """Mean similarity of the true tables, lost ones being 0; None without any."""
    found = [teds(view(left), view(right), count_root=False) for left, right in pairs]
    return fmean(found + [0.0] * lost) if found or lost else None
