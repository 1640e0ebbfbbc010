"""How far a prediction keeps the order of the reference's paragraphs, apart from its spelling.

Paragraphs are paired by similarity; the figure is the share of pairs of paragraphs that stand in the same
order in both texts (Kendall's tau, scaled to 0 … 1).
"""

import re
from dataclasses import dataclass

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

_PARAGRAPH_END = re.compile(r"\n\s*\n")
_SIMILAR = 0.5


@dataclass(frozen=True)
class ReadingOrder:
    """The order of the paragraphs that could be paired.

    Attributes:
        agreement: Share of paragraph pairs in the same order; 1 for fewer than two pairs.
        matched: Paragraphs of the reference that were found in the prediction.
        paragraphs: Paragraphs of the reference.
    """

    agreement: float
    matched: int
    paragraphs: int


def compare_reading_order(reference: str, prediction: str) -> ReadingOrder:
    """Pair the paragraphs of two texts, the most similar first, and compare their order."""
    expected, found = _paragraphs(reference), _paragraphs(prediction)
    positions = _pair(expected, found)
    return ReadingOrder(_agreement(positions), len(positions), len(expected))


def _paragraphs(text: str) -> list[str]:
    return [" ".join(part.split()) for part in _PARAGRAPH_END.split(text) if part.strip()]


def _pair(expected: list[str], found: list[str]) -> list[int]:
    """Positions in the prediction of the paired paragraphs, in the order of the reference."""
    if not expected or not found:
        return []
    similarity = process.cdist(
        expected, found, scorer=Levenshtein.normalized_similarity, score_cutoff=_SIMILAR, dtype=np.float32
    )
    best_first = np.argsort(-similarity, axis=None, kind="stable")
    partner: dict[int, int] = {}
    taken: set[int] = set()
    for flat in best_first.tolist():
        row, column = divmod(flat, len(found))
        if similarity[row, column] < _SIMILAR:
            break
        if row not in partner and column not in taken:
            partner[row] = column
            taken.add(column)
    return [partner[row] for row in sorted(partner)]


def _agreement(positions: list[int]) -> float:
    pairs = len(positions) * (len(positions) - 1) // 2
    if pairs == 0:
        return 1.0
    order = np.asarray(positions)
    kept = sum(int((order[index + 1 :] > position).sum()) for index, position in enumerate(positions))
    return kept / pairs
