"""What a learning curve says, as a verdict and one sentence: no more than its held-out pages can carry."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ocrstudio.domain.learning_curve import FEWEST_HELD_OUT, MORE_PAGES
from ocrstudio.domain.wording import count_of
from ocrstudio.evaluation.learning_curve import Extrapolation, Measurement, extrapolate
from ocrstudio.evaluation.metrics import pooled

_HARDLY = 0.95  # of the error at least remains: not worth labelling a hundred pages for
_FAR = 5.0  # times the pages that were measured: a direction rather than a figure


class Verdict(StrEnum):
    """What can be said of further pages."""

    HELPS = "helps"
    HARDLY = "hardly"
    UNCERTAIN = "uncertain"
    TOO_FEW = "too few held-out pages"
    NOT_LEARNT = "nothing learnt"
    FAULTLESS = "no error left"


@dataclass(frozen=True)
class Outlook:
    """What more pages would bring.

    Attributes:
        verdict: In a word.
        sentence: For people.
        extrapolation: The figures behind it; None where there is no word on further pages.
    """

    verdict: Verdict
    sentence: str
    extrapolation: Extrapolation | None = None


def outlook(
    untrained: Measurement | None, trained: Sequence[Measurement], *, seed: int, more: int = MORE_PAGES
) -> Outlook:
    """Say what further pages would bring.

    Args:
        untrained: The student before any training, or None when it was not measured.
        trained: At least three points with rising numbers of pages, on the same held-out pages.
        seed: Of the resampling.
        more: Further pages.

    Raises:
        ValueError: As `extrapolate`.
    """
    held_out, now = len(trained[-1].edits), _error(trained[-1])
    if not any(page.reference for page in trained[-1].edits):
        return Outlook(Verdict.TOO_FEW, "The held-out pages have no text to measure: hold out others.")
    if pooled(trained[-1].edits).distance == 0:
        words = f"No error is left on the {count_of(held_out, 'held-out page')}: harder ones would show more."
        return Outlook(Verdict.FAULTLESS, words)
    if held_out < FEWEST_HELD_OUT:
        are = "is" if held_out == 1 else "are"
        return Outlook(
            Verdict.TOO_FEW,
            f"{count_of(held_out, 'held-out page')} {are} too few to say what more pages would bring: "
            f"hold out at least {FEWEST_HELD_OUT}.",
        )
    if untrained is not None and now >= _error(untrained):
        return Outlook(
            Verdict.NOT_LEARNT,
            f"Training on {count_of(trained[-1].pages, 'page')} did not lower the CER "
            f"({_percent(_error(untrained))} before, {_percent(now)} after): the curve says nothing about "
            "more pages. Try more steps, another learning rate or another mode first.",
        )
    found = extrapolate(trained, more, seed=seed)
    verdict = _verdict(found, now)
    return Outlook(verdict, _sentence(verdict, found, trained, more), found)


def _verdict(found: Extrapolation, now: float) -> Verdict:
    if found.law.exponent <= 0 or found.interval.low > _HARDLY * now:
        return Verdict.HARDLY
    if found.interval.high < now and found.cer < now:
        return Verdict.HELPS
    return Verdict.UNCERTAIN


def _sentence(verdict: Verdict, found: Extrapolation, trained: Sequence[Measurement], more: int) -> str:
    last = trained[-1]
    now = _percent(_error(last))
    between = f"{_number(found.interval.low)} to {_number(found.interval.high)}"
    there = f"the CER from {now} to about {_percent(found.cer)} ({between})"
    if verdict is Verdict.HELPS:
        words = f"{more:,} more pages would bring {there}."
    elif verdict is Verdict.HARDLY and found.law.exponent <= 0:
        first = trained[0]
        words = (
            f"More pages of this kind would hardly help: from {first.pages:,} to {last.pages:,} pages the "
            f"CER did not fall ({_percent(_error(first))} to {now})."
        )
    elif verdict is Verdict.HARDLY:
        words = f"More pages of this kind would hardly help: {more:,} more would bring {there}."
    else:
        held_out = count_of(len(last.edits), "held-out page")
        low, high = _number(found.interval.low), _percent(found.interval.high)
        words = (
            f"The {held_out} cannot tell whether more pages would help: {more:,} more would bring the CER "
            f"from {now} to anything between {low} and {high}."
        )
    if found.pages > _FAR * last.pages and verdict is not Verdict.HARDLY:
        words += f" That is far beyond the {last.pages:,} pages measured: a direction rather than a figure."
    return words


def _error(point: Measurement) -> float:
    return pooled(point.edits).error_rate


def _percent(rate: float) -> str:
    return f"{_number(rate)} %"


def _number(rate: float) -> str:
    return f"{100 * rate:.1f}"
