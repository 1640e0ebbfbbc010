"""The layout model's boxes on a page, in reading order, and which text belongs to which of them.

Every visible character gets exactly one box. What no box holds gets boxes of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from ocrstudio.pdf import engine
from ocrstudio.pdf.engine import Untyped
from ocrstudio.pdf.page_text import PageText, count_letters, union

Rect = tuple[float, float, float, float]

PICTURES = ("picture", "formula")
HEADER, FOOTER = "page-header", "page-footer"
TABLE = "table"
TEXT = "text"
_MIN_SIDE = 2.0
_MOSTLY = 0.5
_WHOLLY = 0.9
_MARGIN = 0.09  # of the page's width or height
_SIDEWAYS = 0.3
_EDGE = 0.15  # of the page's height
_FEW_BOXES = 6


@dataclass
class LayoutBox:
    """One part of the page.

    Attributes:
        rect: Its place.
        kind: The model's class.
        lines: Lines of text (``rawdict``) that belong to it.
        grid: Rows and columns of a table: the lines between them, from top to bottom and left to right.
    """

    rect: Rect
    kind: str
    lines: list[Untyped] = field(default_factory=list)
    grid: tuple[list[float], list[float]] | None = None

    @property
    def text(self) -> str:
        """Its characters in the order of the file."""
        return "\n".join(span["text"] for line in self.lines for span in line["spans"])

    @property
    def letters(self) -> int:
        """Letters and digits of it."""
        return count_letters(self.text)


def find_boxes(page: Untyped, text: PageText) -> list[LayoutBox]:
    """The boxes of a plain page, with their text, in reading order."""
    utils = engine.load_layout().helpers.utils
    blocks = sorted([*text.blocks, *text.others], key=lambda block: block["number"])
    page.get_layout(return_raw=True)
    boxes, grids = [], {}
    for found in page.layout_information:
        rect = tuple(found["group_bbox"])
        if rect[2] - rect[0] <= _MIN_SIDE or rect[3] - rect[1] <= _MIN_SIDE:
            continue
        kind = found["class_name"]
        if (kind == TABLE and not found["table_grid"]) or _is_far_from_edge(kind, rect, page.rect.height):
            kind = TEXT
        if kind == TABLE:
            grids[rect] = _grid(found)
        boxes.append((*rect, kind))
    page.layout_information = boxes
    utils.clean_pictures(page, blocks)
    utils.add_image_orphans(page, blocks)
    chosen = _without_nested([LayoutBox(tuple(box[:4]), box[4]) for box in page.layout_information])
    for box in chosen:
        box.grid = grids.get(box.rect)
    _give_text(chosen, text)
    return _in_order(page, blocks, chosen, mirrored=text.right_to_left)


def _is_far_from_edge(kind: str, rect: Rect, height: float) -> bool:
    """Whether the model takes something for a running head that stands in the middle of the page."""
    return (kind == HEADER and rect[1] > _EDGE * height) or (
        kind == FOOTER and rect[3] < (1 - _EDGE) * height
    )


def _grid(found: Untyped) -> tuple[list[float], list[float]]:
    x0, y0, _, _ = found["group_bbox"]
    grid = found["table_grid"]
    return [y0 + y for y in grid.h_lines], [x0 + x for x in grid.v_lines]


def _without_nested(boxes: list[LayoutBox]) -> list[LayoutBox]:
    """Boxes inside other boxes are left out; a table inside a picture is kept."""
    chosen: list[LayoutBox] = []
    for box in sorted(boxes, key=lambda box: -_area(box.rect)):
        outer = [other for other in chosen if _inside(box.rect, other.rect)]
        if all(box.kind == TABLE and other.kind == "picture" for other in outer):
            chosen.append(box)
    return chosen


def _give_text(boxes: list[LayoutBox], text: PageText) -> None:
    """Hand out the lines; those that nobody takes become boxes of their own."""
    homeless: list[Untyped] = []
    solid = list(boxes)
    for block_number, block in enumerate(text.blocks):
        for line_number, line in enumerate(block["lines"]):
            parts: dict[int, list[Untyped]] = {}
            for span in line["spans"]:
                span["block"], span["line"], span["dir"] = block_number, line_number, line["dir"]
                for place, piece in _split(span, solid):
                    parts.setdefault(place, []).append(piece)
            for place, spans in parts.items():
                part = {**line, "spans": spans, "bbox": union(span["bbox"] for span in spans)}
                if place < 0:
                    homeless.append(part)
                else:
                    solid[place].lines.append(part)
    boxes.extend(_boxes_of(homeless, solid))


def _split(span: Untyped, boxes: Sequence[LayoutBox]) -> list[tuple[int, Untyped]]:
    """The parts of a span with the number of the box each belongs to; -1 for none."""
    touched = [number for number, box in enumerate(boxes) if _meet(span["bbox"], box.rect)]
    share, best = _best_box(span["bbox"], boxes, touched)
    if share >= _WHOLLY or (len(touched) == 1 and share >= _MOSTLY):
        return [(best, span)]
    if len(touched) < 2:  # noqa: PLR2004 - nothing to choose from
        return [(_near(span["bbox"], boxes, span["size"]), span)]
    runs: list[tuple[int, list[Untyped]]] = []
    for word in _words(span["chars"]):
        share, place = _best_box(union(char["bbox"] for char in word), boxes, touched)
        if share < _MOSTLY:
            place = runs[-1][0] if runs else best
        if runs and runs[-1][0] == place:
            runs[-1][1].extend(word)
        else:
            runs.append((place, list(word)))
    return [(place, with_chars(span, chars)) for place, chars in runs]


def _best_box(rect: Rect, boxes: Sequence[LayoutBox], numbers: Sequence[int]) -> tuple[float, int]:
    """The share and number of the box that holds most of a place; tables come before others."""

    def fitness(number: int) -> tuple[float, bool, float]:
        box = boxes[number]
        share = _share(rect, box.rect)
        return (1.0 if share >= _WHOLLY else share), box.grid is not None, -_area(box.rect)

    best = max(numbers, key=fitness, default=-1)
    return (fitness(best)[0], best) if best >= 0 else (0.0, -1)


def with_chars(span: Untyped, chars: list[Untyped]) -> Untyped:
    """A copy of a span that has these characters only."""
    text = "".join(char["c"] for char in chars)
    return {**span, "chars": chars, "text": text, "bbox": union(char["bbox"] for char in chars)}


def _words(chars: list[Untyped]) -> list[list[Untyped]]:
    """Words, each with the spaces that follow it."""
    words: list[list[Untyped]] = []
    for place, char in enumerate(chars):
        if not words or (chars[place - 1]["c"].isspace() and not char["c"].isspace()):
            words.append([])
        words[-1].append(char)
    return words


def _near(rect: Rect, boxes: Sequence[LayoutBox], reach: float) -> int:
    """The box whose edge is within half a character of this text, on its line; -1 for none."""
    y = (rect[1] + rect[3]) / 2
    gaps = [
        (max(box.rect[0] - rect[2], rect[0] - box.rect[2], 0.0), place)
        for place, box in enumerate(boxes)
        if box.rect[1] <= y <= box.rect[3]
    ]
    gap, place = min(gaps, default=(reach, -1))
    return place if gap < reach / 2 else -1


def _boxes_of(lines: list[Untyped], taken: Sequence[LayoutBox]) -> list[LayoutBox]:
    """Lines of one block become one box, as long as it meets no other box."""
    boxes: list[LayoutBox] = []
    for line in lines:
        last = boxes[-1] if boxes else None
        if last is not None and last.lines[-1]["spans"][0]["block"] == line["spans"][0]["block"]:
            joined = union(iter((last.rect, line["bbox"])))
            if last.lines[-1]["dir"] == line["dir"] and not any(_meet(joined, box.rect) for box in taken):
                last.rect = joined
                last.lines.append(line)
                continue
        boxes.append(LayoutBox(line["bbox"], TEXT, [line]))
    return boxes


def mark_furniture(page_rect: Rect, box: LayoutBox) -> bool:
    """Whether a box of sideways text stands in the page's margin, like the stamp of a preprint server."""
    if not box.lines or any(abs(line["dir"][1]) < _SIDEWAYS for line in box.lines):
        return False
    width = page_rect[2] - page_rect[0]
    return box.rect[2] <= page_rect[0] + _MARGIN * width or box.rect[0] >= page_rect[2] - _MARGIN * width


