"""Watching a run from the command line, until it is over or the user leaves it to itself."""

import sys
from pathlib import Path

import click

from ocrstudio.cli.figures import figure_in_words
from ocrstudio.cli.main import EXIT_INTERRUPTED_BY_USER
from ocrstudio.cli.output import echo_warning
from ocrstudio.cli.run_progress import make_view
from ocrstudio.domain.errors import RunError
from ocrstudio.domain.picture_check import look_in_words
from ocrstudio.domain.run import RunKind, RunState
from ocrstudio.jobs.endings import describe_interruption, last_failure
from ocrstudio.jobs.launch import resume, start_worker
from ocrstudio.jobs.relay import EXIT_STATUS, Relay
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.jobs.stop import request_stop


def go_on(folder: RunFolder, checkpoint: Path | None, *, detach: bool) -> int:
    """Go on with a run that is over, from a checkpoint or its newest one; returns the exit status.

    Raises:
        RunError: It still goes on, has finished, cannot be started, or failed.
    """
    chosen = resume(folder, checkpoint)
    if folder.spec.kind is RunKind.CURVE:
        click.echo("Going on with the points that are missing.")
    else:
        click.echo(f"Going on from {chosen.name}." if chosen else "No checkpoint yet: from the beginning.")
    return launch_and_watch(folder, detach=detach)


def launch_and_watch(folder: RunFolder, *, detach: bool) -> int:
    """Start a run and, unless it is to be left to itself, watch it; returns the exit status.

    Raises:
        RunError: It cannot be started, or it failed.
    """
    click.echo(f"Run {folder.id} in {folder.path}")
    try:
        launched = start_worker(folder)
    except KeyboardInterrupt:
        if folder.process_identity is not None:  # it came while the worker was coming up, which goes on
            echo_how_to_return(folder)
        raise
    if detach:
        echo_how_to_return(folder)
        return 0
    status = watch(folder)
    if folder.state().is_over:
        launched.process.wait()
    return status


def watch(folder: RunFolder, after: int = 0) -> int:
    """Show a run until it is over; returns the exit status that tells its outcome.

    Ctrl+C never ends the run by itself: the user is asked, or, without a terminal, the run is left to itself.

    Raises:
        RunError: The run failed.
    """
    while True:
        relay = Relay(folder, after)
        try:
            with make_view() as view:
                for followed in relay:
                    after = max(after, followed.event.seq)
                    view.show(followed.event)
        except KeyboardInterrupt:
            if _leave(folder):
                return EXIT_INTERRUPTED_BY_USER
            continue
        for gap in relay.gaps:
            echo_warning(f"{gap.missing} events are missing in the log ({gap.first} to {gap.last}).")
        return report_outcome(folder, relay.final_state or folder.state())


def _leave(folder: RunFolder) -> bool:
    """Ask what Ctrl+C means; whether watching ends."""
    if not sys.stdin.isatty():
        echo_how_to_return(folder)
        return True
    try:
        answer = click.prompt(
            "\nThe run goes on by itself. [d]etach, [s]top it (saves a checkpoint), or [w]atch on",
            type=click.Choice(["d", "s", "w"]),
            default="d",
            show_choices=False,
        )
    except click.Abort:
        answer = "d"
    if answer == "d":
        echo_how_to_return(folder)
        return True
    if answer == "s":
        try:
            request_stop(folder)
        except RunError:
            if not folder.state().is_over:  # it may have ended while the question stood there
                raise
    return False


def echo_how_to_return(folder: RunFolder) -> None:
    """Say that the run goes on, and how to come back to it."""
    click.echo(
        f"The run goes on in the background.\n"
        f"  watch it: {folder.command('attach')}\n"
        f"  stop it:  {folder.command('stop')}"
    )


def report_outcome(folder: RunFolder, state: RunState) -> int:
    """Print how a run ended; returns the exit status.

    Raises:
        RunError: It failed.
    """
    if state is RunState.FAILED:
        raise last_failure(folder)
    if state is RunState.INTERRUPTED:
        words = describe_interruption(folder)
        click.echo(f"Interrupted: {words['message']}\n{words['hint']}", err=True)
    elif folder.spec.kind is RunKind.CURVE:
        _report_curve(folder, state)
    elif state is RunState.STOPPED:
        checkpoint = folder.newest_checkpoint()
        saved = f" Saved: {checkpoint}." if checkpoint else " No checkpoint was saved."
        click.echo(f"Stopped.{saved}\nGo on with: {folder.command('resume')}")
    else:
        _report_result(folder)
    return EXIT_STATUS[state]


def _report_curve(folder: RunFolder, state: RunState) -> None:
    from ocrstudio.cli.curve import echo_curve

    click.echo("Stopped." if state is RunState.STOPPED else "Finished.")
    echo_curve(folder)
    if state is RunState.STOPPED:
        click.echo(f"Go on with: {folder.command('resume')}")


def _report_result(folder: RunFolder) -> None:
    click.echo("Finished.")
    for name, value in (folder.summary() or {}).items():
        if isinstance(value, str | int | float):
            words, shown = figure_in_words(name, value)
            click.echo(f"  {words}: {shown}")
    for words in look_in_words(folder.summary()).values():
        click.echo(words)
    request = folder.spec.request
    if folder.spec.kind is RunKind.EVALUATE:
        click.echo(f"Report: {request.get('output', folder.summary_path)}")
    elif folder.adapter.is_dir():
        exported = request.get("copy_adapter_to")
        click.echo(f"Adapter: {exported or folder.adapter}")
