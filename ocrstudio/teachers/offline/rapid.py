"""RapidOCR with the models inside its wheel: Latin letters, Chinese, Japanese."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ocrstudio.domain.errors import TeacherError
from ocrstudio.teachers.offline.lines import OcrLine, check_greek, check_readable

_HINT = (
    "Use Tesseract with the language of the page (offline.ocr_engine: tesseract), a model server, "
    "or type the label."
)
_DOUBTFUL_SCORE = 0.85


class RapidEngine:
    """RapidOCR; the models load at the first page.

    Args:
        threads: Threads for onnxruntime; -1 leaves it to the library.
    """

    orders_itself = False

    def __init__(self, threads: int = -1) -> None:
        self._threads = threads
        self._engine: Any = None

    def recognise(self, pixels: npt.NDArray[np.uint8], dpi: float) -> list[OcrLine]:  # noqa: ARG002
        """Find and read all lines.

        Args:
            pixels: RGB, shape [height, width, 3]. Only such arrays: RapidOCR reads a palette picture as
                blank.
            dpi: Its resolution; not needed here.

        Returns:
            All lines that were seen, also those that could not be read (with an empty text).

        Raises:
            TeacherError: The picture is a strip: its reduction to the engine's size has no width.
        """
        from rapidocr.utils.process_img import ResizeImgError, map_boxes_to_original

        engine = self._loaded()
        height, width = pixels.shape[:2]
        # The steps of its __call__, but for two. Its last one drops the lines it could not read: those are
        # what tells a page in an unknown script from an empty one. And its classifier of directions turns
        # some upright lines upside down, so both ways are tried here where the first one reads badly.
        try:
            prepared, operations = engine.preprocess_img(np.ascontiguousarray(pixels[:, :, ::-1]))
        except ResizeImgError:
            raise TeacherError(
                f"RapidOCR cannot read a picture of {width:,} x {height:,} pixels: it is a mere strip.",
                "Cut it into pieces.",
            ) from None
        found, _, read, crops = engine.run_ocr_steps(prepared, operations)
        if found.boxes is None or read.txts is None:
            return []
        texts = [(str(text), float(score)) for text, score in zip(read.txts, read.scores, strict=True)]
        boxes = map_boxes_to_original(found.boxes, operations, height, width)
        return [
            _line(np.asarray(box, dtype=float), text, score)
            for box, (text, score) in zip(boxes, self._turned(texts, crops), strict=True)
        ]

    def check(self, lines: Sequence[OcrLine]) -> float:
        """Refuse a page that was not read; see `lines.check_readable`."""
        check_greek(lines, _HINT)
        return check_readable(lines, "RapidOCR", _HINT)

    def _turned(
        self, texts: list[tuple[str, float]], crops: Sequence[npt.NDArray[np.uint8]]
    ) -> list[tuple[str, float]]:
        """Read lines with a low score again upside down; the better reading of each line."""
        doubtful = [number for number, (_, score) in enumerate(texts) if score < _DOUBTFUL_SCORE]
        if not doubtful:
            return texts
        again = self._loaded().recognize_txt([np.rot90(crops[number], 2) for number in doubtful])
        better = dict(zip(doubtful, zip(again.txts, again.scores, strict=True), strict=True))
        return [
            (str(better[number][0]), float(better[number][1]))
            if number in better and better[number][1] > score
            else (text, score)
            for number, (text, score) in enumerate(texts)
        ]

    def _loaded(self) -> Any:  # noqa: ANN401 - RapidOCR has no types
        if self._engine is None:
            try:
                from rapidocr import RapidOCR
            except ImportError as error:
                raise TeacherError(
                    f"RapidOCR cannot be loaded: {error}.",
                    "Install the package rapidocr and onnxruntime again.",
                ) from error
            logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
            self._engine = RapidOCR(
                params={
                    "Global.log_level": "critical",
                    "Global.use_cls": False,
                    "EngineConfig.onnxruntime.intra_op_num_threads": self._threads,
                }
            )
        return self._engine


def _line(box: npt.NDArray[np.float64], text: str, score: float) -> OcrLine:
    x0, y0 = box.min(axis=0)
    x1, y1 = box.max(axis=0)
    return OcrLine(text.strip(), score, float(x0), float(y0), float(x1), float(y1))
