"""The reader's tokenizer: learnt from pages of its own writing; each character of the alphabet is a token."""

import json
import random
from collections.abc import Iterator
from typing import Any

from tokenizers import Tokenizer

from ocrstudio.domain.errors import InputError
from ocrstudio.student.micro_tokenizer import write_pages
from ocrstudio.student.pretraining.levels import LEVELS
from ocrstudio.student.pretraining.material.alphabet import ALPHABET
from ocrstudio.student.tokenizer_training import train_tokenizer
from ocrstudio.synthesis.blocks import Block, Blocks, Table
from ocrstudio.synthesis.html import to_html
from ocrstudio.synthesis.markdown import to_markdown
from ocrstudio.synthesis.text import to_text
from ocrstudio.synthesis.vocabulary import Vocabulary
from ocrstudio.synthesis.writing import PagePlan, write_page

_GRAMMAR_SHARE = 0.05
_SEED = 2_048


def train_reader_tokenizer(vocabulary: Vocabulary, size: int, pages: int) -> Tokenizer:
    """Learn the reader's tokenizer; the same for the same vocabulary.

    Args:
        vocabulary: What pages are written with.
        size: Tokens.
        pages: To learn from.

    Raises:
        InputError: The vocabulary is too poor for so many tokens.
    """
    learnt = json.loads(train_tokenizer(_pages(vocabulary, pages), size).to_str())
    kept = size - len(ALPHABET)
    while (tokenizer := _with_characters(_shortened(learnt, kept))).get_vocab_size() < size:
        # A token more costs one, or none where it is one of the characters.
        kept += size - tokenizer.get_vocab_size()
        if kept > len(learnt["model"]["vocab"]):
            raise InputError(
                f"The texts give fewer than {size} tokens, which the reader has.",
                "Name more or longer texts in the table of packages.",
            )
    return tokenizer


def _shortened(learnt: dict[str, Any], size: int) -> Tokenizer:
    """The tokenizer as it was when it had learnt so many tokens."""
    vocabulary = {token: number for token, number in learnt["model"]["vocab"].items() if number < size}
    merges = [pair for pair in learnt["model"]["merges"] if {*pair, "".join(pair)} <= vocabulary.keys()]
    model = {**learnt["model"], "vocab": vocabulary, "merges": merges}
    return Tokenizer.from_str(json.dumps({**learnt, "model": model}))


def _pages(vocabulary: Vocabulary, count: int) -> Iterator[str]:
    """Labels as the reader writes them: Markdown, plain text, tables as HTML, the full model's grammar."""
    source = random.Random(_SEED)  # noqa: S311 (pages, not secrets)
    for number in range(count):
        level = LEVELS[number % len(LEVELS)]
        blocks = write_page(source, vocabulary, PagePlan(level.characters, level.weights, level.headings))
        kind = source.random()
        if kind < 0.15:  # noqa: PLR2004 (a share of the pages)
            yield to_text(blocks)
        elif kind < 0.25:  # noqa: PLR2004
            yield _with_html_tables(blocks)
        else:
            yield to_markdown(blocks)
    yield from write_pages(round(count * _GRAMMAR_SHARE), _SEED)


def _with_html_tables(blocks: Blocks) -> str:
    def write(block: Block) -> str:
        if isinstance(block, Table):
            return to_html((block,)).replace("<th>", "<td>").replace("</th>", "</td>")
        return to_markdown((block,)).strip()

    return "\n\n".join(map(write, blocks))


def _with_characters(tokenizer: Tokenizer) -> Tokenizer:
    """The tokenizer with merges, behind all others, until each character of the alphabet is one token."""
    for character in ALPHABET:
        while len(tokens := tokenizer.encode(character, add_special_tokens=False).tokens) > 1:
            content = json.loads(tokenizer.to_str())
            content["model"]["merges"].append(tokens[:2])
            content["model"]["vocab"]["".join(tokens[:2])] = tokenizer.get_vocab_size()
            tokenizer = Tokenizer.from_str(json.dumps(content))
    return tokenizer
