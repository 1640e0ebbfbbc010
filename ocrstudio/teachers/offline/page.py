"""One page in the child process: text layer or OCR, and everything the parent needs to know about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from ocrstudio.domain.errors import TeacherError
from ocrstudio.domain.region import Region, region_to_row
from ocrstudio.pdf import PageImage
from ocrstudio.teachers.base import PageSource
from ocrstudio.teachers.errors import NO_TEXT
from ocrstudio.teachers.offline import arrangement
from ocrstudio.teachers.offline.arrangement import Arranged
from ocrstudio.teachers.offline.engines import ENGINES, EngineOptions, OcrEngine
from ocrstudio.teachers.offline.lines import OcrLine, is_doubtful, letters
from ocrstudio.teachers.offline.rules import find_rules
from ocrstudio.teachers.offline.tesseract import TesseractEngine, languages_by_sight, read_in_order
from ocrstudio.teachers.offline.turn import Turn


@dataclass(frozen=True)
class OfflineOptions:
    """How pages are read: the configuration's section ``offline``, and the threads of a child."""

    method: str
    ocr_engine: str
    languages: tuple[str, ...]
    reading_order: str
    dpi: int
    threads: int


@dataclass(frozen=True)
class PageText:
    """The label of a page.

    Attributes:
        markdown: The label.
        method: ``text_layer`` or the name of the OCR engine.
        regions: Parts of the page, when the layout model found them.
        doubtful: Whether somebody should look at the label first; `remarks` or `unread` say why.
        unread: Share of the text that was not read.
        remarks: Sentences about the page, such as a reduced resolution.
        letters_found: Letters and digits that were recognised; running heads and page numbers, which a label
            leaves out on purpose, are not counted. 0 where nothing was counted.
        letters_kept: How many of them are in the label.
    """

    markdown: str
    method: str
    regions: tuple[Region, ...] = ()
    doubtful: bool = False
    unread: float = 0.0
    remarks: tuple[str, ...] = ()
    letters_found: int = 0
    letters_kept: int = 0


class PageReader:
    """Reads pages with the same options; keeps the OCR engine loaded."""

    def __init__(self, options: OfflineOptions) -> None:
        self._options = options
        self._engine: OcrEngine | None = None

    def read(self, page: PageSource) -> PageText:
        """Read one page; its picture is used when there is no document.

        Raises:
            TeacherError: The page has no usable text, or is in a script that the engine cannot read.
            DocumentError: The document or the picture cannot be read.
        """
        if self._options.method != "ocr" and page.document is not None:
            layer = self._text_layer(page.document, page.page_index, page.password)
            if layer is not None:
                return layer
        elif self._options.method == "text_layer":
            raise TeacherError("A picture has no text layer.", "Use offline.method: auto or ocr.")
        return self._recognise(_drawn(page, self._options.dpi))

    def _text_layer(self, document: Path, page_index: int, password: str | None) -> PageText | None:
        """The text layer; None when OCR should be tried instead."""
        from ocrstudio.pdf.text_layer import read_text_layer

        layer = read_text_layer(document, page_index, password)
        if layer.usable:
            return PageText(
                layer.markdown,
                "text_layer",
                doubtful=layer.doubtful,
                remarks=layer.remarks,
                letters_found=layer.letters_found,
                letters_kept=layer.letters_kept,
            )
        if self._options.method == "text_layer":
            raise TeacherError(
                layer.reason, "Use offline.method: auto or ocr, which read the picture of the page."
            )
        return None

    def _recognise(self, drawn: PageImage) -> PageText:
        options = self._options
        if self._engine is None:
            self._engine = ENGINES[options.ocr_engine](EngineOptions(options.languages, options.threads))
        reading = self._engine.recognise(drawn.pixels, drawn.dpi)
        if not reading.lines:
            raise TeacherError(NO_TEXT, "If it is blank, exclude it.")
        try:
            unread = self._engine.check(reading.lines)
        except TeacherError as error:
            return self._read_elsewhere(drawn, error)
        lines, noise = _sorted_out(reading.lines, self._engine.min_score)
        arranged = self._arrange(self._engine, lines, reading.turn, drawn)
        if not arranged.markdown.strip():
            raise TeacherError(
                f"Text was seen on this page ({len(reading.lines)} lines), but none of it could be read.",
                "If it shows no text, exclude it; otherwise use a model server, or type the label.",
            )
        return PageText(
            arranged.markdown,
            options.ocr_engine,
            arranged.regions,
            is_doubtful(unread) or bool(arranged.remarks),
            unread,
            (*drawn.warnings, *arranged.remarks),
            arranged.letters_found + noise,
            arranged.letters_kept,
        )

    def _read_elsewhere(self, drawn: PageImage, error: TeacherError) -> PageText:
        """A page in a script that RapidOCR does not know, read by Tesseract where it has the language.

        Raises:
            TeacherError: The same again, where it is not installed, has no such language or cannot read it.
        """
        if self._options.ocr_engine != "rapidocr":
            raise error
        languages = languages_by_sight(drawn.pixels, drawn.dpi, self._options.languages)
        if not languages:
            raise error
        engine = TesseractEngine(languages)
        found = engine.recognise(drawn.pixels, drawn.dpi).lines
        unread = engine.check(found)
        lines, noise = _sorted_out(found, engine.min_score)
        arranged = arrangement.as_ordered(lines)
        if not arranged.letters_kept:
            raise error
        remark = f"RapidOCR does not know the script of this page; Tesseract ({'+'.join(languages)}) read it."
        counts = arranged.letters_found + noise, arranged.letters_kept
        return PageText(arranged.markdown, "tesseract", (), True, unread, (*drawn.warnings, remark), *counts)

    def _arrange(self, engine: OcrEngine, lines: list[OcrLine], turn: Turn, drawn: PageImage) -> Arranged:
        if engine.orders_itself:
            return arrangement.as_ordered(lines)
        order = self._options.reading_order
        if order == "columns" or not lines:
            return arrangement.in_columns(lines, turn)
        upright = turn.picture(drawn.pixels)
        rules = find_rules(upright, lines, median(line.height for line in lines))

        def third(text: str) -> Sequence[OcrLine]:
            return read_in_order(upright, drawn.dpi, text, self._options.languages)

        return arrangement.arrange(lines, rules, turn, drawn.dpi, order, third)


def _sorted_out(lines: Sequence[OcrLine], min_score: float) -> tuple[list[OcrLine], int]:
    """The lines that are text, and the letters of those whose score says that they are not."""
    noise = sum(len(letters(line.text)) for line in lines if line.score < min_score)
    return [line for line in lines if line.text and line.score >= min_score], noise


def _drawn(page: PageSource, dpi: int) -> PageImage:
    from ocrstudio.pdf import open_document

    source = page.document or page.image
    if source is None:
        raise TeacherError("The page has neither a document nor a picture.")
    with open_document(source, page.password) as opened:
        return opened.render(page.page_index if page.document is not None else 0, dpi, page.max_pixels)


def as_record(page: PageText) -> dict[str, Any]:
    """The page as JSON values."""
    return {
        "markdown": page.markdown,
        "method": page.method,
        "regions": [region_to_row(region) for region in page.regions],
        "doubtful": page.doubtful,
        "unread": round(page.unread, 3),
        "remarks": list(page.remarks),
        "letters_found": page.letters_found,
        "letters_kept": page.letters_kept,
    }
