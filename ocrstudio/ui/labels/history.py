"""Revisions as a person wants to choose from them, and in words."""

import time
from collections.abc import Sequence

from ocrstudio.domain.label import HUMAN, Revision, source_in_words

_SITTING = 10 * 60.0


def sittings(history: Sequence[Revision], current: int | None) -> list[Revision]:
    """The revisions worth choosing from, newest first.

    Autosave keeps a revision for each pause in typing; of those within ten minutes of each other only the
    last is offered. Nothing is deleted, and the current revision is always there.

    Args:
        history: All revisions, newest first.
        current: Id of the current revision.
    """
    result: list[Revision] = []
    for revision in history:
        newer = result[-1] if result else None
        same_sitting = (
            newer is not None
            and newer.source == HUMAN == revision.source
            and newer.created - revision.created < _SITTING
        )
        if not same_sitting or revision.id == current:
            result.append(revision)
    return result


def when(created: float, now: float | None = None) -> str:
    """A time in words: the clock today, the date before."""
    then, today = time.localtime(created), time.localtime(now)
    if then[:3] == today[:3]:
        return time.strftime("%H:%M", then)
    return time.strftime("%d %b %Y %H:%M", then)


def describe(revision: Revision) -> str:
    """Source, task and time of a revision in one line."""
    source = source_in_words(revision.source)
    parts = [source[0].upper() + source[1:]]
    if revision.task:
        parts.append(f"task {revision.task}")
    parts.append(when(revision.created))
    return " · ".join(parts)
