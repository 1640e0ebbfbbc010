"""The text that can be seen on a page, character by character, and the count of what cannot.

Text that is invisible, transparent, outside the page or painted over is no text of the page; a glyph that its
font maps to no letter is one that nobody can read. Both are counted: nothing disappears in silence.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from ocrstudio.pdf import engine
from ocrstudio.pdf.covers import Covers, find_covers
from ocrstudio.pdf.drop_caps import join_drop_caps
from ocrstudio.pdf.engine import Untyped
from ocrstudio.pdf.mending import is_unreadable, mend_line

TEXT_BLOCK = 0  # PyMuPDF's number
_MIN_ALPHA = 13  # of 255: five per cent
_MIN_SIZE = 1.0  # points
_SIGN_FONT = re.compile(r"CM(?:EX|SY)|MT(?:EX|SY)|MS[AB]M|Ma?th|Symbol|[Dd]ingbats|Wingdings|Webdings")
_UPRIGHT = 0.999  # cosine
_SENTENCE = 25  # letters
_SAME_PLACE = 0.15  # of the font size
_MOST_OF_REPEATED = 0.4  # of a span, that may stand elsewhere: spaces, and where two lines meet
_ROW = 8.0  # points


@dataclass(frozen=True)
class PageText:
    """What is written on a page.

    Attributes:
        blocks: Text blocks as PyMuPDF's ``rawdict`` gives them, with visible, mended characters only.
        others: Its other blocks: pictures and vectors.
        letters: Letters and digits that can be seen and read.
        unreadable: Glyphs that can be seen and have no Unicode.
        signs: The same in fonts of signs: pieces of large brackets and roots, dingbats.
        hidden: Letters and digits that cannot be seen.
        direction: Angle in degrees at which most of the text runs, clockwise; 0 is upright.
        right_to_left: Whether most letters are of a script written from right to left.
        covers: What is painted over text, and how much of the page pictures cover.
    """

    blocks: list[Untyped]
    others: list[Untyped]
    letters: int
    unreadable: int
    signs: int
    hidden: int
    direction: float
    right_to_left: bool
    covers: Covers

    @property
    def runs_sideways(self) -> bool:
        """Whether most of the text is turned: whole sentences, not the words at a figure's axis."""
        lines = [line for block in self.blocks for line in block["lines"] if line["dir"][0] < _UPRIGHT]
        longest = max((count_letters(line_text(line)) for line in lines), default=0)
        return self.direction != 0 and longest >= _SENTENCE

    @property
    def text(self) -> str:
        """Line after line, in the order of the file."""
        return "\n".join(line_text(line) for block in self.blocks for line in block["lines"])


def read_page_text(page: Untyped, flags: int) -> PageText:
    """Collect what is written on a plain page (see `upright`).

    MuPDF takes a character drawn twice for a bold one when it collects styles; in a lam-alef after an alef it
    then loses a letter. So pages written from right to left are read without styles.

    Args:
        page: PyMuPDF's page, without rotation and offset.
        flags: PyMuPDF's flags of extraction.
    """
    pymupdf = engine.load()
    text = _read(page, flags | pymupdf.TEXT_CLIP)
    if text.right_to_left and flags & pymupdf.TEXT_COLLECT_STYLES:
        return _read(page, (flags | pymupdf.TEXT_CLIP) & ~pymupdf.TEXT_COLLECT_STYLES)
    return text


def count_letters(text: str) -> int:
    """Letters and digits, in the form that a label has them."""
    return sum(character.isalnum() for character in unicodedata.normalize("NFC", text))


def _read(page: Untyped, flags: int) -> PageText:
    pymupdf = engine.load()
    textpage = page.get_textpage(flags=flags, clip=pymupdf.INFINITE_RECT())
    found = textpage.extractRAWDICT()["blocks"]
    blocks = [block for block in found if block["type"] == TEXT_BLOCK]
    covers = find_covers(page)
    hidden = _drop_hidden(page, blocks, covers)
    _drop_repeated(blocks)
    hyphenated = {
        span["font"] for _, span in spans_of(blocks) if any(char["c"] == "-" for char in span["chars"])
    }
    for block in blocks:
        for line in block["lines"]:
            mend_line(line["spans"], hyphenated)
    signs = _drop_signs(blocks)
    join_drop_caps(blocks)
    _tidy(blocks)
    characters = Counter(char["c"] for _, span in spans_of(blocks) for char in span["chars"])
    text = "".join(characters.elements())
    others = [block for block in found if block["type"] != TEXT_BLOCK]
    return PageText(
        blocks=blocks,
        others=others,
        letters=count_letters(text),
        unreadable=sum(number for character, number in characters.items() if is_unreadable(character)),
        signs=signs,
        hidden=hidden,
        direction=_direction(blocks),
        right_to_left=is_right_to_left(text),
        covers=covers,
    )


def is_right_to_left(text: str) -> bool:
    """Whether most letters are Arabic, Hebrew or of another script written from right to left."""
    kinds = Counter(unicodedata.bidirectional(character) for character in text if character.isalpha())
    return kinds["R"] + kinds["AL"] > kinds.total() / 2


