"""The figures of a run or of a report in words; the same ones wherever a terminal shows them."""

from collections.abc import Mapping

_FIGURES: Mapping[str, tuple[str, str]] = {
    "cer": ("character error rate", ".2%"),
    "cer_median": ("character error rate, median of the pages", ".2%"),
    "wer": ("word error rate", ".2%"),
    "ned": ("normalised edit distance of whole pages", ".4f"),
    "text_edit": ("text edit distance, block by block", ".4f"),
    "order_edit": ("edit distance of the reading order", ".4f"),
    "teds": ("similarity of tables (TEDS)", ".4f"),
    "teds_s": ("similarity of the tables' structure (TEDS-S)", ".4f"),
    "formula_edit": ("edit distance of formulas", ".4f"),
    "blocks": ("blocks of the labels", "d"),
    "missing_blocks": ("blocks that were not found", "d"),
    "invented_blocks": ("blocks that were invented", "d"),
    "truncated_rate": ("pages that were cut off", ".1%"),
    "runaway_rate": ("pages that repeat themselves", ".1%"),
}


def figure_in_words(name: str, value: str | float) -> tuple[str, str]:
    """What a figure of a summary is called, and its value; one without words of its own keeps its name."""
    words, form = _FIGURES.get(name, (name.replace("_", " "), ".4g"))
    return words, format(value, form) if isinstance(value, float) else str(value)
