"""Score predictions against references: figures for the whole, and a record for each page.

A page without a prediction counts as one whose prediction is empty, and is listed as missing: leaving it out
would reward a model that fails on hard pages. The mean of uncapped error rates is not reported, because one
runaway page (35 times the length of its reference, say) would decide it alone.
"""

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from ocrstudio.evaluation.block_scores import BlockScores
from ocrstudio.evaluation.bootstrap import error_rate_interval
from ocrstudio.evaluation.metrics import EditCount, count_character_edits, count_word_edits, pooled
from ocrstudio.evaluation.profiles import DEFAULT_PROFILE, PROFILES, Profile
from ocrstudio.evaluation.results import ErrorRate, EvaluationReport, Flag, Overall, PageResult, Pair
from ocrstudio.postprocess.repetition import find_runaway

CAP = 1.0
DEFAULT_SEED = 3407
_COUNTS = frozenset({"blocks", "missing_blocks", "invented_blocks"})


@dataclass(frozen=True)
class _Scored:
    result: PageResult
    characters: EditCount
    words: EditCount


def build_report(
    pairs: Iterable[Pair],
    profile: Profile = PROFILES[DEFAULT_PROFILE],
    *,
    title: str = "",
    system: Mapping[str, Any] | None = None,
    seed: int = DEFAULT_SEED,
    on_page: Callable[[PageResult], None] | None = None,
) -> EvaluationReport:
    """Score every page.

    Args:
        pairs: The pages; none may be left out because its prediction failed.
        profile: What is made equal first, and how blocks are measured.
        title: What is evaluated.
        system: What made the predictions; kept in the report as it stands.
        seed: For the intervals.
        on_page: Called after each page.

    Raises:
        ValueError: There is no page.
    """
    scored: list[_Scored] = []
    for pair in pairs:
        scored.append(_score(pair, profile))
        if on_page is not None:
            on_page(scored[-1].result)
    if not scored:
        raise ValueError("a report needs at least one page")
    return EvaluationReport(
        overall=_overall(scored, seed),
        profile=profile,
        seed=seed,
        pages=tuple(item.result for item in scored),
        title=title,
        system=dict(system or {}),
    )


def rescored(
    report: EvaluationReport, profile: Profile, keep: Callable[[PageResult], bool] = lambda _: True
) -> EvaluationReport:
    """The figures of some pages of a report under another profile; a report holds the texts for it.

    Args:
        report: The report.
        profile: How its pages are compared now.
        keep: Which pages count.

    Raises:
        ValueError: No page is kept.
    """
    pairs = [
        Pair(
            key=page.key,
            reference=page.reference,
            prediction=page.prediction,
            document=page.document,
            page=page.page,
            truncated="truncated" in page.flags,
            error=page.error,
        )
        for page in report.pages
        if keep(page)
    ]
    if profile == report.profile and len(pairs) == len(report.pages):
        return report
    return build_report(pairs, profile, title=report.title, system=report.system, seed=report.seed)


def character_edits(report: EvaluationReport) -> tuple[EditCount, ...]:
    """The character edits of each page of a report, in its order, under its profile."""
    apply = report.profile.rules.apply
    return tuple(
        count_character_edits(apply(page.reference), apply(page.prediction or "")) for page in report.pages
    )


def _score(pair: Pair, profile: Profile) -> _Scored:
    reference, prediction = (profile.rules.apply(text) for text in (pair.reference, pair.prediction or ""))
    characters = count_character_edits(reference, prediction)
    words = count_word_edits(reference, prediction)
    result = PageResult(
        key=pair.key,
        document=pair.document,
        page=pair.page,
        reference=pair.reference,
        prediction=pair.prediction,
        cer=characters.error_rate,
        wer=words.error_rate,
        ned=characters.normalised,
        **asdict(profile.score(pair.reference, pair.prediction or "")),
        flags=tuple(_flags(pair, reference, prediction)),
        error=pair.error,
    )
    return _Scored(result, characters, words)


def _flags(pair: Pair, reference: str, prediction: str) -> Iterable[Flag]:
    if not reference:
        yield "empty_reference"
    if pair.prediction is None:
        yield "missing"
        return
    if not prediction:
        yield "empty_prediction"
    if pair.truncated:
        yield "truncated"
    if find_runaway(pair.prediction) is not None:
        yield "runaway"


def _overall(scored: Sequence[_Scored], seed: int) -> Overall:
    pages = [item.result for item in scored]
    characters = [item.characters for item in scored]
    words = [item.words for item in scored]
    return Overall(
        pages=len(pages),
        missing=_flagged(pages, "missing"),
        runaway_rate=_flagged(pages, "runaway") / len(pages),
        truncated_rate=_flagged(pages, "truncated") / len(pages),
        exact_rate=sum(page.prediction is not None and page.ned == 0 for page in pages) / len(pages),
        characters=pooled(characters).reference,
        cer=_error_rate(characters, seed),
        wer=_error_rate(words, seed),
        ned=statistics.fmean(page.ned for page in pages),
        **_of_blocks(pages),
    )


def _of_blocks(pages: Sequence[PageResult]) -> dict[str, Any]:
    """The figures of blocks over all pages: means of the pages that have one, sums of counts."""
    figures: dict[str, Any] = {}
    for each in fields(BlockScores):
        values = [value for page in pages if (value := getattr(page, each.name)) is not None]
        if each.name in _COUNTS:
            figures[each.name] = sum(values)
        else:
            figures[each.name] = statistics.fmean(values) if values else None
    return figures


def _error_rate(counts: Sequence[EditCount], seed: int) -> ErrorRate:
    rates = [count.error_rate for count in counts]
    return ErrorRate(
        corpus=pooled(counts).error_rate,
        median=statistics.median(rates),
        capped_mean=statistics.fmean(min(rate, CAP) for rate in rates),
        interval=error_rate_interval(counts, seed),
    )


def _flagged(pages: Sequence[PageResult], flag: Flag) -> int:
    return sum(flag in page.flags for page in pages)
