"""Showing a run while it goes on: a live bar in a terminal, plain lines anywhere else."""

import sys
import time
from types import TracebackType
from typing import Any, Protocol, Self

import click

from ocrstudio.cli.output import echo_warning
from ocrstudio.jobs.events import Event, EventType
from ocrstudio.jobs.progress import STARTING, RunProgress
from ocrstudio.jobs.wording import VALUES, event_in_words, sample_in_words, values_in_words

_LINE_EVERY = 5.0
"""Least seconds between two lines of progress where there is no terminal; a metric always gets its line."""


_BAR_WIDTH = 24
_GAPS = 2  # the spaces between the three columns of the live line

_NOTABLE = frozenset(
    {
        EventType.STARTED,
        EventType.PHASE,
        EventType.QUEUED,
        EventType.STOPPING,
        EventType.CHECKPOINT,
        EventType.POINT,
    }
)


def notable(event: Event) -> str:
    """The lines that an event deserves beside the bar, or nothing."""
    if event.type == EventType.SAMPLE and event.data.get("kind") == "training":
        return sample_in_words(event.data)
    return event_in_words(event) if event.type in _NOTABLE else ""


def facts_that_fit(progress: RunProgress, room: int) -> str:
    """The time left and the newest measurements, as many as a line has room for; the loss comes first."""
    shown = ""
    values = (values_in_words({name: progress.values.get(name)}) for name in VALUES)
    for fact in filter(None, (progress.time_left(), *values)):
        longer = f"{shown}, {fact}" if shown else fact
        if len(longer) > room:
            break
        shown = longer
    return shown


class RunView(Protocol):
    """Shows events as they come."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, event: Event) -> None:
        """Show one event."""
        ...


class PlainView:
    """Lines for logs and pipes."""

    def __init__(self) -> None:
        self._progress = RunProgress()
        self._last_line = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return

    def show(self, event: Event) -> None:
        """Print what is worth a line."""
        self._progress.take(event)
        if event.type == EventType.WARNING:
            echo_warning(str(event.data.get("message", "")))
        elif event.type == EventType.METRIC:
            self._line(event_in_words(event))
        elif event.type == EventType.PROGRESS:
            if time.monotonic() - self._last_line >= _LINE_EVERY:
                self._line(self._progress.position())
        elif text := notable(event):
            click.echo(text)

    def _line(self, text: str) -> None:
        self._last_line = time.monotonic()
        click.echo(", ".join(part for part in (text, self._progress.time_left()) if part))


class TerminalView:
    """One live bar, with the notable lines above it."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self._progress = RunProgress()
        self._console = Console(highlight=False)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=_BAR_WIDTH),
            TextColumn("{task.fields[facts]}"),
            console=self._console,
            transient=True,
        )
        self._task = self._bar.add_task(STARTING, total=None, facts="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def show(self, event: Event) -> None:
        """Move the bar; print what is worth a line above it."""
        from rich.markup import escape

        progress = self._progress
        progress.take(event)
        if event.type == EventType.WARNING:
            self._console.print(f"[yellow]Warning:[/] {escape(str(event.data.get('message', '')))}")
        elif text := notable(event):
            self._console.print(escape(text))
        room = self._console.width - len(progress.position()) - _BAR_WIDTH - _GAPS
        changes: dict[str, Any] = {
            "description": escape(progress.position()),
            "facts": escape(facts_that_fit(progress, room)),
        }
        changes |= {"completed": progress.done, "total": progress.total or None}
        self._bar.update(self._task, **changes)


def make_view() -> RunView:
    """The view that fits where standard output goes."""
    return TerminalView() if sys.stdout.isatty() else PlainView()
