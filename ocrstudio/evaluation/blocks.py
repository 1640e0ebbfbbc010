"""A page of Markdown as its blocks, in the order in which they are read.

A page without blank lines is split at its line ends, as OmniDocBench's scorer does: some models write no
others.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from ocrstudio.evaluation.tables import html_table_spans, pipe_table_spans

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_FENCE = re.compile(
    r"^[ \t]*(?P<mark>```+|~~~+)[^\n]*\n(?P<body>.*?)(?:^[ \t]*(?P=mark)[ \t]*$|\Z)", re.M | re.S
)
_OUTER_FENCE = re.compile(r"\A\s*```(?:markdown|md|html|latex)[ \t]*\n(?P<body>.*?)\n?(?:```)?\s*\Z", re.S)
_FORMULA_START = re.compile(
    r"(?P<dollars>\$\$)|(?P<bracket>\\\[)"
    r"|\\begin\{(?P<name>(?:equation|align|gather|multline|eqnarray)\*?)\}"
)
_ONLY_FORMULA = re.compile(r"\$[^$\n]+\$|\\\([^\n]+?\\\)")
_HEADING = re.compile(r"[ ]{0,3}#{1,6}(?:[ \t]|$)")
_LIST_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+\S")
_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")


class BlockKind(StrEnum):
    """What a block is."""

    PARAGRAPH = "paragraph"
    HEADING = "heading"
    LIST = "list"
    TABLE = "table"
    FORMULA = "formula"
    CODE = "code"


@dataclass(frozen=True)
class Block:
    """A stretch of a page.

    Attributes:
        kind: What it is.
        text: Its Markdown, without the blank lines around it.
        start: Offset of its first character within the page.
    """

    kind: BlockKind
    text: str
    start: int


def split_blocks(text: str) -> list[Block]:
    """The blocks of a page; comments and a fence around the whole page are no part of it."""
    text = _COMMENT.sub(lambda comment: " " * len(comment[0]), without_outer_fence(text))
    blocks = list(_special(text))
    for block in blocks:
        text = (
            f"{text[: block.start]}\n{' ' * (len(block.text) - 2)}\n{text[block.start + len(block.text) :]}"
        )
    whole = _BLANK_LINES.search(text.strip()) is None and not blocks
    blocks += _plain(text, by_line=whole)
    return sorted((block for block in blocks if block.text.strip()), key=lambda block: block.start)


def without_outer_fence(text: str) -> str:
    """A page whose whole Markdown stands in a fence, without it."""
    found = _OUTER_FENCE.match(text)
    return found["body"] if found is not None and "```" not in found["body"] else text


def _special(text: str) -> Iterator[Block]:
    """Code, tables and formulas; what lies within an earlier one is part of it."""
    finders = (
        (BlockKind.CODE, lambda text: [found.span() for found in _FENCE.finditer(text)]),
        (BlockKind.TABLE, html_table_spans),
        (BlockKind.TABLE, pipe_table_spans),
        (BlockKind.FORMULA, _formula_spans),
    )
    for kind, find in finders:
        for start, end in find(text):
            yield Block(kind, text[start:end], start)
            text = text[:start] + "\n" + " " * (end - start - 2) + "\n" + text[end:]


def _formula_spans(text: str) -> list[tuple[int, int]]:
    """Start and end of each display formula, in one pass: a model may open thousands and close none."""
    spans: list[tuple[int, int]] = []
    position = 0
    never_closed: set[str] = set()
    while found := _FORMULA_START.search(text, position):
        position = found.end()
        closing = "$$" if found["dollars"] else "\\]" if found["bracket"] else f"\\end{{{found['name']}}}"
        end = -1 if closing in never_closed else text.find(closing, position)
        if end < 0:
            never_closed.add(closing)
        elif text[position:end].strip():
            position = end + len(closing)
            spans.append((found.start(), position))
    return spans


def _plain(text: str, *, by_line: bool) -> Iterator[Block]:
    position = 0
    for line_block in _chunks(text, by_line=by_line):
        start = text.index(line_block, position)
        position = start + len(line_block)
        yield Block(_kind(line_block), line_block.strip(), start)


def _chunks(text: str, *, by_line: bool) -> Iterator[str]:
    """Runs of lines that belong together."""
    run: list[str] = []
    for line in text.splitlines(keepends=True):
        begins = by_line or not line.strip() or _begins(line, run)
        if begins and run:
            yield "".join(run)
            run = []
        if line.strip():
            run.append(line)
    if run:
        yield "".join(run)


def _begins(line: str, run: list[str]) -> bool:
    """Whether a line begins a block of its own behind the lines of a run."""
    if not run:
        return False
    if _HEADING.match(line) or _HEADING.match(run[-1]):
        return True
    return bool(_LIST_ITEM.match(line)) and not _LIST_ITEM.match(run[0])


def _kind(text: str) -> BlockKind:
    if _HEADING.match(text):
        return BlockKind.HEADING
    if _LIST_ITEM.match(text):
        return BlockKind.LIST
    return BlockKind.FORMULA if _ONLY_FORMULA.fullmatch(text.strip()) else BlockKind.PARAGRAPH
