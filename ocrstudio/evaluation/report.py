"""Reports: how they are made, what they hold, and their files; one place to import them from."""

from ocrstudio.evaluation.block_scores import block_figures
from ocrstudio.evaluation.report_file import from_json, read, to_json, write
from ocrstudio.evaluation.results import EvaluationReport, PageResult, Pair
from ocrstudio.evaluation.scoring import build_report, character_edits, rescored

__all__ = [
    "EvaluationReport",
    "PageResult",
    "Pair",
    "block_figures",
    "build_report",
    "character_edits",
    "from_json",
    "read",
    "rescored",
    "to_json",
    "write",
]
