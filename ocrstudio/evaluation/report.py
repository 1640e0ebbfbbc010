"""Score predictions against references: figures for the whole, and a record for each page.

A page without a prediction counts as one whose prediction is empty, and is listed as missing: leaving it out
would reward a model that fails on hard pages. The mean of uncapped error rates is not reported, because one
runaway page (35 times the length of its reference, say) would decide it alone.
"""

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ocrstudio.evaluation.bootstrap import error_rate_interval
from ocrstudio.evaluation.metrics import EditCount, count_character_edits, count_word_edits, pooled
from ocrstudio.evaluation.normalise import Normalisation
from ocrstudio.evaluation.reading_order import compare_reading_order
from ocrstudio.evaluation.report_file import from_json, read, to_json, write
from ocrstudio.evaluation.results import ErrorRate, EvaluationReport, Flag, Overall, PageResult, Pair
from ocrstudio.evaluation.teds import page_teds
from ocrstudio.postprocess.repetition import find_runaway

__all__ = ["EvaluationReport", "PageResult", "Pair", "build_report", "from_json", "read", "to_json", "write"]

CAP = 1.0
DEFAULT_SEED = 3407


@dataclass(frozen=True)
class _Scored:
    result: PageResult
    characters: EditCount
    words: EditCount


def build_report(
    pairs: Iterable[Pair],
    normalisation: Normalisation | None = None,
    *,
    title: str = "",
    system: Mapping[str, Any] | None = None,
    seed: int = DEFAULT_SEED,
    on_page: Callable[[PageResult], None] | None = None,
) -> EvaluationReport:
    """Score every page.

    Args:
        pairs: The pages; none may be left out because its prediction failed.
        normalisation: What is made equal first; by default Unicode NFC and collapsed white space.
        title: What is evaluated.
        system: What made the predictions; kept in the report as it stands.
        seed: For the intervals.
        on_page: Called after each page.

    Raises:
        ValueError: There is no page.
    """
    rules = normalisation or Normalisation()
    scored: list[_Scored] = []
    for pair in pairs:
        scored.append(_score(pair, rules))
        if on_page is not None:
            on_page(scored[-1].result)
    if not scored:
        raise ValueError("a report needs at least one page")
    return EvaluationReport(
        overall=_overall(scored, seed),
        normalisation=rules,
        seed=seed,
        pages=tuple(item.result for item in scored),
        title=title,
        system=dict(system or {}),
    )


def _score(pair: Pair, rules: Normalisation) -> _Scored:
    reference, prediction = rules.apply(pair.reference), rules.apply(pair.prediction or "")
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
        teds=page_teds(pair.reference, pair.prediction or ""),
        reading_order=compare_reading_order(pair.reference, pair.prediction or "").agreement,
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
    similarities = [page.teds for page in pages if page.teds is not None]
    orders = [page.reading_order for page in pages if page.prediction is not None]
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
        teds=statistics.fmean(similarities) if similarities else None,
        reading_order=statistics.fmean(orders) if orders else None,
    )


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
