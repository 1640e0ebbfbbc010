"""A learning curve as a table and a sentence."""

from collections.abc import Mapping
from typing import Any

import click

from ocrstudio.cli.output import table
from ocrstudio.domain.wording import duration
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.services.curve_record import RECORD_NAME, CurvePart, read_record

_HEADER = ("PAGES", "CER", "95 % INTERVAL", "EVALUATION LOSS", "TIME", "TRAINING")


def echo_curve(folder: RunFolder) -> None:
    """Print the points that were measured, and what more pages would bring once all of them were.

    Raises:
        RunError: The record of the curve cannot be read.
    """
    record = read_record(folder.path)
    if record.measured:
        click.echo(table([_row(part) for part in record.measured], _HEADER))
    if record.outlook is None:
        click.echo(f"{len(record.measured)} of {len(record.parts)} points are measured.")
    else:
        click.echo(str(record.outlook["sentence"]))
    click.echo(f"Curve: {folder.path / RECORD_NAME}")
    _echo_adapter(folder.spec.request, folder.summary() or {})


def _echo_adapter(request: Mapping[str, Any], summary: Mapping[str, Any]) -> None:
    adapter = summary.get("adapter")
    if adapter:
        click.echo(f"Adapter of all pages: {request.get('export_to') or adapter}")


def _row(part: CurvePart) -> tuple[str, ...]:
    known = part.low is not None and part.high is not None
    return (
        f"{part.pages:,}",
        f"{part.cer:.2%}",
        f"{part.low:.2%} to {part.high:.2%}" if known else "-",
        f"{part.eval_loss:.4f}" if part.eval_loss is not None else "-",
        duration(part.seconds) if part.seconds else "-",
        part.training or "not trained",
    )
