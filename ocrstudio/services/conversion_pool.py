"""What a conversion asks of its processes, and what it makes of a document that kills one or never ends."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from ocrstudio.domain.errors import SlowPageError
from ocrstudio.jobs import limited_pool
from ocrstudio.jobs.limited_pool import ChildLostError, LimitedChild, StepTooLongError
from ocrstudio.services.conversion_worker import (
    Chunk,
    Inspection,
    PageOutcome,
    convert_chunk,
    inspect,
)

PRELOADED: Final = ("ocrstudio.services.conversion_worker",)
_TRIES = 2  # a process may be killed by somebody else, or by the memory that its neighbours took
_CRASH = "crashes the PDF renderer"


def warm_up() -> None:
    """Let the server of processes start and load MuPDF while the caller is still getting ready."""
    limited_pool.warm_up(PRELOADED)


def inspect_in(child: LimitedChild, limit: float, source: Path, password: str | None) -> Inspection:
    """Look into a document.

    Args:
        child: Where.
        limit: Seconds.
        source: The document.
        password: Its password, if it has one.
    """
    for _ in range(_TRIES):
        try:
            (inspection,) = child.steps(limit, inspect, source, password)
        except StepTooLongError:
            return Inspection(
                problem=f"{source} could not be opened within {limit:g} s; it is probably damaged."
            )
        except ChildLostError:
            continue
        return inspection
    return Inspection(problem=f"{source} {_CRASH}; it is probably damaged.")


def convert_in(child: LimitedChild, limit: float, chunk: Chunk) -> list[PageOutcome]:
    """Write the pages of a chunk; a page that crashes its process or never finishes is left out and named.

    Args:
        child: Where.
        limit: Seconds for each page.
        chunk: The pages.
    """
    outcomes: list[PageOutcome] = []
    deaths = 0  # of the page whose turn it is
    while rest := chunk.pages[len(outcomes) :]:
        done = len(outcomes)
        try:
            for outcome in child.steps(limit, convert_chunk, replace(chunk, pages=rest)):
                outcomes.append(outcome)  # noqa: PERF402 - what came before an error counts
            break
        except StepTooLongError:
            outcomes.extend(_failed(chunk, len(outcomes), lambda page: _too_slow(page, limit)))
        except ChildLostError:
            deaths = 1 if len(outcomes) > done else deaths + 1
            if deaths < _TRIES:
                continue
            outcomes.extend(_failed(chunk, len(outcomes), lambda page: f"{page} {_CRASH}."))
        deaths = 0
    return outcomes


def _failed(chunk: Chunk, place: int, say: Callable[[str], str]) -> list[PageOutcome]:
    """The outcome of the page at a place of the chunk; none behind the last one."""
    return [
        PageOutcome(page.index, problem=say(f"Page {page.index + 1} of {chunk.source}"))
        for page in chunk.pages[place : place + 1]
    ]


def _too_slow(page: str, limit: float) -> str:
    return SlowPageError(page, "drawn", limit).message
