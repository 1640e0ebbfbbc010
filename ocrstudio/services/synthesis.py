"""Make a dataset of written pages: vocabulary and fonts of one's own, labels right by construction."""

import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from ocrstudio.datasets.record import DatasetRecord
from ocrstudio.datasets.writer import EVALUATION, IMAGES, TRAIN, Entry, write_dataset
from ocrstudio.domain.errors import InputError
from ocrstudio.domain.page_files import page_file_name
from ocrstudio.imaging.degradation import STRENGTHS, degrade
from ocrstudio.pdf.render import POINTS_PER_INCH, PageImage, write_page_image
from ocrstudio.synthesis.blocks import without_bold
from ocrstudio.synthesis.drawing import PageStyle, PageWriter
from ocrstudio.synthesis.markdown import to_markdown
from ocrstudio.synthesis.vocabulary import Vocabulary, read_vocabulary
from ocrstudio.synthesis.writing import PagePlan, write_page
from ocrstudio.tasks import Task
from ocrstudio.tasks.prompt import student_prompt

PAPERS: Final = {"a6": (298.0, 420.0), "a5": (420.0, 595.0), "a4": (595.0, 842.0)}
"""Width and height in points, upright."""

DEGRADATIONS: Final = ("off", *STRENGTHS)
_NAME = "written"
_FONT_ENDINGS = frozenset({".ttf", ".otf"})
_FONT_SIZES = (8.0, 13.0)  # points
_TRIES = 50
_SHRINK_AFTER = 5
_POINTS_A_CHARACTER = 160.0  # square points of paper for a character of a full page of 10 points

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class SynthesisRequest:
    """What to write.

    Attributes:
        texts: Word lists and texts.
        output: Folder of the dataset; missing, empty, or an earlier one.
        task: Whose prompt the samples ask.
        pages: Pages for training.
        evaluation_pages: Pages of their own for the evaluation.
        fonts: Font files, or folders of them; empty for the built-in face.
        paper: One of `PAPERS`.
        dpi: Resolution of the pictures.
        degradation: One of `DEGRADATIONS`; half of the pages are degraded.
        seed: The same seed, texts and fonts make the same pages.
    """

    texts: tuple[Path, ...]
    output: Path
    task: Task
    pages: int
    evaluation_pages: int = 0
    fonts: tuple[Path, ...] = ()
    paper: str = "a6"
    dpi: int = 200
    degradation: str = "light"
    seed: int = 1


@dataclass(frozen=True)
class SynthesisReport:
    """What was written.

    Attributes:
        pages: Pages for training and evaluation together.
        characters: Characters of all labels.
        words: Different words to choose from.
        fonts: Fonts to choose from; 0 for the built-in face alone.
    """

    pages: int
    characters: int
    words: int
    fonts: int


def synthesise(request: SynthesisRequest, progress: Progress | None = None) -> SynthesisReport:
    """Write the dataset, whole or not at all.

    Raises:
        InputError: Texts or fonts cannot be read, or nothing fits on the paper.
        DatasetError: The folder holds something else, or cannot be written.
    """
    vocabulary = read_vocabulary(request.texts)
    fonts = _find_fonts(request.fonts)
    total = request.pages + request.evaluation_pages
    prompt = student_prompt(request.task)
    entries: list[Entry] = []
    characters = 0
    with tempfile.TemporaryDirectory() as scratch:
        for number, (picture, label) in enumerate(_pages(request, vocabulary, fonts, total), start=1):
            name = page_file_name(_NAME, number, "png")
            write_page_image(PageImage(np.asarray(picture.convert("RGB")), request.dpi), Path(scratch) / name)
            entries.append(
                Entry(
                    DatasetRecord(prompt=prompt, answer=label, image=f"{IMAGES}/{name}"), Path(scratch) / name
                )
            )
            characters += len(label)
            if progress is not None:
                progress(number, total)
        parts = {TRAIN: entries[: request.pages], EVALUATION: entries[request.pages :]}
        made = {"seed": request.seed, "texts": [path.name for path in request.texts], "paper": request.paper}
        filled = {name: part for name, part in parts.items() if part}
        write_dataset(request.output, filled, {"written": {**made, "degradation": request.degradation}})
    return SynthesisReport(total, characters, len(set(vocabulary.words)), len(fonts))


def _pages(
    request: SynthesisRequest, vocabulary: Vocabulary, fonts: Sequence[Path], count: int
) -> Iterator[tuple[Image.Image, str]]:
    source = random.Random(request.seed)  # noqa: S311 (pages, not secrets)
    writer = PageWriter()
    for _ in range(count):
        pixels, label = _page(request, vocabulary, fonts, writer, source)
        picture = Image.fromarray(pixels)
        if request.degradation != "off" and source.random() < 0.5:  # noqa: PLR2004 (half of the pages)
            generator = np.random.default_rng(source.getrandbits(32))
            picture = degrade(picture, generator, STRENGTHS[request.degradation])
        yield picture, label


def _page(
    request: SynthesisRequest,
    vocabulary: Vocabulary,
    fonts: Sequence[Path],
    writer: PageWriter,
    source: random.Random,
) -> tuple[npt.NDArray[np.uint8], str]:
    width, height = PAPERS[request.paper]
    most = width * height / _POINTS_A_CHARACTER
    for attempt in range(_TRIES):
        # Long words in a large face may never fit: after some tries less is written.
        share = source.uniform(0.3, 0.9) / (1 + attempt // _SHRINK_AFTER)
        blocks = write_page(source, vocabulary, PagePlan(max(20, round(most * share))))
        style = _style(request, fonts, source)
        if style.font is not None and style.bold_font is None:
            blocks = without_bold(blocks)
        drawn = writer.draw(blocks, style)
        if drawn is not None:
            return drawn.pixels, to_markdown(blocks)
    raise InputError(
        f"The words of {request.texts[0]} do not fit on {request.paper} paper.", "Choose larger paper."
    )


def _style(request: SynthesisRequest, fonts: Sequence[Path], source: random.Random) -> PageStyle:
    scale = request.dpi / POINTS_PER_INCH
    width, height = PAPERS[request.paper]
    margins = tuple(source.uniform(0.05, 0.12) * width * scale for _ in range(4))
    return PageStyle(
        round(width * scale),
        round(height * scale),
        font=source.choice(fonts) if fonts else None,
        font_size=source.uniform(*_FONT_SIZES) * scale,
        leading=source.uniform(1.1, 1.5),
        margins=(margins[0], margins[1], margins[2], margins[3]),
        justified=source.random() < 0.3,  # noqa: PLR2004 (a third)
        rules=source.choice(("all", "rows", "none")),
        ink=source.randint(0, 70),
        paper=source.randint(235, 255),
    )


def _find_fonts(paths: Sequence[Path]) -> list[Path]:
    fonts: list[Path] = []
    for path in paths:
        found = sorted(path.rglob("*")) if path.is_dir() else [path]
        fonts += [file for file in found if file.suffix.lower() in _FONT_ENDINGS]
        if not any(file.suffix.lower() in _FONT_ENDINGS for file in found):
            raise InputError(
                f"{path} holds no font.", "Name TrueType or OpenType files, or a folder of them."
            )
    return fonts
