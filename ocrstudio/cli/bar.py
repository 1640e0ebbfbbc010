"""The progress bar of the commands that count pages, and what Ctrl+C means while they do."""

import asyncio
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    """A bar.

    Attributes:
        show: Called with how many are done, of how many, and what is being done where that changes.
        paused: A block in which something else may be written to the terminal and read from it.
    """

    show: Callable[[int, int, str], None]
    paused: Callable[[], AbstractContextManager[None]]


@contextmanager
def progress_bar(title: str) -> Iterator[Bar]:
    """A bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield Bar(lambda _done, _total, _text: None, nullcontext)
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(escape(title), total=None)

        def show(done: int, total: int, text: str) -> None:
            progress.update(task, description=escape(text or title), completed=done, total=total)

        @contextmanager
        def paused() -> Iterator[None]:
            progress.stop()
            try:
                yield
            finally:
                progress.start()

        yield Bar(show, paused)


@contextmanager
def cancelled_by_ctrl_c() -> Iterator[asyncio.Event]:
    """An event that the first Ctrl+C sets, so that a batch keeps what is done; a second one interrupts."""
    loop = asyncio.get_running_loop()
    cancel = asyncio.Event()

    def stop(number: int, frame: object) -> None:
        del number, frame
        signal.signal(signal.SIGINT, signal.default_int_handler)
        loop.call_soon_threadsafe(cancel.set)

    previous = signal.signal(signal.SIGINT, stop)
    try:
        yield cancel
    finally:
        signal.signal(signal.SIGINT, previous)
