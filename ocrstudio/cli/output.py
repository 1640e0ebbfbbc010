"""How the commands speak: errors and warnings, tables, times."""

import logging
import shlex
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

import click

from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.jobs.user_state import state_dir


def echo_error(error: OcrStudioError) -> None:
    """Print an expected failure to standard error: one sentence, then what to do."""
    click.echo(f"Error: {error.message}", err=True)
    if error.hint:
        click.echo(f"Hint: {error.hint}", err=True)


def echo_warning(message: str) -> None:
    """Print a warning to standard error."""
    click.echo(f"Warning: {message}", err=True)


class WarningLines(logging.Handler):
    """Prints log records as warnings."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record."""
        echo_warning(record.getMessage())


def write_crash_log(error: Exception) -> Path | None:
    """Append the traceback of an unexpected error to the program's log.

    Returns:
        The log, or None when it cannot be written.
    """
    log = state_dir() / "ocrstudio.log"
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {' '.join(sys.argv[:2])}\n")
            file.writelines(traceback.format_exception(error))
    except OSError:
        return None
    return log


def table(rows: Sequence[tuple[str, ...]], header: tuple[str, ...]) -> str:
    """Columns aligned by spaces, for people and for ``cut``; the last column may be of any length."""
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header) - 1)]
    return "\n".join(
        "  ".join(
            [*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[-1]]
        ).rstrip()
        for line in lines
    )


def training_arguments(train: Path, evaluation: Path | None) -> str:
    """The arguments of ``ocrstudio`` that train on an exported dataset, quoted for a shell."""
    arguments = ["train", "--dataset", str(train)]
    if evaluation is not None:
        arguments += ["--eval-dataset", str(evaluation)]
    return shlex.join(arguments)


def moment(unix_time: float) -> str:
    """A local date and time to the minute."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(unix_time))
