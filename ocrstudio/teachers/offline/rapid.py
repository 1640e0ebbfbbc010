"""RapidOCR with the models inside its wheel: Latin letters, Chinese, Japanese."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ocrstudio.domain.errors import TeacherError
from ocrstudio.teachers.offline import turn
from ocrstudio.teachers.offline.detector import hasten
from ocrstudio.teachers.offline.ink import inked_window
from ocrstudio.teachers.offline.lines import OcrLine, Reading, check_greek, check_readable
from ocrstudio.teachers.offline.recogniser import LineRecogniser, Text
from ocrstudio.teachers.offline.turn import Turn

_HINT = (
    "Use Tesseract with the language of the page (offline.ocr_engine: tesseract), a model server, "
    "or type the label."
)
_DOUBTFUL_SCORE = 0.85
_SURE_SCORE = 0.9
_HOPELESS_SCORE = 0.6
_FOREIGN_SHARE = 0.75  # of the first long lines
_REFUSED_SHARE = 0.3  # of the text; more than `check_readable` takes
_PROBES = 8


class RapidEngine:
    """RapidOCR; the models load at the first page.

    Args:
        threads: Cores to work on.
    """

    orders_itself = False
    min_score = 0.5

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._models: tuple[Any, LineRecogniser] | None = None

    def recognise(self, pixels: npt.NDArray[np.uint8], dpi: float) -> Reading:  # noqa: ARG002
        """Find and read all lines, whichever way the page lies.

        Args:
            pixels: RGB, shape [height, width, 3]. Only such arrays: RapidOCR reads a palette picture as
                blank.
            dpi: Its resolution; not needed here.

        Returns:
            All lines that were seen, also those that could not be read (with an empty text), on the
            upright page. Of one in an unknown script only the longest, enough for `check` to refuse it.

        Raises:
            TeacherError: The picture is a strip: its reduction to the engine's size has no width.
        """
        height, width = pixels.shape[:2]
        quads, crops = self._detect(pixels)
        if not len(quads):
            # A lone number on a large page is too small for the detector, until the white is cut away.
            window = inked_window(pixels)
            if window is None:
                return Reading((), Turn(width, height))
            x0, y0, x1, y1 = window
            quads, crops = self._detect(np.ascontiguousarray(pixels[y0:y1, x0:x1]))
            if not len(quads):
                return Reading((), Turn(width, height))
            quads += np.array([x0, y0])
        tall = turn.are_tall(quads)
        extent = turn.lengths(quads)
        sideways = float(extent[tall].sum()) > extent.sum() / 2
        main = tall if sideways else ~tall
        texts, upside_down = self._read(crops, main, np.argsort(-extent, kind="stable"))
        # A crop that is tall is turned counter-clockwise before it is read.
        quartered = Turn(width, height, (1 if sideways else 0) + (2 if upside_down else 0))
        degrees = turn.skew(turn.upright(quartered, quads[main]))
        found = Turn(width, height, quartered.quarters, degrees)
        boxes = turn.boxes(found, quads)
        lines = (OcrLine(texts[n][0].strip(), texts[n][1], *boxes[n]) for n in sorted(texts))
        return Reading(tuple(lines), found)

    def check(self, lines: Sequence[OcrLine]) -> float:
        """Refuse a page that was not read; see `lines.check_readable`."""
        check_greek(lines, _HINT)
        return check_readable(lines, "RapidOCR", _HINT)

    def _detect(
        self, pixels: npt.NDArray[np.uint8]
    ) -> tuple[npt.NDArray[np.float64], Sequence[npt.NDArray[np.uint8]]]:
        """The quadrilaterals of the lines, in pixels of the picture, and the lines cut out."""
        from rapidocr.main import RapidOCRError
        from rapidocr.utils.process_img import ResizeImgError, map_boxes_to_original

        engine, _ = self._loaded()
        height, width = pixels.shape[:2]
        # The steps of its __call__, but for three. Its last one drops the lines it could not read: those are
        # what tells a page in an unknown script from an empty one. Its classifier of directions turns some
        # upright lines upside down, so both ways are tried here where the first one reads badly. And a page
        # on its side is found before it is read.
        try:
            prepared, operations = engine.preprocess_img(np.ascontiguousarray(pixels[:, :, ::-1]))
        except ResizeImgError:
            raise TeacherError(
                f"RapidOCR cannot read a picture of {width:,} x {height:,} pixels: it is a mere strip.",
                "Cut it into pieces.",
            ) from None
        try:
            crops, found = engine.detect_and_crop(prepared, operations)
        except RapidOCRError:  # it has no other way to say that there is no text
            return np.empty((0, 4, 2)), ()
        return np.asarray(map_boxes_to_original(found.boxes, operations, height, width), dtype=float), crops

    def _read(
        self,
        crops: Sequence[npt.NDArray[np.uint8]],
        main: npt.NDArray[np.bool_],
        by_length: npt.NDArray[np.intp],
    ) -> tuple[dict[int, Text], bool]:
        """Read all lines, and say whether those of the main direction stand on their heads.

        A few long lines decide it: read upside down they score .6 to .75, upright .94 and more. Where neither
        way is any good the script is unknown, and nothing is read twice. Where hardly any of the few could be
        read, either way, the next long lines follow until it is certain that the page will be refused; then
        the others are left out.
        """
        probes = [int(number) for number in by_length if main[number]][:_PROBES]
        texts: dict[int, Text] = dict(zip(probes, self._recognise(crops, probes), strict=True))
        upside_down = hopeless = foreign = False
        if _mean(texts.values()) < _SURE_SCORE:
            turned = dict(zip(probes, self._recognise(crops, probes, turned=True), strict=True))
            upside_down = _mean(turned.values()) > _mean(texts.values())
            hopeless = max(_mean(turned.values()), _mean(texts.values())) < _HOPELESS_SCORE
            width = _width(crops, probes)
            foreign = all(_unread(crops, way) >= _FOREIGN_SHARE * width for way in (texts, turned))
            texts = turned if upside_down else texts
        flipped = {number for number in range(len(crops)) if upside_down and main[number]}
        rest = [int(number) for number in by_length if number not in texts]
        size = _PROBES if foreign else max(1, len(rest))
        for group in (sorted(rest[start : start + size]) for start in range(0, len(rest), size)):
            if foreign and _unread(crops, texts) >= _REFUSED_SHARE * _width(crops, range(len(crops))):
                return texts, upside_down
            for way in (False, True):
                part = [number for number in group if (number in flipped) == way]
                texts.update(zip(part, self._recognise(crops, part, turned=way), strict=True))
        if not hopeless:
            for way in (False, True):
                doubtful = [n for n in texts if texts[n][1] < _DOUBTFUL_SCORE and (n in flipped) != way]
                again = zip(doubtful, self._recognise(crops, doubtful, turned=way), strict=True)
                texts.update((number, text) for number, text in again if text[1] > texts[number][1])
        return texts, upside_down

    def _recognise(
        self, crops: Sequence[npt.NDArray[np.uint8]], numbers: Sequence[int], *, turned: bool = False
    ) -> list[Text]:
        """Text and score of some lines."""
        if not numbers:
            return []
        pieces = [np.ascontiguousarray(np.rot90(crops[n], 2)) if turned else crops[n] for n in numbers]
        return self._loaded()[1].read(pieces)

    def _loaded(self) -> tuple[Any, LineRecogniser]:
        """A RapidOCR that looks for lines, and what reads them."""
        if self._models is None:
            # Each loads only the model that it is asked for.
            reader = LineRecogniser(_rapidocr(threads=1), self._threads)
            finder = _rapidocr(self._threads)
            hasten(finder)
            self._models = finder, reader
        return self._models


def _rapidocr(threads: int) -> Any:  # noqa: ANN401 - RapidOCR has no types
    try:
        from rapidocr import RapidOCR
    except ImportError as error:
        raise TeacherError(
            f"RapidOCR cannot be loaded: {error}.", "Install the package rapidocr and onnxruntime again."
        ) from error
    logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
    return RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.use_cls": False,
            "EngineConfig.onnxruntime.intra_op_num_threads": threads,
        }
    )


def _mean(texts: Iterable[Text]) -> float:
    """Mean score by length of text; 0 for none."""
    sizes = [(max(1, len(text)), score) for text, score in texts]
    return sum(size * score for size, score in sizes) / max(1, sum(size for size, _ in sizes))


def _width(crops: Sequence[npt.NDArray[np.uint8]], numbers: Iterable[int]) -> int:
    """Pixels that some lines take."""
    return sum(crops[number].shape[1] for number in numbers)


def _unread(crops: Sequence[npt.NDArray[np.uint8]], texts: Mapping[int, Text]) -> int:
    """Pixels of the lines that were not read, as `check_readable` counts them."""
    return _width(crops, (number for number, text in texts.items() if not _is_read(crops[number], text)))


def _is_read(crop: npt.NDArray[np.uint8], text: Text) -> bool:
    height, width = crop.shape[:2]
    return OcrLine(text[0].strip(), text[1], 0, 0, width, height).is_read()
