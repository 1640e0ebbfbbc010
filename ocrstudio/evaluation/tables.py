"""Tables in Markdown: find HTML and pipe tables, read their cells, write one form."""

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser

_TABLE_START = re.compile(r"<table\b", re.IGNORECASE)
_TABLE_END = re.compile(r"</table\s*>", re.IGNORECASE)
_PIPE_TABLE = re.compile(
    r"^[ \t]*\|.*\|[ \t]*\n[ \t]*\|(?:[ \t]*:?-+:?[ \t]*\|)+[ \t]*(?:\n[ \t]*\|.*\|[ \t]*)*", re.MULTILINE
)
_BORDER = re.compile(r"(?<!\\)\|")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_MAX_SPAN = 1000  # browsers clamp colspan to it too (HTML Living Standard, 4.9.11)


@dataclass(frozen=True)
class Cell:
    """A cell: its text and how many columns and rows it covers."""

    text: str
    columns: int = 1
    rows: int = 1


Table = tuple[tuple[Cell, ...], ...]
"""Rows of cells; spans as HTML has them, so a row may have fewer cells than the table has columns."""


def parse_table(text: str) -> Table:
    """Rows of an HTML or a pipe table."""
    return parse_html_table(text) if _TABLE_START.search(text) else parse_pipe_table(text)


def pipe_table_spans(text: str) -> list[tuple[int, int]]:
    """Start and end of each pipe table."""
    return [found.span() for found in _PIPE_TABLE.finditer(text)]


def parse_html_table(text: str) -> Table:
    """Rows of an HTML table; nested tables add their text to the cell around them."""
    reader = _TableReader()
    reader.feed(text)
    reader.close()
    return tuple(tuple(row) for row in reader.rows if row)


def parse_pipe_table(text: str) -> Table:
    """Rows of a pipe table; the rule under its head is no row."""
    lines = [line.strip() for line in text.strip().splitlines()]
    rows = [line for number, line in enumerate(lines) if number != 1]
    return tuple(
        tuple(Cell(_cell_text(cell)) for cell in _BORDER.split(row.removeprefix("|").removesuffix("|")))
        for row in rows
    )


def html_tables_to_pipe(text: str) -> str:
    """Write every HTML table as a pipe table; cells that are covered by a span become empty."""
    return _replaced(text, html_table_spans(text), lambda table: _as_pipe(parse_html_table(table)))


def html_table_spans(text: str) -> list[tuple[int, int]]:
    """Start and end of each HTML table, from a start tag to the next end tag, in one pass."""
    spans: list[tuple[int, int]] = []
    position = 0
    while (start := _TABLE_START.search(text, position)) and (end := _TABLE_END.search(text, start.end())):
        spans.append((start.start(), end.end()))
        position = end.end()
    return spans


def _replaced(text: str, spans: Sequence[tuple[int, int]], write: Callable[[str], str]) -> str:
    parts: list[str] = []
    position = 0
    for start, end in spans:
        parts += (text[position:start], write(text[start:end]))
        position = end
    return "".join([*parts, text[position:]])


def _as_pipe(table: Table) -> str:
    if not table:
        return ""
    grid = _grid(table)
    width = max(len(row) for row in grid)
    lines = ["|" + "|".join(row + [""] * (width - len(row))) + "|" for row in grid]
    return "\n".join([lines[0], "|" + "---|" * width, *lines[1:]])


def _grid(table: Table) -> list[list[str]]:
    """Cells at their columns, with empty strings where a span covers the place."""
    covered: dict[int, int] = {}  # column -> rows still covered
    grid: list[list[str]] = []
    for cells in table:
        row: list[str] = []
        waiting = list(cells)
        covered_next = {column: left - 1 for column, left in covered.items() if left > 1}
        while waiting or len(row) in covered:
            if len(row) in covered:
                row.append("")
                continue
            cell = waiting.pop(0)
            for offset in range(cell.columns):
                if cell.rows > 1:
                    covered_next[len(row)] = cell.rows - 1
                row.append(cell.text.replace("|", r"\|") if offset == 0 else "")
        covered = covered_next
        grid.append(row)
    return grid


def _cell_text(cell: str) -> str:
    plain = html.unescape(_BREAK.sub(" ", cell)).replace(r"\|", "|")
    return " ".join(plain.split())


class _TableReader(HTMLParser):
    """Collects the rows of the outermost table; forgiving, because models write broken HTML."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[list[Cell]] = []
        self._depth = 0
        self._text: list[str] | None = None
        self._span = (1, 1)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self._depth += 1
        elif self._depth == 1 and tag == "tr":
            self._end_cell()
            self.rows.append([])
        elif self._depth == 1 and tag in {"td", "th"}:
            self._end_cell()
            values = dict(attrs)
            self._span = (_span(values.get("colspan")), _span(values.get("rowspan")))
            self._text = []
        elif tag == "br" and self._text is not None:
            self._text.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag == "table":
            if self._depth == 1:
                self._end_cell()
            self._depth -= 1
        elif self._depth == 1 and tag in {"td", "th", "tr"}:
            self._end_cell()

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def close(self) -> None:
        super().close()
        self._end_cell()

    def _end_cell(self) -> None:
        if self._text is None:
            return
        if not self.rows:
            self.rows.append([])
        text = " ".join("".join(self._text).split())
        self.rows[-1].append(Cell(text, *self._span))
        self._text = None


def _span(value: str | None) -> int:
    digits = (value or "").strip()
    return min(max(int(digits), 1), _MAX_SPAN) if digits.isascii() and digits.isdigit() else 1
