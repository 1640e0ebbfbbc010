"""Write a page: a random tree of blocks of a wished length."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ocrstudio.synthesis.blocks import (
    Block,
    Blocks,
    Heading,
    Listing,
    Paragraph,
    Run,
    Table,
    Text,
    length,
    plain,
)
from ocrstudio.synthesis.vocabulary import Vocabulary, random_string

_BOLD_SHARE = 0.06
_FORMULA_SIGNS = ("+", "-", "=", "/", "<", ">")
_LETTERS = "abcdefghkmnpqrstuvwxyzABCDEFGHKLMNPQRSTUVWXYZ"
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

Writer = Callable[[random.Random, Vocabulary, int], Block]


@dataclass(frozen=True)
class PagePlan:
    """What a page holds.

    Attributes:
        characters: About how many; the last block may exceed it by a little.
        weights: How often each kind of block is chosen; the kinds are those of `WRITERS`.
        headings: Chance of a heading at the top and before a block.
    """

    characters: int
    weights: Mapping[str, float] = field(default_factory=lambda: DEFAULT_WEIGHTS)
    headings: float = 0.3


def write_page(source: random.Random, vocabulary: Vocabulary, plan: PagePlan) -> Blocks:
    """Write one page; the same for the same state of `source`."""
    blocks: list[Block] = []
    left = plan.characters
    if source.random() < plan.headings and left > 40:  # noqa: PLR2004 (a title needs room for a text)
        blocks.append(_heading(source, vocabulary, source.choice((1, 1, 2))))
        left -= length(blocks[-1])
    kinds, weights = zip(*plan.weights.items(), strict=True)
    while left > 0 or not blocks:
        if blocks and left > 80 and not isinstance(blocks[-1], Heading) and source.random() < plan.headings:  # noqa: PLR2004
            blocks.append(_heading(source, vocabulary, source.choice((2, 2, 3))))
            left -= length(blocks[-1])
        kind = source.choices(kinds, weights)[0]
        blocks.append(WRITERS[kind](source, vocabulary, max(1, left)))
        left -= max(1, length(blocks[-1]))
        if left < 12:  # noqa: PLR2004 (no room for a word)
            break
    return tuple(blocks)


def _heading(source: random.Random, vocabulary: Vocabulary, level: int) -> Heading:
    text = vocabulary.phrase(source, source.randint(1, 5))
    number = f"{source.randint(1, 12)}. " if source.random() < 0.25 else ""  # noqa: PLR2004
    return Heading(level, plain(number + (text.title() if source.random() < 0.5 else text.capitalize())))  # noqa: PLR2004


def _prose(source: random.Random, vocabulary: Vocabulary, room: int) -> Paragraph:
    wanted = min(room, source.randint(60, 360))
    text = vocabulary.sentence(source)
    while len(text) < wanted:
        text += " " + vocabulary.sentence(source)
    return Paragraph(_emphasise(source, _cut(text, min(room, wanted + 40))))


def _random(source: random.Random, _: Vocabulary, room: int) -> Paragraph:
    return Paragraph(plain(_until(min(room, source.randint(20, 240)), lambda: random_string(source))))


def _words(source: random.Random, vocabulary: Vocabulary, room: int) -> Paragraph:
    return Paragraph(
        plain(
            _until(
                min(room, source.randint(20, 240)),
                lambda: _changed_case(source, source.choice(vocabulary.words)),
            )
        )
    )


def _numbers(source: random.Random, vocabulary: Vocabulary, room: int) -> Paragraph:
    return Paragraph(plain(_until(min(room, source.randint(20, 200)), lambda: _fact(source, vocabulary))))


def _list(source: random.Random, vocabulary: Vocabulary, room: int) -> Listing:
    items: list[Text] = []
    longest = source.choice((3, 6, 12))
    left = min(room, 400)
    for _ in range(source.randint(2, 6)):
        text = vocabulary.phrase(source, source.randint(1, longest))
        if source.random() < 0.3:  # noqa: PLR2004
            text += " " + _fact(source, vocabulary)
        items.append(plain(_cut(text.capitalize() if source.random() < 0.5 else text, max(8, left))))  # noqa: PLR2004
        left -= len(items[-1][0].text)
        if left < 12:  # noqa: PLR2004
            break
    return Listing(tuple(items), ordered=source.random() < 0.4)  # noqa: PLR2004


def _table(source: random.Random, vocabulary: Vocabulary, room: int) -> Table:
    columns = source.randint(2, 4)
    rows = max(2, min(source.randint(2, 8), room // (columns * 8)))
    makers = [
        source.choice((_cell_words, _cell_number, _cell_number, _cell_code)) for _ in range(columns - 1)
    ]
    makers.insert(0, _cell_words)
    head = tuple(plain(source.choice(vocabulary.words).capitalize()) for _ in range(columns))
    body = (tuple(plain(make(source, vocabulary)) for make in makers) for _ in range(rows - 1))
    return Table((head, *body))


def _cell_words(source: random.Random, vocabulary: Vocabulary) -> str:
    return vocabulary.phrase(source, source.choice((1, 1, 2)))


def _cell_number(source: random.Random, _: Vocabulary) -> str:
    return source.choice(
        (str(source.randint(0, 9999)), f"{source.uniform(0, 999):.2f}", f"{source.uniform(0, 100):.1f}%")
    )


def _cell_code(source: random.Random, _: Vocabulary) -> str:
    return random_string(source, 6)


def _formula(source: random.Random, vocabulary: Vocabulary, room: int) -> Paragraph:
    runs: list[Run] = [Run(vocabulary.phrase(source, source.randint(1, max(1, min(6, room // 16)))) + " ")]
    for index in range(source.randint(2, 4)):
        if index:
            runs.append(Run(f" {source.choice(_FORMULA_SIGNS)} ", formula=True))
        if source.random() < 0.4:  # noqa: PLR2004
            runs.append(Run(str(source.randint(1, 99)), formula=True))
        runs.append(Run(source.choice(_LETTERS), formula=True))
        if source.random() < 0.5:  # noqa: PLR2004
            runs.append(Run(source.choice(("2", "3", "n", "k")), formula=True, raised=True))
    return Paragraph(tuple(runs))


def _fact(source: random.Random, vocabulary: Vocabulary) -> str:
    """A number as documents have them: an amount, a date, a code, a share."""
    number = source.randint(0, 10 ** source.randint(1, 6))
    return source.choice(
        (
            f"{number:,}",
            f"{number / 100:.2f}",
            f"${number / 100:,.2f}",
            f"{source.uniform(0, 100):.1f}%",
            f"{source.randint(1, 28)} {source.choice(_MONTHS)} {source.randint(1800, 2030)}",
            f"{source.randint(1800, 2030)}-{source.randint(1, 12):02}-{source.randint(1, 28):02}",
            f"{''.join(source.choices(_LETTERS.upper(), k=2))}-{source.randint(100, 99999)}",
            f"({source.randint(1, 99)})",
            f"No. {number}",
            f"{source.choice(vocabulary.words)}: {number}",
        )
    )


def _until(room: int, make: Callable[[], str]) -> str:
    """Words until the room is full; the last one is cut."""
    text = make()
    while len(text) < room:
        text += " " + make()
    return text[:room].strip() or text[:1]


def _cut(text: str, room: int) -> str:
    """The words that fit, at least a part of the first."""
    if len(text) <= room:
        return text
    end = text.rfind(" ", 0, room + 1)
    return text[:end] if end > 0 else text[:room]


def _changed_case(source: random.Random, word: str) -> str:
    return source.choice((word, word, word.capitalize(), word.upper()))


def _emphasise(source: random.Random, text: str) -> Text:
    words = text.split(" ")
    if len(words) < 4 or source.random() > _BOLD_SHARE * 5:  # noqa: PLR2004
        return plain(text)
    start = source.randrange(len(words) - 2)
    stop = start + source.randint(1, 2)
    parts = (
        Run(" ".join(words[:start]) + " " if start else ""),
        Run(" ".join(words[start:stop]), bold=True),
        Run(" " + " ".join(words[stop:])),
    )
    return tuple(run for run in parts if run.text)


WRITERS: Mapping[str, Writer] = MappingProxyType(
    {
        "prose": _prose,
        "words": _words,
        "random": _random,
        "numbers": _numbers,
        "list": _list,
        "table": _table,
        "formula": _formula,
    }
)
DEFAULT_WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        "prose": 0.4,
        "words": 0.08,
        "random": 0.08,
        "numbers": 0.1,
        "list": 0.15,
        "table": 0.14,
        "formula": 0.05,
    }
)
