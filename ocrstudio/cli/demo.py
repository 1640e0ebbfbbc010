"""``ocrstudio demo``: the whole loop on bundled documents; a first look, and a check of the installation."""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click

from ocrstudio.cli.output import table, training_arguments
from ocrstudio.cli.run_progress import RunView, make_view
from ocrstudio.domain.wording import count_of, duration
from ocrstudio.jobs.events import Event
from ocrstudio.jobs.training_environment import problem

if TYPE_CHECKING:  # numpy and pydantic are not needed for --help
    from ocrstudio.services.demo import DemoResult, Measured

_STORY = (
    "The built-in reader knows usual print. It meets old recipes in letters that it has\n"
    "never seen, learns from corrected pages, and is measured on others that it did not see."
)
_WITH_A_GPU = (
    "On a machine with an NVIDIA GPU the same dataset trains DeepSeek-OCR itself (its\n"
    "weights, 6.7 GB, are downloaded at the first run):"
)
_CURVE_LINES = 8
_BAR_WIDTH = 40


@click.command()
@click.option(
    "--workspace",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the new workspace. [default: ./ocrstudio-demo, with a number when it exists]",
)
@click.option(
    "--steps",
    type=click.IntRange(min=1),
    default=24,
    show_default=True,
    help="Training steps of the built-in reader.",
)
def command(workspace: Path | None, steps: int) -> None:
    """Run the whole loop on two bundled documents: no GPU, no network, no key.

    The built-in reader drafts pages in letters that it does not know; their corrections come with the
    program. It is trained on them on the CPU and measured on unseen pages before and after. The workspace
    stays, for the window.
    """
    from ocrstudio.services.demo import free_folder, run_demo

    root = workspace or free_folder(Path.cwd())
    click.echo(f"OCR Studio demo in {root}\n{_STORY}\n")
    absent = problem()
    if absent is not None:
        click.echo(f"{absent.message} The demo goes as far as the exported dataset.\n{absent.hint}\n")
    try:
        with _Screen() as screen:
            result = run_demo(root, steps, screen)
    except KeyboardInterrupt:
        click.echo(f"\nWhat was done so far is in {root}; delete the folder, or look at it in the window.")
        raise
    _print_result(result)


class _Screen:
    """Shows stages as headings and what happens in them as the other commands do."""

    def __init__(self) -> None:
        self._view: RunView | None = None
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close_view()

    def stage(self, title: str) -> None:
        """Print a heading."""
        self._close_view()
        self._number += 1
        click.echo(f"{self._number}. {title}")

    def progress(self, done: int, total: int) -> None:
        """Print how many pages are done, once all are."""
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


def _print_result(result: "DemoResult") -> None:
    for failure in result.failures:
        click.echo(f"Not drafted: {failure}", err=True)
    click.echo(
        f"\nDrafted {count_of(result.drafted, 'page')} of the old recipes: {_percent(result.draft_cer)} of "
        f"the characters were wrong.\n{result.train_samples} corrected pages to train on, "
        f"{result.held_out_samples} unseen ones to measure with.\n"
    )
    if result.losses:
        click.echo(f"{_curve(result.losses)}\n")
    click.echo(f"{_rates(result.before, result.after)}\n")
    for line in result.lines:
        rows = [("right", line.truth), ("before", line.before), ("after", line.after)]
        click.echo(f"{table(rows, ('', 'AN UNSEEN PAGE'))}\n")
    times = [(title, duration(seconds)) for title, seconds in result.seconds.items()]
    click.echo(f"{table([*times, ('All', duration(sum(result.seconds.values())))], ('STAGE', 'TIME'))}\n")
    workspace = shlex.quote(str(result.workspace))
    training = training_arguments(result.dataset, result.evaluation_dataset)
    program = "uv run ocrstudio" if "UV" in os.environ else "ocrstudio"  # what was typed to get here
    click.echo(f"Open the workspace in the window:\n  {program} {workspace}\n")
    click.echo(f"{_WITH_A_GPU}\n  {program} {training}")


def _curve(losses: Mapping[int, float]) -> str:
    """Some of the losses, each with a bar as long as its share of the highest one."""
    steps = sorted(losses)
    last = len(steps) - 1
    lines = min(_CURVE_LINES, len(steps))
    shown = [steps[round(line * last / max(1, lines - 1))] for line in range(lines)]
    highest = max(losses.values()) or 1.0
    rows = [
        (str(step), f"{losses[step]:.2f}", "#" * round(_BAR_WIDTH * losses[step] / highest)) for step in shown
    ]
    return table(rows, ("STEP", "LOSS", "TRAINING LOSS OF THE READER"))


def _rates(before: "Measured", after: "Measured") -> str:
    rows = [
        ("character error rate", _percent(before.cer), _percent(after.cer)),
        ("word error rate", _percent(before.wer), _percent(after.wer)),
    ]
    return table(rows, ("UNSEEN PAGES", "BEFORE", "AFTER TRAINING"))


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"
