"""Lines of text as an OCR engine found them, and whether it could read the page at all."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from ocrstudio.domain.errors import TeacherError
from ocrstudio.teachers.offline.turn import Turn

_MIN_SCORE = 0.85
_MIN_DENSITY = 0.4
_UNREADABLE_SHARE = 0.2
_DOUBTFUL_SHARE = 0.05
_GREEK_SHARE = 0.3
_CONFIDENT = 0.6
_HOPELESS_SHARE = 0.75
_TAG = re.compile(r"</?(?:table|tr|td|th|br|sup|sub)\b[^<>]*>")


def letters(text: str) -> str:
    """Letters and digits only, case folded, tags of tables left out: what no arrangement may lose."""
    return "".join(filter(str.isalnum, _TAG.sub(" ", text))).casefold()


@dataclass(frozen=True)
class OcrLine:
    """One line of text.

    Attributes:
        text: What was recognised; empty where text was seen but not read.
        score: Confidence of the engine, 0 to 1.
        x0, y0, x1, y1: Bounding box in pixels, from the top left.
        paragraph: Name of its paragraph, when the engine knows it.
    """

    text: str
    score: float
    x0: float
    y0: float
    x1: float
    y1: float
    paragraph: str = ""

    @property
    def width(self) -> float:
        """Width in pixels."""
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        """Height in pixels."""
        return self.y1 - self.y0

    def is_read(self) -> bool:
        """Whether the text can be trusted.

        Two signs of a script that the engine does not know: a low score, and a high score for almost
        nothing (a line of Cyrillic comes back as ``". , "`` with 0.98). Density is the number of visible
        characters for each line height of width: about 2.2 for Latin print, 1.1 for Chinese, below 0.4
        only where characters were lost.
        """
        visible = sum(not character.isspace() for character in self.text)
        density = visible / max(self.width / max(self.height, 1.0), 1.0)
        return self.score >= _MIN_SCORE and density >= _MIN_DENSITY


@dataclass(frozen=True)
class Reading:
    """The lines of a page, and how the page lies in its picture.

    Attributes:
        lines: All lines, the unread ones included, with their boxes on the upright page.
        turn: How the picture becomes the upright page.
    """

    lines: tuple[OcrLine, ...]
    turn: Turn


def check_readable(lines: Sequence[OcrLine], engine: str, hint: str) -> float:
    """Refuse a page that the engine cannot read, instead of handing out a garbage label.

    The limit was measured: readable pages (English, German, Chinese, mathematics, a scan in uneven light)
    lose 0 to 17 % of their text width, an English page with one Korean paragraph 29 %, pages in Hangul,
    Arabic, Hebrew, Devanagari, Thai and Cyrillic 93 % and more.

    Args:
        lines: All lines tried, the unread ones included.
        engine: Name of the engine for the message.
        hint: What to use instead.

    Returns:
        The unread share of the text by width, when it is small enough; 0 for an empty page.

    Raises:
        TeacherError: Too much of the text was not read.
    """
    unread = [line for line in lines if not line.is_read()]
    total = sum(line.width for line in lines)
    share = sum(line.width for line in unread) / total if total else 0.0
    if share >= _UNREADABLE_SHARE:
        raise TeacherError(
            f"{engine} could not read {len(unread)} of the {len(lines)} lines it tried ({share:.0%} of their "
            "text): this looks like a script it does not know, handwriting, or a poor scan.",
            hint,
        )
    return share


def check_confident(lines: Sequence[OcrLine], engine: str, hint: str) -> float:
    """Refuse a page that an engine with true confidences read without any.

    Measured with Tesseract: on pages that it reads 49 % and less of the letters stand in lines below .6,
    narrow columns on coloured ground included; in handwriting and another language's script 97 % and more.

    Returns:
        The share of letters in lines that may be wrong, when it is small enough; 0 for an empty page.

    Raises:
        TeacherError: Hardly any of the text was read.
    """
    doubtful = [line for line in lines if line.score < _CONFIDENT]
    total = sum(len(line.text) for line in lines)
    share = sum(len(line.text) for line in doubtful) / total if total else 0.0
    if share >= _HOPELESS_SHARE:
        raise TeacherError(
            f"{engine} could not read {len(doubtful)} of {len(lines)} lines ({share:.0%} of the text): "
            "this looks like a script it was not told of, handwriting, or a poor scan.",
            hint,
        )
    return share


def check_greek(lines: Sequence[OcrLine], hint: str) -> None:
    """Refuse Greek for RapidOCR: its model has only the plain letters, so every accented one is missing.

    Raises:
        TeacherError: The page is mostly Greek.
    """
    letters = [character for line in lines for character in line.text if character.isalpha()]
    greek = sum(unicodedata.name(character, "").startswith("GREEK") for character in letters)
    if letters and greek / len(letters) > _GREEK_SHARE:
        raise TeacherError(
            "RapidOCR drops the accented letters of Greek, so this page cannot be drafted with it.", hint
        )


def is_doubtful(share: float) -> bool:
    """Whether a page with this unread share should be looked at first."""
    return share >= _DOUBTFUL_SHARE
