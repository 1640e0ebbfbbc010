"""``ocrstudio demo``: the whole loop on a bundled document; a first look, and a check of the installation."""

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

_STAND_IN = (
    "Its student is the micro student, a stand-in: the structure of DeepSeek-OCR with\n"
    "a few million random weights. Its error rates show that the loop works, not how\n"
    "well a document can be read."
)
_WITH_A_GPU = (
    "On a machine with an NVIDIA GPU the same dataset trains DeepSeek-OCR itself (its\n"
    "weights, 6.7 GB, are downloaded at the first run):"
)
_CURVE_LINES = 8
_BAR_WIDTH = 40
_METHODS = {"text_layer": "from the text of the PDF", "rapidocr": "by OCR", "tesseract": "by OCR"}


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
    from ocrstudio.services.demo import free_folder, run_demo

    root = workspace or free_folder(Path.cwd())
    click.echo(f"OCR Studio demo in {root}\n{_STAND_IN}\n")
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
    drafts = ", ".join(
        f"{count} {_METHODS.get(method, f'by {method}')}" for method, count in result.drafted_by.items()
    )
    click.echo(
        f"\nDrafted {sum(result.drafted_by.values())} of {count_of(result.pages, 'page')} ({drafts}); "
        f"{result.train_samples} to train on,\n{result.held_out_samples} held out for the evaluation.\n"
    )
    if result.losses:
        click.echo(f"{_curve(result.losses)}\n")
    click.echo(f"{_rates(result.before, result.after)}\n")
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
    return table(rows, ("STEP", "LOSS", "TRAINING LOSS OF THE MICRO STUDENT"))


def _rates(before: "Measured", after: "Measured") -> str:
    rows = [
        ("character error rate", _percent(before.cer), _percent(after.cer)),
        ("word error rate", _percent(before.wer), _percent(after.wer)),
        ("normalised edit distance", f"{before.ned:.3f}", f"{after.ned:.3f}"),
        ("text edit distance, block by block", f"{before.text_edit:.3f}", f"{after.text_edit:.3f}"),
        ("edit distance of the reading order", f"{before.order_edit:.3f}", f"{after.order_edit:.3f}"),
    ]
    if before.teds is not None and after.teds is not None:
        rows.append(("similarity of tables (TEDS)", f"{before.teds:.3f}", f"{after.teds:.3f}"))
    return table(rows, ("HELD-OUT PAGES", "BEFORE", "AFTER TRAINING"))


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"
