"""The figures of a page that are measured block by block: text, reading order, tables, formulas.

Blocks are paired by likeness (see `quick_match`); a table only with a table, a formula only with a formula.
What finds no partner is missing or invented and counts with all its characters: a part of a page that could
not be paired is no success.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace

from rapidfuzz.distance import Levenshtein

from ocrstudio.evaluation.blocks import Block, BlockKind, split_blocks
from ocrstudio.evaluation.latex import normalise_latex
from ocrstudio.evaluation.normalise import Normalisation
from ocrstudio.evaluation.quick_match import UNLIKE, Match, distances, pair_by_likeness, quick_match
from ocrstudio.evaluation.tables import Table, parse_table
from ocrstudio.evaluation.teds import structure_of, teds


@dataclass(frozen=True, kw_only=True)
class BlockScores:
    """What blocks say about a page; None where the page has nothing of the kind.

    Attributes:
        text_edit: Edits of paired, missing and invented text blocks by the longer of both sides, 0 … 1.
        order_edit: Edit distance of the sequence of blocks, missing ones included, 0 … 1.
        teds: Mean similarity of the tables, missing and invented ones being 0.
        teds_s: The same for their structure alone.
        formula_edit: As `text_edit`, of display formulas in normalised LaTeX.
        blocks: Blocks of the truth.
        missing_blocks: Blocks of the truth that were not found.
        invented_blocks: Blocks of the prediction that belong to none of the truth.
    """

    text_edit: float | None
    order_edit: float | None
    teds: float | None
    teds_s: float | None
    formula_edit: float | None
    blocks: int
    missing_blocks: int
    invented_blocks: int


def block_figures(scores: BlockScores) -> dict[str, float | int]:
    """The figures that a page or a report has, by their names."""
    named = ((each.name, getattr(scores, each.name)) for each in fields(BlockScores))
    return {name: value for name, value in named if value is not None}


def score_blocks(reference: str, prediction: str, rules: Normalisation) -> BlockScores:
    """Pair the blocks of two pages and measure them.

    Args:
        reference: The true Markdown.
        prediction: The predicted Markdown.
        rules: What is made equal in the text of a block and in the cells of a table.
    """
    sides = split_blocks(reference), split_blocks(prediction)
    texts = [_texts(side, _is_text, rules.apply) for side in sides]
    formulas = [_texts(side, _is_formula, normalise_latex) for side in sides]
    tables = [_tables(side, rules.apply) for side in sides]
    by_text = _renumbered(quick_match(*(list(side.values()) for side in texts)), *texts)
    by_formula = _one_to_one(*formulas)
    by_cells = _one_to_one(*({number: _cells(table) for number, table in side.items()} for side in tables))
    matches = [*by_text, *by_formula, *by_cells]
    blocks = sum(len(match.expected) for match in matches)
    text_edit = _edit(by_text, texts, rules.join)
    return BlockScores(
        text_edit=0.0 if text_edit is None and not blocks else text_edit,
        order_edit=order_edit(matches),
        teds=_similarity(*(list(side.values()) for side in tables)),
        teds_s=_similarity(*([structure_of(table) for table in side.values()] for side in tables)),
        formula_edit=_edit(by_formula, formulas, "".join),
        blocks=blocks,
        missing_blocks=sum(len(match.expected) for match in matches if not match.found),
        invented_blocks=sum(len(match.found) for match in matches if not match.expected),
    )


def edit_share(pairs: Sequence[tuple[str, str]]) -> float | None:
    """All edits by the sum of the longer sides; None when there is no text at all."""
    longest = sum(max(len(left), len(right)) for left, right in pairs)
    return sum(Levenshtein.distance(left, right) for left, right in pairs) / longest if longest else None


def order_edit(matches: Sequence[Match], place: Callable[[int], int] = lambda number: number) -> float | None:
    """Edit distance between the order of the truth and that of the prediction, by the number of blocks.

    The prediction is written as the numbers of the true blocks in the order in which it has them; a missing
    one is not in it. None for a blank page.

    Args:
        matches: Pairs, and what is missing.
        place: Where on the page a block of the prediction stands.
    """
    right = sorted(number for match in matches for number in match.expected)
    pairs = sorted((match for match in matches if match.is_pair), key=lambda match: place(match.found[0]))
    found = [number for match in pairs for number in match.expected]
    return Levenshtein.distance(right, found) / len(right) if right else None


def pair_tables(expected: Sequence[Table], found: Sequence[Table]) -> list[tuple[int, int]]:
    """Numbers of the tables that are most alike by the text of their cells; the smaller side is used up."""
    return pair_by_likeness(
        distances([_cells(table) for table in expected], [_cells(table) for table in found])
    )


def _is_text(block: Block) -> bool:
    return block.kind not in (BlockKind.TABLE, BlockKind.FORMULA)


def _is_formula(block: Block) -> bool:
    return block.kind is BlockKind.FORMULA


def _texts(
    blocks: Sequence[Block], wanted: Callable[[Block], bool], clean: Callable[[str], str]
) -> dict[int, str]:
    """Texts of some blocks by their place on the page; what is empty when it was cleaned is no block."""
    cleaned = {number: clean(block.text) for number, block in enumerate(blocks) if wanted(block)}
    return {number: text for number, text in cleaned.items() if text}


def _tables(blocks: Sequence[Block], clean: Callable[[str], str]) -> dict[int, Table]:
    read = {
        number: tuple(
            tuple(replace(cell, text=clean(cell.text)) for cell in row) for row in parse_table(block.text)
        )
        for number, block in enumerate(blocks)
        if block.kind is BlockKind.TABLE
    }
    return {number: table for number, table in read.items() if table}


def _cells(table: Table) -> str:
    return "\n".join("|".join(cell.text for cell in row) for row in table)


def _one_to_one(expected: dict[int, str], found: dict[int, str]) -> list[Match]:
    costs = distances(list(expected.values()), list(found.values()))
    pairs = pair_by_likeness(costs, UNLIKE)
    rows, columns = {row for row, _ in pairs}, {column for _, column in pairs}
    return _renumbered(
        [
            *(Match((row,), (column,)) for row, column in pairs),
            *(Match((row,), ()) for row in range(len(expected)) if row not in rows),
            *(Match((), (column,)) for column in range(len(found)) if column not in columns),
        ],
        expected,
        found,
    )


def _renumbered(matches: list[Match], expected: dict[int, str], found: dict[int, str]) -> list[Match]:
    """Matches by places on the page in place of places in a list."""
    rows, columns = list(expected), list(found)
    return [
        Match(tuple(rows[row] for row in match.expected), tuple(columns[column] for column in match.found))
        for match in matches
    ]


def _edit(
    matches: Sequence[Match], sides: Sequence[dict[int, str]], join: Callable[[Iterable[str]], str]
) -> float | None:
    expected, found = sides
    return edit_share(
        [
            (
                join(expected[number] for number in match.expected),
                join(found[number] for number in match.found),
            )
            for match in matches
        ]
    )


def _similarity(expected: Sequence[Table], found: Sequence[Table]) -> float | None:
    """Mean similarity of paired tables; a table that only one side has counts 0."""
    count = max(len(expected), len(found))
    if not count:
        return None
    return sum(teds(expected[row], found[column]) for row, column in pair_tables(expected, found)) / count
