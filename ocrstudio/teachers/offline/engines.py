"""The classical OCR engines by name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ocrstudio.teachers.offline.lines import OcrLine, Reading
from ocrstudio.teachers.offline.rapid import RapidEngine
from ocrstudio.teachers.offline.tesseract import TesseractEngine


class OcrEngine(Protocol):
    """Finds and reads the lines of a picture."""

    @property
    def orders_itself(self) -> bool:
        """Whether its lines come in reading order with their paragraphs."""

    @property
    def min_score(self) -> float:
        """Lines with a lower score are no text: patterns in pictures, which every engine reads as letters."""

    def recognise(self, pixels: npt.NDArray[np.uint8], dpi: float) -> Reading:
        """All lines of an RGB picture, the unread ones included, and how the page lies in it."""

    def check(self, lines: Sequence[OcrLine]) -> float:
        """The share of text that was not read; raises `TeacherError` when it is too large for a label."""


@dataclass(frozen=True)
class EngineOptions:
    """What an engine is made with.

    Attributes:
        languages: Tesseract language codes.
        threads: Threads of one child process.
    """

    languages: tuple[str, ...]
    threads: int


ENGINES: Mapping[str, Callable[[EngineOptions], OcrEngine]] = {
    "rapidocr": lambda options: RapidEngine(options.threads),
    "tesseract": lambda options: TesseractEngine(options.languages),
}
