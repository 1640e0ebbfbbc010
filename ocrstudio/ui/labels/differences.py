"""Differences of two labels by words, and as HTML."""

import html
from collections.abc import Sequence

from ocrstudio.evaluation.diff import Change, ChangeKind, diff_lines, diff_words
from ocrstudio.ui.theme import theme

MINUS, PLUS = "\N{MINUS SIGN}", "+"


def word_changes(left: str, right: str) -> list[Change]:
    """Differences by words; lines that are equal are not looked into, so that long labels stay fast."""
    result: list[Change] = []
    for change in diff_lines(left, right):
        if change.kind is not ChangeKind.REPLACE:
            result.append(change)
            continue
        (left_start, left_end), (right_start, right_end) = change.left, change.right
        for part in diff_words(left[left_start:left_end], right[right_start:right_end]):
            left_span = (part.left[0] + left_start, part.left[1] + left_start)
            right_span = (part.right[0] + right_start, part.right[1] + right_start)
            result.append(Change(part.kind, left_span, right_span))
    return result


def count_changes(changes: Sequence[Change]) -> tuple[int, int]:
    """How many stretches were removed and how many added."""
    changed = [change for change in changes if change.kind is not ChangeKind.EQUAL]
    removed = sum(change.left[1] > change.left[0] for change in changed)
    added = sum(change.right[1] > change.right[0] for change in changed)
    return removed, added


def to_html(left: str, right: str, changes: Sequence[Change], *, removed: bool, added: bool) -> str:
    """The text with its changes: what was removed has a minus sign, what was added a plus sign.

    Args:
        left: The older text.
        right: The newer text.
        changes: The differences.
        removed: Whether to show what was removed.
        added: Whether to show what was added.
    """
    colours = theme()
    parts = []
    for change in changes:
        old, new = left[slice(*change.left)], right[slice(*change.right)]
        if change.kind is ChangeKind.EQUAL:
            parts.append(html.escape(new))
            continue
        if removed and old:
            parts.append(
                _marked(MINUS, old, f"background-color: {colours.removed}; text-decoration: line-through")
            )
        if added and new:
            parts.append(_marked(PLUS, new, f"background-color: {colours.added}; text-decoration: underline"))
    return f'<div style="white-space: pre-wrap; color: {colours.text};">{"".join(parts)}</div>'


def _marked(sign: str, text: str, style: str) -> str:
    # A change of nothing but line breaks would be invisible.
    shown = html.escape(text) if text.strip() else html.escape(text.replace("\n", "¶\n"))
    return f'<span style="{style}"><b>{sign}</b>{shown}</span>'
