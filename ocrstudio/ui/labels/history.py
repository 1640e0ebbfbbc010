"""Revisions as a person wants to choose from them, and in words."""

from collections.abc import Sequence

from ocrstudio.domain.label import HUMAN, Revision, source_in_words
from ocrstudio.domain.wording import moment_in_words
from ocrstudio.teachers.draft_check import check_in_words

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


def describe(revision: Revision) -> str:
    """Source, task and time of a revision in one line, and what came of holding it against its page."""
    source = source_in_words(revision.source)
    parts = [source[0].upper() + source[1:]]
    if revision.task:
        parts.append(f"task {revision.task}")
    parts.append(moment_in_words(revision.created))
    check = check_in_words(revision.parameters)
    if check:
        parts.append(check)
    return " · ".join(parts)