def spans_of(blocks: list[Untyped]) -> Iterator[tuple[Untyped, Untyped]]:
    """Every span with its line."""
    for block in blocks:
        for line in block["lines"]:
            for span in line["spans"]:
                yield line, span


def line_text(line: Untyped) -> str:
    """The characters of a line."""
    return "".join(span["text"] for span in line["spans"])


def _drop_hidden(page: Untyped, blocks: list[Untyped], covers: Covers) -> int:
    """Remove characters that cannot be seen; the number of letters among them."""
    mupdf = engine.load().mupdf
    # What is neither filled nor stroked is invisible, unless it is the shape through which something shows.
    ink = mupdf.FZ_STEXT_FILLED | mupdf.FZ_STEXT_STROKED
    edge = page.rect
    hidden = 0
    for _, span in spans_of(blocks):
        is_type3 = span["font"].startswith("Type3")
        painted = span["alpha"] >= _MIN_ALPHA and span["char_flags"] & ink
        shape = span["char_flags"] & mupdf.FZ_STEXT_CLIPPED
        seen = is_type3 or ((painted or shape) and span["size"] >= _MIN_SIZE)
        kept = []
        for char in span["chars"]:
            x0, y0, x1, y1 = char["bbox"]
            x, y = (x0 + x1) / 2, (y0 + y1) / 2
            outside = not (edge.x0 <= x <= edge.x1 and edge.y0 <= y <= edge.y1)
            if char["c"].isspace() or (seen and not outside and not covers.hide(char)):
                kept.append(char)
            else:
                hidden += char["c"].isalnum()
        span["chars"] = kept
    return hidden


def _drop_signs(blocks: list[Untyped]) -> int:
    """Remove what is unreadable in fonts that have no letters; its number."""
    number = 0
    for _, span in spans_of(blocks):
        if _SIGN_FONT.search(span["font"]):
            kept = [char for char in span["chars"] if not is_unreadable(char["c"])]
            number += len(span["chars"]) - len(kept)
            span["chars"] = kept
    return number


def _drop_repeated(blocks: list[Untyped]) -> None:
    """Text drawn twice at one place, to make it look bold or shaded, is there once.

    A span does not repeat itself: narrow letters stand close to each other.
    """
    rows: dict[int, list[Untyped]] = defaultdict(list)
    for _, span in spans_of(blocks):
        x0, y0, x1, y1 = span["bbox"]
        row = round(y1 / _ROW)
        under = [
            char
            for near in (row - 1, row, row + 1)
            for other in rows[near]
            if min(x1, other["bbox"][2]) - max(x0, other["bbox"][0]) > _SAME_PLACE * span["size"]
            and min(y1, other["bbox"][3]) > max(y0, other["bbox"][1])
            for char in other["chars"]
        ]
        if under:
            near = _SAME_PLACE * span["size"]
            kept = [char for char in span["chars"] if not _is_repeated(char, under, near)]
            if len(kept) <= _MOST_OF_REPEATED * len(span["chars"]):
                span["chars"] = kept
        rows[row].append(span)


def _is_repeated(char: Untyped, under: list[Untyped], near: float) -> bool:
    """Whether a character stands where another one like it does; letters of a ligature have no width."""
    if not char["c"].strip() or char["bbox"][2] - char["bbox"][0] <= near:
        return False
    x, y = char["origin"]
    return any(
        other["c"] == char["c"] and abs(other["origin"][0] - x) < near and abs(other["origin"][1] - y) < near
        for other in under
    )


def _tidy(blocks: list[Untyped]) -> None:
    """Give spans their text and new boxes; remove what has become empty."""
    for block in blocks:
        for line in block["lines"]:
            spans = [span for span in line["spans"] if span["chars"]]
            for span in spans:
                span["text"] = "".join(char["c"] for char in span["chars"])
                span["bbox"] = union(char["bbox"] for char in span["chars"])
            line["spans"] = spans
            if spans:
                line["bbox"] = union(span["bbox"] for span in spans)
        block["lines"] = [line for line in block["lines"] if line_text(line).strip()]
        if block["lines"]:
            block["bbox"] = union(line["bbox"] for line in block["lines"])
    blocks[:] = [block for block in blocks if block["lines"]]


def union(boxes: Iterator[tuple[float, float, float, float]]) -> tuple[float, float, float, float]:
    """The box around boxes."""
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return min(x0), min(y0), max(x1), max(y1)


def _direction(blocks: list[Untyped]) -> float:
    from ocrstudio.pdf.upright import angle_of

    angles: Counter[float] = Counter()
    for block in blocks:
        for line in block["lines"]:
            if line["wmode"] == 0:
                angles[round(angle_of(line["dir"]), 1)] += count_letters(line_text(line))
            else:
                angles[0.0] += count_letters(line_text(line))
    return angles.most_common(1)[0][0] if angles else 0.0
