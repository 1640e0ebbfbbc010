"""Pages for the reader: written, drawn, degraded, and turned into what the losses need. No torch."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from ocrstudio.domain.errors import InputError
from ocrstudio.imaging.degradation import STRENGTHS, Transform, degrade_with_transform
from ocrstudio.student.pretraining.levels import Grid, Level
from ocrstudio.student.pretraining.targets import Boxes, character_cells, reading_places
from ocrstudio.student.reader import READER_IMAGE
from ocrstudio.student.tokenizer import OcrTokenizer
from ocrstudio.synthesis.blocks import without_bold
from ocrstudio.synthesis.drawing import Drawn, PageStyle, PageWriter
from ocrstudio.synthesis.markdown import to_markdown
from ocrstudio.synthesis.text import to_text
from ocrstudio.synthesis.vocabulary import Vocabulary
from ocrstudio.synthesis.writing import PagePlan, write_page

TILE = READER_IMAGE.image_size
_TRIES = 20
_PLAIN = "\nFree OCR."
# The prompts of the tasks `markdown`, `document` and `free_ocr`, by how often they are asked.
PROMPTS = ("\nConvert this document to markdown.",) * 6 + (
    "\n<|grounding|>Convert the document to markdown.",
    _PLAIN,
    _PLAIN,
)


@dataclass(frozen=True)
class Face:
    """A font file and its bold twin."""

    regular: Path
    bold: Path | None


@dataclass(frozen=True)
class ReaderPage:
    """One page with everything that is asked about it.

    Attributes:
        pixels: Grey, [height, width].
        cells: Class of each cell, see `targets.character_cells`.
        prompt: What is asked.
        answer: The label.
        ids: Tokens of the answer.
        places: See `targets.reading_places`.
        slots: See there.
    """

    pixels: npt.NDArray[np.uint8]
    cells: npt.NDArray[np.uint8]
    prompt: str
    answer: str
    ids: tuple[int, ...]
    places: tuple[int, ...]
    slots: tuple[int, ...]


def find_faces(folder: Path) -> list[Face]:
    """The fonts of a folder: ``NAME.r.ttf`` (or otf) with its bold face ``NAME.b.ttf``.

    Raises:
        InputError: There is none.
    """
    faces = []
    for regular in sorted(folder.glob("*.r.[ot]tf")):
        bold = next(folder.glob(f"{regular.name.split('.r.')[0]}.b.[ot]tf"), None)
        faces.append(Face(regular, bold))
    if not faces:
        raise InputError(
            f"{folder} holds no fonts named NAME.r.ttf.", "See docs/reader.md for where they come from."
        )
    return faces


class PageMaker:
    """Makes pages; the same for the same random source.

    Args:
        tokenizer: Of the reader.
        vocabulary: What is written.
        faces: Fonts to choose from.
    """

    def __init__(self, tokenizer: OcrTokenizer, vocabulary: Vocabulary, faces: Sequence[Face]) -> None:
        self._tokenizer = tokenizer
        self._vocabulary = vocabulary
        self._faces = list(faces)
        self._writer = PageWriter()

    def make(self, source: random.Random, level: Level, grid: Grid, prompt: str | None = None) -> ReaderPage:
        """One page of a level.

        Raises:
            InputError: No page fits: the fonts are too large for the level.
        """
        for _ in range(_TRIES):
            wanted = max(1, round(level.characters * source.uniform(0.35, 1.0)))
            blocks = write_page(source, self._vocabulary, PagePlan(wanted, level.weights, level.headings))
            style = self._style(source, level, grid, wanted)
            if style.font is not None and style.bold_font is None:
                blocks = without_bold(blocks)
            drawn = self._writer.draw(blocks, style)
            if drawn is not None:
                break
        else:
            raise InputError(f"{level.characters} characters do not fit on {grid[0]} x {grid[1]} tiles.")
        asked = prompt or source.choice(PROMPTS)
        answer = (to_text(blocks) if asked == _PLAIN else to_markdown(blocks)).strip()
        pixels, boxes = _degraded(drawn, source, level.clean)
        encoded = self._tokenizer.backend(answer, return_offsets_mapping=True, add_special_tokens=False)
        places, slots = reading_places(answer, encoded["offset_mapping"], drawn.characters, boxes, grid)
        return ReaderPage(
            pixels=pixels,
            cells=character_cells(drawn.characters, boxes, grid[0] * TILE, grid[1] * TILE),
            prompt=asked,
            answer=answer,
            ids=tuple(encoded["input_ids"]),
            places=tuple(places),
            slots=tuple(slots),
        )

    def _style(self, source: random.Random, level: Level, grid: Grid, characters: int) -> PageStyle:
        width, height = grid[0] * TILE, grid[1] * TILE
        margins = tuple(source.uniform(14, 70) for _ in range(4))
        # The largest size at which the characters fill about half of the room: a character is half as wide
        # as its size, a line 1.35 times as high.
        room = (width - margins[0] - margins[2]) * (height - margins[1] - margins[3])
        fitting = math.sqrt(room * 0.55 / characters / (0.52 * 1.35))
        least, largest = level.font_size
        face = source.choice(self._faces)
        return PageStyle(
            width,
            height,
            font=face.regular,
            bold_font=face.bold,
            font_size=source.uniform(least, max(least, min(largest, fitting))),
            leading=source.uniform(1.1, 1.5),
            margins=(margins[0], margins[1], margins[2], margins[3]),
            columns=2 if characters > 300 and source.random() < 0.06 else 1,  # noqa: PLR2004
            justified=source.random() < 0.3,  # noqa: PLR2004
            rules=source.choice(("all", "rows", "none")),
            ink=source.randint(0, 90),
            paper=source.randint(225, 255),
        )


def _degraded(drawn: Drawn, source: random.Random, clean: float) -> tuple[npt.NDArray[np.uint8], Boxes]:
    """The page as a scan, and where its characters went."""
    if source.random() < clean:
        return drawn.pixels, drawn.boxes
    strength = STRENGTHS["strong" if source.random() < 0.6 else "light"]  # noqa: PLR2004
    generator = np.random.default_rng(source.getrandbits(32))
    image, transform = degrade_with_transform(Image.fromarray(drawn.pixels), generator, strength)
    return np.asarray(image), _moved(drawn.boxes, transform)


def _moved(boxes: Boxes, transform: Transform) -> Boxes:
    """Boxes of the same size around their moved centres; angles are small."""
    a, b, c, d, e, f = transform
    if not b:
        return boxes
    centres = np.stack([(boxes[:, 0] + boxes[:, 2]) / 2 - c, (boxes[:, 1] + boxes[:, 3]) / 2 - f])
    x, y = np.linalg.inv(np.array([[a, b], [d, e]])) @ centres
    half_width, half_height = (boxes[:, 2] - boxes[:, 0]) / 2, (boxes[:, 3] - boxes[:, 1]) / 2
    moved = np.stack([x - half_width, y - half_height, x + half_width, y + half_height], axis=1)
    return moved.astype(np.float32)
