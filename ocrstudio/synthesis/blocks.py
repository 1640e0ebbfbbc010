"""The tree of a written page. Everything that is drawn stands here, and nothing else does."""

from dataclasses import dataclass, replace
from typing import TypeAlias


@dataclass(frozen=True)
class Run:
    """A stretch of text in one style.

    Attributes:
        text: What is read; no line breaks.
        bold: Whether it is set in bold type.
        raised: Whether it is a superscript of a formula; stands only between runs with `formula`.
        formula: Whether it is part of a formula.
    """

    text: str
    bold: bool = False
    raised: bool = False
    formula: bool = False


Text: TypeAlias = tuple[Run, ...]


@dataclass(frozen=True)
class Heading:
    """A heading of level 1 to 4."""

    level: int
    text: Text


@dataclass(frozen=True)
class Paragraph:
    """Running text."""

    text: Text


@dataclass(frozen=True)
class Listing:
    """A list, with numbers from 1 or with dots."""

    items: tuple[Text, ...]
    ordered: bool = False


@dataclass(frozen=True)
class Table:
    """A table; the first row is its head. All rows have the same number of cells."""

    rows: tuple[tuple[Text, ...], ...]


Block: TypeAlias = Heading | Paragraph | Listing | Table
Blocks: TypeAlias = tuple[Block, ...]


def plain(text: str) -> Text:
    """Text in one style."""
    return (Run(text),)


def length(block: Block) -> int:
    """Characters of a block."""
    return sum(len(run.text) for text in texts(block) for run in text)


def texts(block: Block) -> tuple[Text, ...]:
    """The texts of a block in reading order."""
    if isinstance(block, Heading | Paragraph):
        return (block.text,)
    if isinstance(block, Listing):
        return block.items
    return tuple(cell for row in block.rows for cell in row)


def without_bold(blocks: Blocks) -> Blocks:
    """The same page for a face that has no bold twin: what cannot be seen must not be asked for."""

    def light(text: Text) -> Text:
        return tuple(replace(run, bold=False) for run in text)

    def change(block: Block) -> Block:
        if isinstance(block, Heading | Paragraph):
            return replace(block, text=light(block.text))
        if isinstance(block, Listing):
            return replace(block, items=tuple(map(light, block.items)))
        return Table(tuple(tuple(map(light, row)) for row in block.rows))

    return tuple(map(change, blocks))
