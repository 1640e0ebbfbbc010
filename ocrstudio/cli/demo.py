"""``ocrstudio demo``: the whole loop on a bundled document; a first look, and a check of the installation."""

from pathlib import Path

import click

from ocrstudio.cli.output import duration, table
from ocrstudio.cli.run_progress import RunView, make_view
from ocrstudio.jobs.events import Event
from ocrstudio.services.demo import DemoResult, free_folder, run_demo

_STAND_IN = (
    "The micro student is a stand-in: the structure of DeepSeek-OCR with a few million random weights.\n"
    "Its error rates say that the loop works, not how well a document can be read."
)
_WITH_A_GPU = (
    "On a machine with an NVIDIA GPU the same loop trains DeepSeek-OCR itself\n"
    "(its weights, 6.7 GB, are downloaded at the first run):"
)
_CURVE_POINTS = 6


@click.command()
@click.option(
    "--workspace",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the new workspace. [default: ./ocrstudio-demo, with a number when it exists]",
)
@click.option(
    "--steps",
    type=click.IntRange(min=1),
    default=60,
    show_default=True,
    help="Training steps of the micro student.",
)
def command(workspace: Path | None, steps: int) -> None:
    """Run the whole loop on a bundled document: no GPU, no network, no key.

    Imports a document, drafts its labels offline, accepts and exports them, trains the micro student on the
    CPU, and evaluates it before and after. The workspace stays, for the window.
    """
    root = workspace or free_folder(Path.cwd())
    click.echo(f"OCR Studio demo in {root}\n{_STAND_IN}\n")
    with _Screen() as screen:
        result = run_demo(root, steps, screen)
    _print_result(result)


class _Screen:
    """Shows stages as headings and what happens in them as the other commands do."""

    def __init__(self) -> None:
        self._view: RunView | None = None
        self._number = 0

    def __enter__(self) -> "_Screen":
        return self

    def __exit__(self, *_: object) -> None:
        self._close_view()

    def stage(self, title: str) -> None:
        """Print a heading."""
        self._close_view()
        self._number += 1
        click.echo(f"{self._number}. {title}")

    def progress(self, done: int, total: int) -> None:
        """Print how many pages are done, on one line at the end."""
        if done == total:
            click.echo(f"   {done} of {total} pages")

    def event(self, event: Event) -> None:
        """Show an event of a run."""
        if self._view is None:
            self._view = make_view()
            self._view.__enter__()
        self._view.show(event)

    def _close_view(self) -> None:
        if self._view is not None:
            self._view.__exit__(None, None, None)
            self._view = None


def _print_result(result: DemoResult) -> None:
    for failure in result.failures:
        click.echo(f"Not drafted: {failure}", err=True)
    teachers = ", ".join(f"{count} by {name}" for name, count in sorted(result.drafted_by.items()))
    steps = sorted(result.losses)
    shown = steps[:: max(1, (len(steps) - 1) // (_CURVE_POINTS - 1))] if len(steps) > 1 else steps
    curve = " → ".join(f"{result.losses[step]:.2f}" for step in dict.fromkeys([*shown, *steps[-1:]]))
    rows = [
        ("pages drafted", f"{sum(result.drafted_by.values())} of {result.pages} ({teachers})"),
        ("dataset", f"{result.train_samples} pages to train on, {result.held_out_samples} held out"),
        ("training loss", f"{curve} ({result.steps} steps)"),
        ("CER held out", f"{_percent(result.before.cer)} before, {_percent(result.after.cer)} after"),
        ("WER held out", f"{_percent(result.before.wer)} before, {_percent(result.after.wer)} after"),
        ("adapter", str(result.adapter)),
        *((f"time: {title.lower()}", duration(seconds)) for title, seconds in result.seconds.items()),
        ("time: all", duration(sum(result.seconds.values()))),
    ]
    click.echo(f"\n{table(rows, ('Measured', 'Result'))}\n")
    click.echo(f"Open the workspace in the window:\n  ocrstudio {result.workspace}\n")
    click.echo(f"{_WITH_A_GPU}\n  ocrstudio train --dataset {result.workspace}/exports/demo/train.jsonl")


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"
