"""Error rates of a predicted text against its reference.

All distances are Levenshtein's (insertions, deletions, substitutions, each of cost 1), by rapidfuzz.

* CER = distance in characters / characters of the reference: at least 0, and above 1 for a prediction that is
  much too long. WER is the same over words.
* NED = distance / length of the longer text: between 0 and 1, and symmetric.

An empty reference (a blank page) has no rate of its own. By definition here: 0 when the prediction is empty
too, else 1, as if everything was wrong. In corpus figures the characters that were invented there count as
edits, and the length that they are divided by does not grow: text on a blank page raises the rate of all.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz.distance import Levenshtein

_UNSPACED_SCRIPTS = (
    (0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3040, 0x30FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF), (0x20000, 0x3FFFF), (0x0E00, 0x0EFF), (0x1780, 0x17FF), (0x1000, 0x109F),
)  # fmt: skip
"""Han, kana, Thai, Lao, Khmer, Burmese: scripts without blanks between words."""


@dataclass(frozen=True)
class EditCount:
    """A distance and the lengths that it is divided by.

    Attributes:
        distance: Number of edits.
        reference: Length of the reference.
        prediction: Length of the prediction.
    """

    distance: int
    reference: int
    prediction: int

    @property
    def error_rate(self) -> float:
        """Edits for each unit of the reference; see the module for an empty one."""
        if self.reference == 0:
            return 1.0 if self.prediction else 0.0
        return self.distance / self.reference

    @property
    def normalised(self) -> float:
        """Edits for each unit of the longer text; 0 for two empty ones."""
        longest = max(self.reference, self.prediction)
        return self.distance / longest if longest else 0.0


def count_character_edits(reference: str, prediction: str) -> EditCount:
    """Edits over Unicode code points."""
    return EditCount(Levenshtein.distance(reference, prediction), len(reference), len(prediction))


def count_word_edits(reference: str, prediction: str) -> EditCount:
    """Edits over words, as `split_words` finds them."""
    expected, found = split_words(reference), split_words(prediction)
    return EditCount(Levenshtein.distance(expected, found), len(expected), len(found))


def cer(reference: str, prediction: str) -> float:
    """Character error rate."""
    return count_character_edits(reference, prediction).error_rate


def wer(reference: str, prediction: str) -> float:
    """Word error rate."""
    return count_word_edits(reference, prediction).error_rate


def normalised_edit_distance(reference: str, prediction: str) -> float:
    """Distance over the longer length."""
    return count_character_edits(reference, prediction).normalised


def split_words(text: str) -> list[str]:
    """Words between white space; in scripts that put no blanks between words, every character is one.

    So a Chinese or Japanese page is not one enormous word that is right or wrong. Korean has blanks.
    """
    words: list[str] = []
    for token in text.split():
        words.extend(_pieces(token))
    return words


def _pieces(token: str) -> Iterator[str]:
    if token.isascii():
        yield token
        return
    current = ""
    for character in token:
        if is_unspaced(character):
            if current:
                yield current
            current = ""
            yield character
        else:
            current += character
    if current:
        yield current


@lru_cache(maxsize=4096)
def is_unspaced(character: str) -> bool:
    """Whether a character belongs to a script that puts no blanks between words."""
    code = ord(character)
    return any(first <= code <= last for first, last in _UNSPACED_SCRIPTS)


def pooled(counts: Sequence[EditCount]) -> EditCount:
    """The counts of a whole corpus: long pages weigh more than short ones."""
    return EditCount(
        sum(count.distance for count in counts),
        sum(count.reference for count in counts),
        sum(count.prediction for count in counts),
    )
