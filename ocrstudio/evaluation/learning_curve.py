"""Learning curves: from the errors after training on some, more and all pages to what more would bring.

Error falls with the number n of training samples as a power law, b * n^-c, over a long middle range between
guessing and what cannot be learnt (J. Hestness et al., Deep Learning Scaling is Predictable, Empirically,
arXiv:1712.00409, 2017). The full form has a floor, a + b * n^-c. Three points would be met by its three
parameters exactly, whatever they are, and the floor would be made of noise; so it is left out here, and log
error is a straight line over log n, fitted by least squares: three points leave one degree of freedom. Where
there is a floor, this promises a little too much, the more the nearer the error is to it.

The interval is that of the held-out pages at hand, by resampling:

* pages are drawn with replacement, the same ones for every point (Efron, Tibshirani, 1993, chapter 13),
  because what is hard for one student is hard for the other. What a draw makes easier or harder for all
  points alike is divided out: it says which pages were held out, and nothing about the curve;
* the residuals of the straight line are put back with random signs, times the root of points by degrees of
  freedom (wild bootstrap: C. F. J. Wu, The Annals of Statistics 14, 1986): two trainings differ by chance,
  and how far the points lie from a line is the only sign of it.

In simulations (the tests repeat one) a nominal 95 % covers 90 to 97 % from eight held-out pages on, and 80 to
92 % where every training is off by a further 5 %, of which one degree of freedom sees little.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ocrstudio.evaluation.bootstrap import LEVEL, RESAMPLES, Interval
from ocrstudio.evaluation.metrics import EditCount

FEWEST_POINTS = 3
_LEAST_EDITS = 0.5  # where no error was seen there was less than one; a power law never reaches 0

Floats: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Measurement:
    """A point of a learning curve.

    Attributes:
        pages: Pages that were trained on, at least 1.
        edits: Character edits of each held-out page; the same pages in the same order in every point.
    """

    pages: int
    edits: tuple[EditCount, ...]


@dataclass(frozen=True)
class PowerLaw:
    """error = factor * pages^-exponent; an exponent below 0 is an error that grows."""

    factor: float
    exponent: float

    def at(self, pages: float) -> float:
        """The error after training on so many pages."""
        return float(self.factor * pages**-self.exponent)


@dataclass(frozen=True)
class Extrapolation:
    """What further pages would bring on the same held-out pages.

    Attributes:
        pages: Pages that would be trained on.
        cer: Character error rate that the law has there.
        interval: Where it lies.
        law: The law.
    """

    pages: int
    cer: float
    interval: Interval
    law: PowerLaw


def fit_power_law(pages: Sequence[float], errors: Sequence[float]) -> PowerLaw:
    """The power law of least squares in logarithms.

    Args:
        pages: At least two different numbers above 0.
        errors: Above 0.

    Raises:
        ValueError: There are fewer points, or a number is not above 0.
    """
    if len(set(pages)) < 2 or min(*pages, *errors) <= 0:  # noqa: PLR2004 - a line has two points
        raise ValueError("a power law needs two different numbers of pages, and numbers above 0")
    slope, intercept = _line(np.log(np.array(pages, float)), np.log(np.array(errors, float))[:, None])
    return PowerLaw(float(np.exp(intercept[0])), float(-slope[0]))


def extrapolate(
    measurements: Sequence[Measurement], more: int, *, seed: int, resamples: int = RESAMPLES
) -> Extrapolation:
    """What `more` pages beyond the last point would bring.

    Args:
        measurements: Points with rising numbers of pages, at least `FEWEST_POINTS`; the untrained student has
            no place on a power law.
        more: Further pages.
        seed: Of the resampling.
        resamples: Number of draws.

    Raises:
        ValueError: There are fewer points, they are of different held-out pages, or these have no text.
    """
    lengths = [tuple(count.reference for count in point.edits) for point in measurements]
    if len(measurements) < FEWEST_POINTS or len(set(lengths)) != 1 or not any(lengths[0]):
        raise ValueError("a learning curve needs three points that were measured on the same text")
    references = np.array(lengths[0], float)
    distances = np.array([[count.distance for count in point.edits] for point in measurements], float)
    pages = np.array([point.pages for point in measurements], float)
    errors = _rates(distances.sum(axis=1), references.sum())
    law = fit_power_law(pages.tolist(), errors.tolist())
    target = int(pages[-1]) + more
    generator = np.random.default_rng(seed)
    drawn = generator.integers(0, len(references), (resamples, len(references)))
    drawn = drawn[references[drawn].sum(axis=1) > 0]  # blank pages alone have no rate
    resampled = np.log(_rates(distances[:, drawn].sum(axis=2), references[drawn].sum(axis=1)))
    level = (resampled - np.log(errors)[:, None]).mean(axis=0)
    residuals = np.log(errors) - np.log([law.at(number) for number in pages])
    scale = np.sqrt(len(pages) / (len(pages) - 2))
    signs = generator.choice((-1.0, 1.0), resampled.shape)
    slope, intercept = _line(np.log(pages), resampled - level + scale * residuals[:, None] * signs)
    low, high = np.quantile(np.exp(intercept + slope * np.log(target)), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    cer = law.at(target)  # percentiles of a skewed figure may lie on one side of it
    return Extrapolation(target, cer, Interval(min(float(low), cer), max(float(high), cer)), law)


def _rates(distances: Floats, length: Floats) -> Floats:
    return np.maximum(distances, _LEAST_EDITS) / length


def _line(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Slopes and intercepts of the least-squares lines through the columns of ``y`` [points, lines]."""
    centred = x - x.mean()
    slope = centred @ y / (centred @ centred)
    return slope, y.mean(axis=0) - slope * x.mean()
