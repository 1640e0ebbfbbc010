"""``ocrstudio environment``: what trains, for the installed program, which does not hold it."""

import sys

import click

from ocrstudio.domain.errors import RunError
from ocrstudio.domain.wording import size_of
from ocrstudio.jobs.training_environment import INSTALL_COMMAND, Status


@click.group()
def command() -> None:
    """Get, or remove, what trains and runs the student in an installed OCR Studio.

    The installer holds everything but PyTorch and what belongs to it. These commands put that into an
    environment of its own; in a checkout or a wheel, `uv sync --extra train` or pip do.
    """


@command.command()
@click.option("--yes", is_flag=True, help="Do not ask before downloading.")
@click.option(
    "--torch-backend",
    metavar="NAME",
    help="Build of PyTorch from its own index: cpu, auto (fits the driver), cu130, … [default: that of PyPI]",
)
def install(yes: bool, torch_backend: str | None) -> None:
    """Install what trains, go on with an unfinished installation, or update it.

    Ctrl+C ends it; the next time it goes on where it stopped.
    """
    from ocrstudio.services import training_environment

    found = training_environment.plan()
    if found.status is Status.READY:
        click.echo(f"The training environment in {found.folder} is complete.")
        return
    click.echo(found.in_words())
    if not yes and not _agreed():
        raise click.Abort
    try:
        with _Lines() as lines:
            training_environment.install(found, lines.show, backend=torch_backend)
    except KeyboardInterrupt:
        click.echo(f"\nWhat has arrived is kept: `{INSTALL_COMMAND}` goes on where it stopped.")
        raise
    click.echo(f"The training environment in {found.folder} is complete: `ocrstudio train` can be used.")


@command.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(yes: bool) -> None:
    """Delete the environment; `install` brings it back."""
    from ocrstudio.jobs.training_environment import folder, is_ours
    from ocrstudio.services import training_environment

    place = folder()
    if not is_ours(place):
        click.echo(f"There is no training environment in {place}.")
        return
    if not yes:
        click.confirm(f"Delete {place}?", abort=True)
    training_environment.remove()
    click.echo(f"Deleted {place}.")


def _agreed() -> bool:
    """Ask; without anybody to ask, nothing is downloaded.

    Raises:
        RunError: Nobody can answer.
    """
    if not sys.stdin.isatty():
        raise RunError(
            "Nothing is downloaded without being asked for, and there is no terminal to ask on.", "Add --yes."
        )
    return click.confirm("Install it now?")


class _Lines:
    """What the installation says, one below the other; on a terminal with a count of bytes that moves."""

    def __init__(self) -> None:
        self._text = ""
        self._is_terminal = sys.stdout.isatty()
        self._counted = False

    def __enter__(self) -> "_Lines":
        return self

    def __exit__(self, *_: object) -> None:
        self._end_count()

    def show(self, text: str, written: int) -> None:
        """A line that is new, or how far the last one is."""
        if text != self._text:
            self._end_count()
            self._text = text
            click.echo(f"  {text}")
        elif self._is_terminal and written:
            click.echo(f"\r  … {size_of(written)} written ", nl=False)
            self._counted = True

    def _end_count(self) -> None:
        if self._counted:
            click.echo()
        self._counted = False
