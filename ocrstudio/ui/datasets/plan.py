"""What the user chose for an export, and reports in words. No Qt."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ocrstudio.domain.document import PageStatus
from ocrstudio.domain.wording import count_of
from ocrstudio.services.page_counts import PageCounts
from ocrstudio.ui.messages import Level, Message, Offer

if TYPE_CHECKING:
    from ocrstudio.services.dataset_export import ExportReport
    from ocrstudio.services.dataset_import import DatasetImportReport

EXPORTED = (
    PageStatus.ACCEPTED,
    PageStatus.IN_REVIEW,
    PageStatus.DRAFT,
    PageStatus.FLAGGED,
)
"""States whose pages have a label worth writing; the first is chosen to begin with."""

_SHOWN = 2


@dataclass(frozen=True)
class ExportPlan:
    """What the user chose.

    Attributes:
        folder: Where the dataset goes.
        statuses: Which pages.
        task: Id of the task whose prompt is the question.
        eval_fraction: Share of the pages that is held out for evaluation.
    """

    folder: Path
    statuses: frozenset[PageStatus]
    task: str
    eval_fraction: float


def export_summary(plan: ExportPlan, counts: PageCounts, seed: int) -> tuple[str, bool]:
    """What an export will write, or what is missing, and whether it can begin."""
    pages = counts.pages(*plan.statuses)
    if not plan.statuses:
        return "Choose which pages to write.", False
    if not pages:
        return "No page is in this group. Accept some pages first: Ctrl+Enter.", False
    held_out = counts.held_out(plan.statuses, plan.eval_fraction, seed)
    if not held_out:
        return f"Writes {count_of(pages, 'page')}, all for training.", True
    return f"Writes {count_of(pages, 'page')}, {held_out:,} of them for evaluation.", True


def export_message(report: "ExportReport", offer: Offer) -> Message:
    """What an export wrote, as a message."""
    parts = [f"{count_of(report.train_samples, 'sample')} for training"]
    if report.evaluation_samples:
        parts.append(f"{report.evaluation_samples:,} for evaluation")
    notes = report.notes
    hints = [f"The dataset is in {report.folder}.", *report.remarks, *notes[:_SHOWN]]
    if len(notes) > _SHOWN:
        hints.append(f"The Log panel has {count_of(len(notes) - _SHOWN, 'more remark')}.")
    level = Level.WARNING if report.remarks or notes else Level.INFO
    return Message(level, f"Exported {', '.join(parts)}.", "\n".join(hints), offer)


def import_message(report: "DatasetImportReport", name: str) -> Message:
    """What the import of a dataset did, as a message."""
    notes = report.notes
    hint = f"{notes[0]} The Log panel has all of them." if len(notes) > 1 else "".join(notes)
    return Message(Level.WARNING if report.unusable else Level.INFO, report.in_words(name), hint)
