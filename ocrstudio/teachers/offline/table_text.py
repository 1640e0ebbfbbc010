"""Tables of the layout model as they stand in a label: pipes where they suffice, HTML for cells that span."""

import html
import re

_TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL)
_ROW = re.compile(r"<tr\b[^>]*>(.*?)</tr>", re.DOTALL)
_CELL = re.compile(r"<t[hd]\b(?P<spans>[^>]*)>(?P<text>.*?)</t[hd]>", re.DOTALL)
_BREAK = re.compile(r"\s*<br\s*/?>\s*")


def tidy_tables(text: str) -> str:
    """Every HTML table of a text in its plainest form; the lines of a cell are joined."""
    return _TABLE.sub(lambda match: _tidy(match[0]), text)


def _tidy(table: str) -> str:
    rows = [
        [(cell["spans"].strip(), _BREAK.sub(" ", cell["text"]).strip()) for cell in _CELL.finditer(row)]
        for row in _ROW.findall(table)
    ]
    rows = [row for row in rows if row]
    width = max(map(len, rows), default=0)
    if any(spans for row in rows for spans, _ in row) or any(len(row) != width for row in rows):
        cells = (
            "".join(f"<td{' ' if spans else ''}{spans}>{text}</td>" for spans, text in row) for row in rows
        )
        return "<table>" + "".join(f"<tr>{row}</tr>" for row in cells) + "</table>"
    lines = ["|" + "|".join(_piped(text) for _, text in row) + "|" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * width, *lines[1:]]) if lines else ""


def _piped(text: str) -> str:
    return html.unescape(text).replace("|", "\\|")
