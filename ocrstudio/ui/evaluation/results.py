"""Rows of the evaluation panel: figures of a whole report, and a line for each page. No Qt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ocrstudio.evaluation.results import EvaluationReport, PageResult

_FLAG_WORDS = {
    "missing": "no prediction",
    "empty_prediction": "empty prediction",
    "empty_reference": "empty reference",
    "runaway": "loops",
    "truncated": "cut off",
}
INTERVAL = "95 %"
FIGURES = ("CER", INTERVAL, "Median", "WER", "NED", "Loops", "Cut off", "Pages")
"""Columns of the table of figures."""

FIGURE_HELP = {
    "CER": "Character error rate over all pages: edits by characters of the reference.",
    INTERVAL: "Where the CER lies with 95 % confidence, by resampling pages; needs two pages.",
    "Median": "Half of the pages have a lower character error rate.",
    "WER": "Word error rate over all pages.",
    "NED": "Normalised edit distance, between 0 and 100 %; mean of the pages.",
    "Loops": "Pages whose prediction repeats itself without end.",
    "Cut off": "Pages whose prediction ended at the token limit.",
    "Pages": "Pages that were measured; those without a prediction count as empty.",
}


@dataclass(frozen=True)
class PageLine:
    """A page in the table.

    Attributes:
        key: Identifies the page within the report.
        document: Its document, or empty.
        page: Its page counted from one, or 0.
        cer: Character error rate.
        wer: Word error rate.
        before: Character error rate in the other report, or None.
        flags: What was noticed, in words.
        result: The whole record, once the report is there.
    """

    key: str
    document: str
    page: int
    cer: float
    wer: float
    before: float | None = None
    flags: str = ""
    result: "PageResult | None" = None

    @property
    def name(self) -> str:
        """Document and page in words."""
        return f"{self.document}, page {self.page}" if self.document and self.page else self.key


def figures_of(report: "EvaluationReport") -> tuple[str, ...]:
    """The figures of a report, as `FIGURES`."""
    overall = report.overall
    interval = overall.cer.interval
    return (
        _percent(overall.cer.corpus),
        f"{_percent(interval.low)} \N{EN DASH} {_percent(interval.high)}" if interval else "\N{EN DASH}",
        _percent(overall.cer.median),
        _percent(overall.wer.corpus),
        _percent(overall.ned),
        _percent(overall.runaway_rate),
        _percent(overall.truncated_rate),
        f"{overall.pages:,}",
    )


def lines_of(report: "EvaluationReport", other: "EvaluationReport | None") -> list[PageLine]:
    """The pages of a report, worst first, beside those of another one."""
    before = {page.key: page.cer for page in other.pages} if other is not None else {}
    lines = [
        PageLine(
            page.key,
            page.document,
            page.page,
            page.cer,
            page.wer,
            before.get(page.key),
            ", ".join(_FLAG_WORDS[flag] for flag in page.flags),
            page,
        )
        for page in report.pages
    ]
    return sorted(lines, key=lambda line: line.cer, reverse=True)


def lines_of_samples(samples: Sequence[Mapping[str, Any]]) -> list[PageLine]:
    """The pages that a running evaluation has told, worst first; their texts follow with the report."""
    lines = [
        PageLine(
            str(sample.get("key", "")),
            str(sample.get("document") or ""),
            int(sample.get("page") or 0),
            float(sample.get("cer") or 0.0),
            float(sample.get("wer") or 0.0),
            flags=", ".join(_FLAG_WORDS.get(str(flag), str(flag)) for flag in sample.get("flags") or ()),
        )
        for sample in samples
    ]
    return sorted(lines, key=lambda line: line.cer, reverse=True)


def _percent(share: float) -> str:
    return f"{share:.1%}"
