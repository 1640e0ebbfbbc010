"""Confidence intervals by resampling pages.

Percentile bootstrap: B. Efron, R. Tibshirani, An Introduction to the Bootstrap (1993), chapter 13. Pages are
drawn with replacement, because errors within a page depend on each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ocrstudio.evaluation.metrics import EditCount

RESAMPLES = 2000
LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """Limits between which a figure lies with the given confidence."""

    low: float
    high: float
    level: float = LEVEL


def error_rate_interval(
    counts: Sequence[EditCount], seed: int, resamples: int = RESAMPLES
) -> Interval | None:
    """The interval of a corpus-level error rate; None for fewer than two pages or without reference text."""
    references = np.array([count.reference for count in counts], dtype=np.float64)
    distances = np.array([count.distance for count in counts], dtype=np.float64)
    pages = len(counts)
    if pages <= 1 or not references.any():
        return None
    generator = np.random.default_rng(seed)
    rates = []
    for _ in range(resamples):
        drawn = generator.integers(0, pages, pages)
        length = references[drawn].sum()
        if length > 0:
            rates.append(distances[drawn].sum() / length)
    low, high = np.quantile(rates, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(low), float(high))
