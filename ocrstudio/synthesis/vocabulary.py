"""The words and sentences that pages are written with."""

import random
import re
import string
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ocrstudio.domain.errors import InputError

SIGNS = string.ascii_letters * 3 + string.digits * 2 + ".,-:;()/&%$+=@!?'\""
"""What random strings are made of; letters and digits weigh more."""

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=\S)")
_MIN_WORDS = 20


@dataclass(frozen=True)
class Vocabulary:
    """What may be written.

    Attributes:
        words: At least one.
        sentences: Whole sentences; empty for a mere word list.
    """

    words: tuple[str, ...]
    sentences: tuple[str, ...] = ()

    def sentence(self, source: random.Random) -> str:
        """A sentence of the text, or words in any order where there is none."""
        if self.sentences and source.random() < 0.85:  # noqa: PLR2004 (a sixth stays unguessable)
            return source.choice(self.sentences)
        return f"{self.phrase(source, source.randint(4, 14)).capitalize()}{source.choice('.....?!')}"

    def phrase(self, source: random.Random, count: int) -> str:
        """Words without a sentence around them."""
        return " ".join(source.choice(self.words) for _ in range(count))


def read_vocabulary(paths: Sequence[Path]) -> Vocabulary:
    """Read word lists (a word a line) and texts (anything else).

    Raises:
        InputError: A file cannot be read as UTF-8, or there are too few words in all of them.
    """
    words: list[str] = []
    sentences: list[str] = []
    for path in paths:
        try:
            lines = path.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"The text {path} cannot be read: {error}.",
                "Give text files in UTF-8, or word lists with a word a line.",
            ) from error
        filled = [line.strip() for line in lines if line.strip()]
        if all(len(line.split()) == 1 for line in filled):
            words += filled
            continue
        found = [part for line in filled for part in _SENTENCE_END.split(line)]
        sentences += found
        words += [word.strip(string.punctuation) for part in found for word in part.split()]
    words = [word for word in words if word]
    if len(set(words)) < _MIN_WORDS:
        raise InputError(
            f"The texts hold {len(set(words))} different words; pages need at least {_MIN_WORDS}.",
            "Give longer texts or word lists.",
        )
    return Vocabulary(tuple(words), tuple(sentences))


def random_string(source: random.Random, longest: int = 9) -> str:
    """A word that nobody can guess."""
    return "".join(source.choice(SIGNS) for _ in range(source.randint(1, longest)))
