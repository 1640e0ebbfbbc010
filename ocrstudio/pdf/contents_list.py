"""Tables of contents: a title, dots and a page number a line; no tables and no paragraphs."""

import re

_LEADER = re.compile(r"(?:\.[ \u00a0]?){4,}|(?:[\u00b7\u2024]\s?){3,}|…{2,}")
_NUMBER = r"(?:(?:[A-Z]?\d{1,3}[-–])?[A-Z]?\d{1,4}|[ivxlc]{1,6}|[IVXLC]{1,6})"  # noqa: RUF001
_ENTRY = re.compile(rf"(?:{_LEADER.pattern})\s*{_NUMBER}\W*$")
_PAGE = re.compile(rf"(?:^|[\s.]){_NUMBER}$")
_MARKS = re.compile(r"\*\*|~~|`|</?(?:mark|u|su[bp])>|(?<!\w)_|_(?!\w)")
_DOTS = " ..... "
_MIN_SHARE = 0.5
_MIN_ENTRIES = 3


def is_contents(rows: list[str]) -> bool:
    """Whether rows are a table of contents: at least three, and half of them, end in dots and a number."""
    filled = [_MARKS.sub("", row) for row in rows if any(character.isalnum() for character in row)]
    entries = sum(_ENTRY.search(row) is not None for row in filled)
    return entries >= _MIN_ENTRIES and entries >= _MIN_SHARE * len(filled)


def without_leaders(text: str) -> str:
    """A cell of a table without the dots that lead the eye from column to column."""
    return _LEADER.sub(" ", text)


def contents_list(rows: list[str]) -> str:
    """The rows as a list, one entry a row; a row without a number is the first line of the next entry."""
    entries: list[str] = []
    pending = ""
    for row in rows:
        text = " ".join(_LEADER.sub(_DOTS, _MARKS.sub("", row)).split())
        if not text:
            continue
        pending = f"{pending} {text}".strip()
        if _PAGE.search(text):
            entries.append(pending)
            pending = ""
    if pending:
        entries.append(pending)
    return "\n".join(f"- {entry}" for entry in entries)
