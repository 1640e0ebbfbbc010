"""Draw a tree: MuPDF's Story sets the page, and the page knows where every character stands."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from unicodedata import normalize

import numpy as np
import numpy.typing as npt

from ocrstudio.domain.errors import InputError
from ocrstudio.pdf import engine
from ocrstudio.synthesis.blocks import Blocks
from ocrstudio.synthesis.html import to_html

_FONT = "page.ttf"
_BOLD_FONT = "page-bold.ttf"
_WHITE = 255

Box: TypeAlias = tuple[float, float, float, float]


@dataclass(frozen=True)
class PageStyle:
    """How a page looks; lengths in pixels of its picture.

    Attributes:
        width: Of the picture.
        height: Of the picture.
        font: A TrueType or OpenType file; None for MuPDF's own serif face.
        bold_font: Its bold face; None where there is none.
        font_size: Of running text.
        leading: Line height as a multiple of the font size.
        margins: Left, top, right, bottom.
        columns: 1 or 2.
        gap: Between columns.
        justified: Whether lines end at the right margin.
        rules: What surrounds table cells: ``all`` sides, ``rows`` (a line below each) or ``none``.
        ink: Grey level of the text, 0 is black.
        paper: Grey level of the paper, 255 is white.
    """

    width: int
    height: int
    font: Path | None = None
    bold_font: Path | None = None
    font_size: float = 20.0
    leading: float = 1.3
    margins: tuple[float, float, float, float] = (40.0, 40.0, 40.0, 40.0)
    columns: int = 1
    gap: float = 24.0
    justified: bool = False
    rules: str = "all"
    ink: int = 0
    paper: int = 255


@dataclass(frozen=True)
class Drawn:
    """A page with its picture.

    Attributes:
        pixels: Grey, uint8, shape [height, width].
        characters: The character of each box.
        boxes: Left, top, right, bottom in pixels, float32, shape [characters, 4].
    """

    pixels: npt.NDArray[np.uint8]
    characters: str
    boxes: npt.NDArray[np.float32]


class PageWriter:
    """Draws pages; keeps the bytes of fonts that it has read."""

    def __init__(self) -> None:
        self._fonts: dict[Path, bytes] = {}

    def draw(self, blocks: Blocks, style: PageStyle) -> Drawn | None:
        """Draw one page.

        Returns:
            The page, or None when the blocks do not fit on it.

        Raises:
            InputError: The font cannot be read.
        """
        with engine.lock:
            data = self._set(blocks, style)
            return None if data is None else _render(data, style)

    def _set(self, blocks: Blocks, style: PageStyle) -> bytes | None:
        """The page as a PDF; None when something is left over."""
        pymupdf = engine.load()
        archive = pymupdf.Archive()
        faces = ""
        for file, name, weight in ((style.font, _FONT, "normal"), (style.bold_font, _BOLD_FONT, "bold")):
            if file is not None:
                archive.add(self._font(file), name)
                faces += f"@font-face{{font-family:page;src:url({name});font-weight:{weight}}}"
        story = pymupdf.Story(to_html(blocks), user_css=faces + _css(style), archive=archive)
        buffer = io.BytesIO()
        writer = pymupdf.DocumentWriter(buffer)
        device = writer.begin_page(pymupdf.Rect(0, 0, style.width, style.height))
        left_over = True
        for column in _columns(style):
            left_over, _ = story.place(pymupdf.Rect(*column))
            story.draw(device)
            if not left_over:
                break
        writer.end_page()
        writer.close()
        return None if left_over else buffer.getvalue()

    def _font(self, file: Path) -> bytes:
        if file not in self._fonts:
            try:
                self._fonts[file] = file.read_bytes()
            except OSError as error:
                raise InputError(
                    f"The font {file} cannot be read: {error.strerror}.", "Name a TrueType or OpenType file."
                ) from error
        return self._fonts[file]


def _columns(style: PageStyle) -> list[Box]:
    left, top, right, bottom = style.margins
    width = (style.width - left - right - style.gap * (style.columns - 1)) / style.columns
    lefts = [left + number * (width + style.gap) for number in range(style.columns)]
    return [(x, top, x + width, style.height - bottom) for x in lefts]


def _css(style: PageStyle) -> str:
    size = style.font_size
    grey = f"rgb({style.ink},{style.ink},{style.ink})"
    # MuPDF knows no shorthand for borders.
    line = f"border-style:solid;border-color:{grey};border-width:"
    borders = {"all": f"{line}1px", "rows": f"{line}0 0 1px 0"}
    family = "page" if style.font is not None else "serif"
    return (
        f"body{{margin:0;font-family:{family};font-size:{size:.2f}px;line-height:{style.leading:.2f};"
        f"color:{grey};text-align:{'justify' if style.justified else 'left'}}}"
        f"p{{margin:0 0 {size * 0.6:.1f}px 0}}"
        f"h1{{font-size:{size * 1.7:.1f}px;margin:0 0 {size * 0.7:.1f}px 0}}"
        f"h2{{font-size:{size * 1.35:.1f}px;margin:{size * 0.4:.1f}px 0 {size * 0.5:.1f}px 0}}"
        f"h3{{font-size:{size * 1.15:.1f}px;margin:{size * 0.3:.1f}px 0 {size * 0.4:.1f}px 0}}"
        "h1,h2,h3,h4{text-align:left;font-weight:bold}"
        f"ul,ol{{margin:0 0 {size * 0.6:.1f}px 0}}"
        f"table{{margin:0 0 {size * 0.6:.1f}px 0;text-align:left;border-collapse:collapse}}"
        f"td,th{{padding:{size * 0.15:.1f}px {size * 0.4:.1f}px;{borders.get(style.rules, '')}}}"
    )


def _letters(character: str) -> str:
    """What a label says for a drawn character: a ligature of Latin letters is its letters."""
    return normalize("NFKC", character) if "\ufb00" <= character <= "\ufb06" else character


def _shares(box: Box, count: int) -> list[Box]:
    """A box cut into equal parts from left to right."""
    left, top, right, bottom = box
    width = (right - left) / count
    return [(left + index * width, top, left + (index + 1) * width, bottom) for index in range(count)]


def _render(data: bytes, style: PageStyle) -> Drawn:
    pymupdf = engine.load()
    with pymupdf.open("pdf", data) as document:
        page = document[0]
        pixmap = page.get_pixmap(colorspace=pymupdf.csGRAY)
        pixels = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.stride)[
            :, : pixmap.width
        ]
        characters: list[str] = []
        boxes: list[Box] = []
        for span in page.get_texttrace():
            for code, _, _, box in span["chars"]:
                letters = _letters(chr(code))
                if not letters.isspace():
                    characters += letters
                    boxes += _shares(box, len(letters))
    if style.paper != _WHITE:
        pixels = (pixels.astype(np.uint16) * style.paper // _WHITE).astype(np.uint8)
    corners = np.array(boxes, np.float32).reshape(-1, 4)
    return Drawn(np.ascontiguousarray(pixels), "".join(characters), corners)
