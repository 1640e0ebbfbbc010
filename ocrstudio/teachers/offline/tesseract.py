"""Tesseract, when it is installed: languages that RapidOCR does not know, and the order of dense print."""

import csv
import io
import json
import logging
import os
import shutil
import subprocess
from collections.abc import Sequence
from itertools import groupby

import numpy as np
import numpy.typing as npt

from ocrstudio.domain.errors import TeacherError
from ocrstudio.jobs.command_line import module_command
from ocrstudio.teachers.errors import TeacherUnavailableError
from ocrstudio.teachers.offline.lines import OcrLine, Reading, check_confident
from ocrstudio.teachers.offline.scripts import fitting_languages, seen_languages
from ocrstudio.teachers.offline.segmentation import MODULE as SEGMENTATION
from ocrstudio.teachers.offline.segmentation import find_library
from ocrstudio.teachers.offline.turn import Turn

_LOG = logging.getLogger(__name__)
_PROGRAM = "tesseract"
_DIRECTIONS = "osd"  # its data for the direction and the script of a page
_WORD_LEVEL = "5"
_TIMEOUT = 300.0
_OPINION_TIMEOUT = 15.0
_PACKAGE_HINT = (
    "Install it (Debian and Ubuntu: apt install tesseract-ocr tesseract-ocr-kor; macOS: brew install "
    "tesseract-lang), or set offline.ocr_engine: rapidocr."
)


class TesseractEngine:
    """The system's Tesseract, one process a page.

    Args:
        languages: Its language codes, such as ``kor`` and ``eng``.
        upright: Whether its pages are known to stand upright; otherwise it finds out, where it has the data.
        timeout: Seconds for a page.
    """

    orders_itself = True
    min_score = 0.2  # measured: more are lost from .3 on than are noise

    def __init__(self, languages: Sequence[str], *, upright: bool = False, timeout: float = _TIMEOUT) -> None:
        self._languages = tuple(languages)
        self._upright = upright
        self._timeout = timeout
        self._program: str | None = None

    def recognise(self, pixels: npt.NDArray[np.uint8], dpi: float) -> Reading:
        """Read a page.

        Args:
            pixels: RGB, shape [height, width, 3].
            dpi: Its resolution; Tesseract guesses badly without it.

        Raises:
            TeacherUnavailableError: Tesseract or a language is not installed.
            TeacherError: Tesseract failed on this page.
        """
        from ocrstudio.pdf.png import encode_png

        program = self._program = self._program or require_tesseract(self._languages)
        command = [program, "stdin", "stdout", "-l", "+".join(self._languages)]
        segmentation = "3" if self._upright or _DIRECTIONS not in _listed(program) else "1"
        command += ["--dpi", str(round(dpi)), "--psm", segmentation, "tsv"]
        try:
            done = _run(command, encode_png(pixels, dpi), self._timeout)
        except subprocess.TimeoutExpired:
            raise TeacherError(f"Tesseract did not finish this page within {self._timeout:g} s.") from None
        if done.returncode != 0:
            raise TeacherError(f"Tesseract failed on this page: {_last_line(done.stderr)}.")
        height, width = pixels.shape[:2]
        return Reading(tuple(_lines(done.stdout.decode("utf-8", errors="replace"))), Turn(width, height))

    def check(self, lines: Sequence[OcrLine]) -> float:
        """Refuse a page that was not read; see `lines.check_confident`."""
        return check_confident(
            lines,
            f"Tesseract ({'+'.join(self._languages)})",
            "Set offline.languages to the languages of the page, or use a model server.",
        )


def read_in_order(
    pixels: npt.NDArray[np.uint8], dpi: float, text: str, preferred: Sequence[str]
) -> Sequence[OcrLine]:
    """The lines of an upright page as Tesseract orders them; none where it is not installed.

    Only the order is wanted, which its library finds without reading a letter, in any script. Where there is
    only its program, the page has to be read: none where a language is missing, or after some seconds
    (Chinese takes up to a minute a page).

    Args:
        pixels: RGB.
        dpi: Its resolution.
        text: What another engine read, which tells the scripts of the page.
        preferred: Languages of the configuration.
    """
    program = shutil.which(_PROGRAM)
    if program is None:
        return ()
    segmented = _segmented(program, pixels, dpi)
    if segmented is not None:
        return segmented
    languages = fitting_languages(text, preferred, installed_languages(program))
    if not languages:
        return ()
    try:
        return TesseractEngine(languages, upright=True, timeout=_OPINION_TIMEOUT).recognise(pixels, dpi).lines
    except TeacherError as error:  # a second opinion only
        _LOG.warning("Tesseract gave no second opinion: %s", error.message)
        return ()


