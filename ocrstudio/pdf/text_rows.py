"""Lines of text of one box as rows in reading order: columns apart, right-to-left rows from the right."""

from statistics import median

from ocrstudio.pdf import engine
from ocrstudio.pdf.engine import Untyped
from ocrstudio.pdf.logical_order import in_logical_order
from ocrstudio.pdf.page_text import count_letters, union

_UPRIGHT = 0.999  # cosine of a line's direction
_MIN_ROWS = 3
_MIN_LETTERS_A_ROW = 12
_MIN_GUTTER = 0.8  # of the usual height of a line
_MIN_OVERLAP = 0.5
_SAME_ROW = 0.35  # of the font size

Row = dict[str, Untyped]
"""``bbox`` and ``spans``: what PyMuPDF's writers of Markdown take for a line."""


def rows_of(lines: list[Untyped], *, right_to_left: bool) -> list[Row]:
    """The rows of a box from top to bottom, column after column; lines at an angle come last, as they are."""
    upright = [line for line in lines if line["dir"][0] > _UPRIGHT]
    slanted = [line for line in lines if line["dir"][0] <= _UPRIGHT]
    arrange = _rows_from_the_right if right_to_left else _rows_from_the_left
    columns = split_columns(upright)
    if right_to_left:
        columns.reverse()
    rows = [row for column in columns for row in arrange(column)]
    return rows + [
        {"bbox": line["bbox"], "spans": [dict(span) for span in line["spans"]]} for line in slanted
    ]


def split_columns(lines: list[Untyped]) -> list[list[Untyped]]:
    """The columns of text that one box holds, from left to right; mostly it is one.

    A gutter runs from top to bottom of the box, with whole sentences on both sides: rows of numbers, bullets
    or short words beside each other are a table or a list, and stay rows.
    """
    if len(lines) < 2 * _MIN_ROWS:
        return [lines] if lines else []
    by_side = sorted(lines, key=lambda line: line["bbox"][0])
    gutter = _MIN_GUTTER * median(line["bbox"][3] - line["bbox"][1] for line in lines)
    reach = by_side[0]["bbox"][2]
    for place in range(1, len(by_side)):
        left, right = by_side[:place], by_side[place:]
        if right[0]["bbox"][0] - reach >= gutter and _are_columns(left, right):
            return [_in_file_order(left, lines), *split_columns(_in_file_order(right, lines))]
        reach = max(reach, right[0]["bbox"][2])
    return [lines]


def _in_file_order(some: list[Untyped], lines: list[Untyped]) -> list[Untyped]:
    chosen = {id(line) for line in some}
    return [line for line in lines if id(line) in chosen]


def _are_columns(left: list[Untyped], right: list[Untyped]) -> bool:
    for side in (left, right):
        letters = sum(count_letters(span["text"]) for line in side for span in line["spans"])
        rows = len({round(line["bbox"][3] / 3) for line in side})
        if rows < _MIN_ROWS or letters < _MIN_LETTERS_A_ROW * rows:
            return False
    one, other = union(line["bbox"] for line in left), union(line["bbox"] for line in right)
    shared = min(one[3], other[3]) - max(one[1], other[1])
    return shared >= _MIN_OVERLAP * min(one[3] - one[1], other[3] - other[1])


def _rows_from_the_left(lines: list[Untyped]) -> list[Row]:
    if not lines:
        return []
    get_raw_lines = engine.load_layout().helpers.get_text_lines.get_raw_lines
    everywhere = engine.load().INFINITE_RECT()
    # The library changes the spans that it is given.
    copies = [{**line, "spans": [dict(span) for span in line["spans"]]} for line in lines]
    block = {"bbox": union(line["bbox"] for line in lines), "lines": copies}
    found = get_raw_lines(blocks=[block], clip=everywhere, ignore_invisible=False, only_horizontal=False)
    return [{"bbox": rect, "spans": spans} for rect, spans in found]


def _rows_from_the_right(lines: list[Untyped]) -> list[Row]:
    """Each row as one span in logical order: words from the right, numbers and Latin words as they are."""
    rows: list[list[Untyped]] = []
    for line in sorted(lines, key=lambda line: line["spans"][0]["origin"][1]):
        if rows and _same_row(rows[-1], line):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [_right_to_left_row(row) for row in rows]


def _same_row(row: list[Untyped], line: Untyped) -> bool:
    one, other = row[0]["spans"][0], line["spans"][0]
    return bool(abs(one["origin"][1] - other["origin"][1]) < _SAME_ROW * max(one["size"], other["size"]))


def _right_to_left_row(row: list[Untyped]) -> Row:
    spans = [span for line in row for span in line["spans"]]
    longest = max(spans, key=lambda span: len(span["text"]))
    box = union(line["bbox"] for line in row)
    text = in_logical_order([span["chars"] for span in spans], longest["size"])
    flags = longest["flags"] & ~1  # no superscript
    return {
        "bbox": box,
        "spans": [{**longest, "flags": flags, "text": text, "bbox": engine.load().Rect(box)}],
    }
