"""Why somebody should look at a page that was read: sentences for what an offline reader gets wrong."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from ocrstudio.teachers.offline.layout import FORMULA, TABLE, Block
from ocrstudio.teachers.offline.lines import OcrLine, letters
from ocrstudio.teachers.offline.placing import count_kept
from ocrstudio.teachers.offline.rules import Rule

_KEPT = 0.9
_DOUBLED = 1.1
_MATH = frozenset("=+<>≤≥≈≠≡∈∑∏∫∂∇∞√±×÷→∀∃⊂∪∩∆αβγδεθλμπρσφψωΓΔΘΛΣΦΨΩ^{}|")  # noqa: RUF001
_MATH_LINE = 0.12  # signs of mathematics in the characters of a line
_MATH_LINES = 3
_TABLE_CAPTION = re.compile(r"^[*_#\s]*(?:Table|Tabelle|Tableau|Tabla|表)\s*[\dIVX]{1,4}\b", re.MULTILINE)
_GRID_RULES = 3


def doubts(
    blocks: Sequence[Block], lines: Sequence[OcrLine], rules: Sequence[Rule], found: int, text: str
) -> Iterator[str]:
    """Remarks about a page.

    Args:
        blocks: Its parts.
        lines: Its lines.
        rules: Its ruled lines.
        found: Letters of the lines.
        text: Its label.
    """
    kept = count_kept("".join(line.text for line in lines), text)
    if kept < _KEPT * found:
        yield f"Only {kept:,} of {found:,} recognised letters are in the text."
    if len(letters(text)) > _DOUBLED * max(found, 1):
        yield f"The text has {len(letters(text)):,} letters, {found:,} were recognised: a part stands twice."
    if has_formulas(blocks, lines):
        yield "The page has formulas, which no offline reader writes as LaTeX."
    if not any(block.kind == TABLE for block in blocks) and (
        _TABLE_CAPTION.search(text) or has_grid(rules, lines)
    ):
        yield "The page shows a table that was read as plain text."


def has_formulas(blocks: Sequence[Block], lines: Sequence[OcrLine]) -> bool:
    """Whether the layout model saw a formula, or several lines are full of signs of mathematics."""
    if any(block.kind == FORMULA for block in blocks):
        return True
    dense = 0
    for line in lines:
        signs = [character for character in line.text if not character.isspace()]
        share = sum(character in _MATH for character in signs) / max(1, len(signs))
        dense += len(signs) > 4 and share >= _MATH_LINE  # noqa: PLR2004 - a lone sign is no formula
    return dense >= _MATH_LINES


def has_grid(rules: Sequence[Rule], lines: Sequence[OcrLine]) -> bool:
    """Whether level rules of one width stand above each other with text in most of the rows between them."""
    level = sorted((rule for rule in rules if rule.is_level), key=lambda rule: rule.y0)
    for first in level:
        stack = [
            rule
            for rule in level
            if abs(rule.x0 - first.x0) < 0.05 * first.length and abs(rule.x1 - first.x1) < 0.05 * first.length
        ]
        filled = sum(
            sum(above.y0 < (line.y0 + line.y1) / 2 < below.y0
                and above.x0 <= line.x0 and line.x1 <= above.x1 for line in lines) > 1
            for above, below in pairwise(stack)
        )  # fmt: skip
        if len(stack) >= _GRID_RULES and filled >= _GRID_RULES - 1:
            return True
    return False