def _segmented(program: str, pixels: npt.NDArray[np.uint8], dpi: float) -> Sequence[OcrLine] | None:
    """The lines as Tesseract's library orders them, with an empty text; None where it cannot be asked."""
    library = find_library(program)
    if library is None:
        return None
    height, width = pixels.shape[:2]
    command = module_command(SEGMENTATION, library, str(width), str(height), str(round(dpi)))
    try:
        done = _run(command, pixels.tobytes(), _OPINION_TIMEOUT)
        boxes = json.loads(done.stdout) if done.returncode == 0 else None
    except (subprocess.TimeoutExpired, ValueError):
        boxes = None
    if boxes is None:
        _LOG.warning("Tesseract's library %s cannot be used; its program is asked.", library)
        return None
    return tuple(OcrLine("", 1.0, x0, y0, x1, y1) for x0, y0, x1, y1 in boxes)


def languages_by_sight(
    pixels: npt.NDArray[np.uint8], dpi: float, preferred: Sequence[str]
) -> tuple[str, ...]:
    """Installed languages for the script that Tesseract sees on a page, and English; none if none fits.

    Args:
        pixels: RGB.
        dpi: Its resolution.
        preferred: Languages of the configuration, which win where their script is there.
    """
    from ocrstudio.pdf.png import encode_png

    program = shutil.which(_PROGRAM)
    if program is None:
        return ()
    command = [program, "stdin", "stdout", "--dpi", str(round(dpi)), "--psm", "0"]
    try:
        seen = _run(command, encode_png(pixels, dpi)).stdout.decode("utf-8", errors="replace")
    except subprocess.TimeoutExpired:
        return ()
    script = next((line[8:].strip() for line in seen.splitlines() if line.startswith("Script: ")), "")
    return seen_languages(script, preferred, installed_languages(program))


def require_tesseract(languages: Sequence[str]) -> str:
    """The path of the program.

    Args:
        languages: Language codes whose data must be installed.

    Raises:
        TeacherUnavailableError: The program or the data of a language is missing.
    """
    program = shutil.which(_PROGRAM)
    if program is None:
        raise TeacherUnavailableError("Tesseract is not installed.", _PACKAGE_HINT)
    installed = installed_languages(program)
    missing = [language for language in languages if language not in installed]
    if missing:
        raise TeacherUnavailableError(
            f"Tesseract has no data for {', '.join(missing)}; it has {', '.join(sorted(installed))}.",
            _PACKAGE_HINT,
        )
    return program


def installed_languages(program: str | None = None) -> frozenset[str]:
    """Language codes of the installed Tesseract; empty when there is none."""
    found = program or shutil.which(_PROGRAM)
    if found is None:
        return frozenset()
    return _listed(found) - {_DIRECTIONS}


def _listed(program: str) -> frozenset[str]:
    """The names of its data files."""
    listed = _run([program, "--list-langs"]).stdout.decode("utf-8", errors="replace").splitlines()[1:]
    return frozenset(line.strip() for line in listed if line.strip())


def _run(
    command: list[str], data: bytes = b"", timeout: float = _TIMEOUT
) -> subprocess.CompletedProcess[bytes]:
    # With its own threads Tesseract is five times slower than with one.
    environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}
    return subprocess.run(
        command, input=data, capture_output=True, check=False, env=environment, timeout=timeout
    )


def _lines(table: str) -> list[OcrLine]:
    rows = csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE)
    words = [row for row in rows if row["level"] == _WORD_LEVEL and row["text"].strip()]
    grouped = groupby(words, key=lambda row: (row["block_num"], row["par_num"], row["line_num"]))
    return [_line(list(group), f"{key[0]}.{key[1]}") for key, group in grouped]


def _line(words: list[dict[str, str]], paragraph: str) -> OcrLine:
    boxes = np.array([[float(word[key]) for key in ("left", "top", "width", "height")] for word in words])
    score = float(np.mean([float(word["conf"]) for word in words])) / 100
    return OcrLine(
        text=" ".join(word["text"] for word in words),
        score=score,
        x0=float(boxes[:, 0].min()),
        y0=float(boxes[:, 1].min()),
        x1=float((boxes[:, 0] + boxes[:, 2]).max()),
        y1=float((boxes[:, 1] + boxes[:, 3]).max()),
        paragraph=paragraph,
    )


def _last_line(log: bytes) -> str:
    lines = log.decode("utf-8", errors="replace").strip().splitlines()
    return lines[-1].rstrip(".") if lines else "it gave no reason"