def order_agreement(boxes: list[LayoutBox]) -> float:
    """The share of the steps from box to box that go forward in the file, too; 1 with too few boxes to tell.

    Files often have a page's masthead last, which is one step back; columns that are mixed up are many.
    """
    places = [
        median(line["spans"][0]["block"] for line in box.lines)
        for box in boxes
        if box.lines and box.kind not in (HEADER, FOOTER)
    ]
    if len(places) < _FEW_BOXES:
        return 1.0
    return sum(bool(one <= other) for one, other in pairwise(places)) / (len(places) - 1)


def _in_order(
    page: Untyped, blocks: list[Untyped], boxes: list[LayoutBox], *, mirrored: bool
) -> list[LayoutBox]:
    width = page.rect.x1
    by_key: dict[tuple[object, ...], list[LayoutBox]] = {}
    flat = []
    for box in boxes:
        x0, y0, x1, y1 = box.rect
        key = (width - x1, y0, width - x0, y1, box.kind) if mirrored else (*box.rect, box.kind)
        by_key.setdefault(key, []).append(box)
        flat.append(key)
    ordered = engine.load_layout().helpers.utils.find_reading_order(
        page.rect, [] if mirrored else blocks, flat
    )
    found = [box for key in dict.fromkeys(tuple(key) for key in ordered) for box in by_key[key]]
    known = {id(box) for box in found}
    for box in boxes:
        if id(box) not in known and box.lines:  # left out by the order: put before what comes below it
            place = next((n for n, other in enumerate(found) if other.rect[1] >= box.rect[3]), len(found))
            found.insert(place, box)
    return found


def _area(rect: Rect) -> float:
    return max(0.0, rect[2] - rect[0]) * max(0.0, rect[3] - rect[1])


def _share(inner: Rect, outer: Rect) -> float:
    """The share of the first box that lies in the second."""
    width = min(inner[2], outer[2]) - max(inner[0], outer[0])
    height = min(inner[3], outer[3]) - max(inner[1], outer[1])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / (_area(inner) or 1.0)


def _inside(inner: Rect, outer: Rect) -> bool:
    return (
        inner != outer
        and outer[0] <= inner[0]
        and outer[1] <= inner[1]
        and outer[2] >= inner[2]
        and outer[3] >= inner[3]
    )


def _meet(one: Rect, other: Rect) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
