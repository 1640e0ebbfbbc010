"""What ``ocrstudio workspace`` prints."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, TypeVar

import click

from ocrstudio.cli.output import echo_error, echo_warning, table
from ocrstudio.domain.document import PageStatus
from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.domain.label import source_in_words
from ocrstudio.domain.wording import count_of
from ocrstudio.pdf.sources import left_out_in_words
from ocrstudio.services.workspaces import ImportReport, WorkspaceStatus

if TYPE_CHECKING:
    from ocrstudio.services.draft_quality import DraftQuality

T = TypeVar("T")

_CHECKS = {
    "explained": "with the text of the page",
    "incomplete": "with text missing",
    "unfounded": "with more text than the page",
    "blank": "of blank pages",
    "unchecked": "not held against their pages",
}

_SHOWN = 20  # of a list that may be thousands of lines long; the count is always exact


def print_import(report: ImportReport) -> None:
    """What became of each file."""
    for remark in report.remarks:
        echo_warning(remark)
    for path, document in report.duplicates:
        click.echo(f"{path} is in the workspace already, as {document.name}.")
    for document in report.restored:
        click.echo(f"{document.name} had been removed and is back, with its labels.")
    for problem in report.problems:
        echo_error(problem.error)
    for document, added in report.extended:
        click.echo(f"{count_of(added, 'page')} added to {document.name}.")
    left_out = left_out_in_words(report.left_out)
    if left_out:
        echo_warning(left_out)
    pages = sum(document.page_count for document in report.imported)
    click.echo(f"Imported {count_of(len(report.imported), 'document')} with {count_of(pages, 'page')}.")


def print_status(found: WorkspaceStatus) -> None:
    """Counts for people."""
    click.echo(
        f"{found.root}: {count_of(len(found.documents), 'document')}, {count_of(found.page_count, 'page')}"
    )
    click.echo()
    states = [(state.value.replace("_", " "), str(count)) for state, count in found.counts.items() if count]
    if states:
        click.echo(table(states, ("STATUS", "PAGES")))
        click.echo()
    rows = [
        (
            document.name,
            str(document.page_count),
            str(counts.get(PageStatus.ACCEPTED, 0)),
            str(counts.get(PageStatus.FLAGGED, 0) + counts.get(PageStatus.FAILED, 0)),
        )
        for document, counts in found.documents
    ]
    if rows:
        click.echo(table(rows, ("DOCUMENT", "PAGES", "ACCEPTED", "FLAGGED OR FAILED")))
        click.echo()
    if found.checks:
        said = [f"{count} {_CHECKS.get(verdict, verdict)}" for verdict, count in found.checks.items()]
        click.echo(f"Drafts and their pages: {', '.join(said)}.")
    sources = [f"{count} by {source_in_words(source)}" for source, count in found.revisions.items()]
    click.echo(f"Revisions: {', '.join(sources) or 'none'}. Runs: {found.runs}.")
    if found.removed_documents:
        click.echo(
            f"{count_of(found.removed_documents, 'removed document')}: import the file again to restore it."
        )


def print_draft_quality(found: "Sequence[DraftQuality]") -> None:
    """How near the drafts came to the accepted labels, a line for each source and task."""
    click.echo()
    if not found:
        click.echo("No accepted page has a draft of a teacher, so there is nothing to measure.")
        return
    rows = [
        (
            source_in_words(each.source),
            each.task,
            str(each.pages),
            str(each.unchanged),
            f"{each.cer:.2%}",
            f"{each.wer:.2%}",
        )
        for each in found
    ]
    click.echo(table(rows, ("DRAFTS OF", "TASK", "ACCEPTED", "UNCHANGED", "CER", "WER")))


def status_data(
    found: WorkspaceStatus, damage: list[str] | None, quality: "Sequence[DraftQuality] | None" = None
) -> dict[str, object]:
    """Counts for programs; `damage` and `quality` are None when they were not asked for."""
    data: dict[str, object] = {
        "root": str(found.root),
        "pages": found.page_count,
        "statuses": {state.value: count for state, count in found.counts.items()},
        "documents": [
            {**asdict(document), "statuses": {state.value: count for state, count in counts.items()}}
            for document, counts in found.documents
        ],
        "revisions": dict(found.revisions),
        "checks": dict(found.checks),
        "runs": found.runs,
        "removed_documents": found.removed_documents,
        "database_bytes": found.database_bytes,
    }
    if quality is not None:
        data["teachers"] = [asdict(each) for each in quality]
    if damage is not None:
        data["damage"] = damage
    return data


def echo_some(lines: Iterable[str]) -> None:
    """Warnings, but not thousands of them."""
    _echo_first(lines, echo_warning)


def echo_errors(errors: Iterable[OcrStudioError]) -> None:
    """Errors, but not thousands of them."""
    _echo_first(errors, echo_error)


def _echo_first(things: Iterable[T], echo: Callable[[T], None]) -> None:
    said = list(things)
    for thing in said[:_SHOWN]:
        echo(thing)
    if len(said) > _SHOWN:
        click.echo(f"… and {len(said) - _SHOWN} more.", err=True)
