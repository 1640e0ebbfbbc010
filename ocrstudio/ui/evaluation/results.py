"""Rows of the evaluation panel: figures of a whole report, and a line for each page. No Qt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ocrstudio.evaluation.results import EvaluationReport, PageResult
    from ocrstudio.ui.evaluation.comparison import Compared

_FLAG_WORDS = {
    "missing": "no prediction",
    "empty_prediction": "empty prediction",
    "empty_reference": "empty reference",
    "runaway": "loops",
    "truncated": "cut off",
}
INTERVAL = "95 %"
FIGURES = (
    "CER", INTERVAL, "Median", "WER", "NED", "Text", "Order", "TEDS", "TEDS-S", "Formulas", "Blocks",
    "Loops", "Cut off", "Pages",
)  # fmt: skip
"""Columns of the table of figures."""

FIGURE_HELP = {
    "CER": "Character error rate over all pages: edits by characters of the reference. Lower is better.",
    INTERVAL: "Where the CER lies with 95 % confidence, by resampling pages; needs two pages.",
    "Median": "Half of the pages have a lower character error rate.",
    "WER": "Word error rate over all pages.",
    "NED": "Normalised edit distance of whole pages, between 0 and 100 %; mean of the pages.",
    "Text": "Edit distance of the text, block by block, whatever the order; missing and invented blocks "
    "count. Lower is better.",
    "Order": "Edit distance of the order of the blocks, missing ones included. Lower is better.",
    "TEDS": "Similarity of the tables, cells and texts; missing and invented tables are 0. Higher is better.",
    "TEDS-S": "Similarity of the tables' structure alone. Higher is better.",
    "Formulas": "Edit distance of the display formulas, in normalised LaTeX. Lower is better.",
    "Blocks": "Blocks that were not found, and blocks that were invented.",
    "Loops": "Pages whose prediction repeats itself without end.",
    "Cut off": "Pages whose prediction ended at the token limit.",
    "Pages": "Pages that were measured; those without a prediction count as empty.",
}
NOTHING = "\N{EN DASH}"


@dataclass(frozen=True)
class PageLine:
    """A page in the table.

    Attributes:
        key: Identifies the page within the report.
        document: Its document, or empty.
        page: Its page counted from one, or 0.
        cer: Character error rate.
        wer: Word error rate.
        text: Edit distance of the text by blocks, or None.
        order: Edit distance of the reading order, or None for a blank page.
        teds: Similarity of the tables, or None without any.
        before: Character error rate in the other report, or None.
        flags: What was noticed, in words.
        result: The whole record, once the report is there.
    """

    key: str
    document: str
    page: int
    cer: float
    wer: float
    text: float | None = None
    order: float | None = None
    teds: float | None = None
    before: float | None = None
    flags: str = ""
    result: "PageResult | None" = None

    @property
    def name(self) -> str:
        """Document and page in words."""
        return f"{self.document}, page {self.page}" if self.document and self.page else self.key

    @property
    def figures(self) -> str:
        """All figures that the page has, in words."""
        named = (
            ("CER", self.cer),
            ("WER", self.wer),
            ("text", self.text),
            ("order", self.order),
            ("TEDS", self.teds),
        )
        return ", ".join(f"{name} {percent(value)}" for name, value in named if value is not None)


def figures_of(report: "EvaluationReport") -> tuple[str, ...]:
    """The figures of a report, as `FIGURES`."""
    overall = report.overall
    interval = overall.cer.interval
    return (
        percent(overall.cer.corpus),
        f"{percent(interval.low)} {NOTHING} {percent(interval.high)}" if interval else NOTHING,
        percent(overall.cer.median),
        percent(overall.wer.corpus),
        percent(overall.ned),
        percent(overall.text_edit),
        percent(overall.order_edit),
        percent(overall.teds),
        percent(overall.teds_s),
        percent(overall.formula_edit),
        f"\N{MINUS SIGN}{overall.missing_blocks:,} +{overall.invented_blocks:,}",
        percent(overall.runaway_rate),
        percent(overall.truncated_rate),
        f"{overall.pages:,}",
    )


def rows_of(compared: "Compared") -> list[tuple[str, tuple[str, ...]]]:
    """(title, figures) of one report, or of two on the pages that they have in common."""
    rows = [("This", figures_of(compared.this))]
    if compared.other is not None:
        rows.append(("Other", figures_of(compared.other)))
    return rows


def lines_of(report: "EvaluationReport", before: Mapping[str, float]) -> list[PageLine]:
    """The pages of a report, worst first, beside their character error rates in another one."""
    lines = [
        PageLine(
            page.key,
            page.document,
            page.page,
            page.cer,
            page.wer,
            page.text_edit,
            page.order_edit,
            page.teds,
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
            sample.get("text_edit"),
            sample.get("order_edit"),
            sample.get("teds"),
            flags=", ".join(_FLAG_WORDS.get(str(flag), str(flag)) for flag in sample.get("flags") or ()),
        )
        for sample in samples
    ]
    return sorted(lines, key=lambda line: line.cer, reverse=True)


def percent(share: float | None) -> str:
    """A share as people read it; a dash where there is none."""
    return NOTHING if share is None else f"{share:.1%}"
