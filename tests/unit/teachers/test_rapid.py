import numpy as np
import pymupdf
import pytest

from ocrstudio.domain.errors import TeacherError
from ocrstudio.pdf import open_document
from ocrstudio.teachers.offline.detector import prepared_by_table
from ocrstudio.teachers.offline.rapid import RapidEngine
from ocrstudio.teachers.offline.recogniser import LineRecogniser
from tests.fakes.pdfs import text_pdf


def test_upright_lines_stay_upright_and_a_page_upside_down_is_read_too(tmp_path) -> None:
    """RapidOCR's own classifier turned the last line of this page upside down and read ``har r r se``."""
    with open_document(text_pdf(tmp_path / "ledger.pdf")) as document:
        pixels = document.render(0, dpi=100).pixels[:400]
    engine = RapidEngine(threads=1)
    upright = engine.recognise(pixels, 100)
    turned = engine.recognise(np.ascontiguousarray(np.rot90(pixels, 2)), 100)
    assert [line.text.count("harbour office keeps a ledger") for line in upright.lines] == [0, *[1] * 6]
    assert [line.text for line in turned.lines[::-1]] == [line.text for line in upright.lines]
    assert (upright.turn.quarters, turned.turn.quarters) == (0, 2)


def test_a_strip_is_refused_in_a_sentence() -> None:
    with pytest.raises(TeacherError, match="of 20 x 20,000 pixels: it is a mere strip"):
        RapidEngine(threads=1).recognise(np.full((20_000, 20, 3), 255, np.uint8), 200)


def test_lines_read_two_at_a_time_have_the_text_and_scores_of_rapidocr(tmp_path) -> None:
    """Their padding is the same, so that a draft does not depend on the number of cores."""
    from rapidocr import RapidOCR

    engine = RapidOCR(params={"Global.log_level": "critical", "Global.use_cls": False})
    with open_document(text_pdf(tmp_path / "ledger.pdf", text=LEDGER)) as document:
        picture = np.ascontiguousarray(document.render(0, dpi=100).pixels[:900, :, ::-1])
    crops, _ = engine.detect_and_crop(*engine.preprocess_img(picture))
    expected = engine.recognize_txt(crops)
    assert len(crops) > 7  # more than one group of those that are padded alike, of different widths
    assert LineRecogniser(engine, threads=2).read(crops) == [
        (text, pytest.approx(score, abs=1e-9))
        for text, score in zip(expected.txts, expected.scores, strict=True)
    ]
    assert LineRecogniser(engine, threads=1).read([]) == []


LEDGER = "\n".join(
    f"{number}. " + "The harbour office keeps a ledger. " * (number % 3 + 1) for number in range(9)
)


def test_the_detector_sees_the_very_picture_that_rapidocr_would_give_it() -> None:
    from rapidocr.ch_ppocr_det.utils import DetPreProcess

    theirs = DetPreProcess(limit_side_len=736, limit_type="min", mean=[0.5, 0.4, 0.3], std=[0.5, 0.2, 0.1])
    picture = np.random.default_rng(1).integers(0, 256, (150, 210, 3), dtype=np.uint8)
    prepared = prepared_by_table(theirs)(picture)
    assert prepared is not None
    assert prepared.dtype == np.float32
    np.testing.assert_array_equal(prepared, theirs(picture))


class Counting(RapidEngine):
    """Knows how many lines it was given to read."""

    lines_read = 0

    def _recognise(self, crops, numbers, *, turned=False):
        self.lines_read += len(numbers)
        return super()._recognise(crops, numbers, turned=turned)


def test_a_page_in_an_unknown_script_is_refused_after_its_longest_lines(tmp_path) -> None:
    with pymupdf.open() as document:
        page = document.new_page(width=300, height=400)
        page.insert_htmlbox((20, 20, 280, 390), f"<p style='font-size: 9pt'>{KOREAN * 18}</p>")
        page.insert_text((20, 395), "02-788-4582, ja0512@assembly.go.kr, 1 Uisadang-daero, Seoul", fontsize=9)
        document.save(tmp_path / "korean.pdf")
    with open_document(tmp_path / "korean.pdf") as document:
        pixels = document.render(0, dpi=150).pixels
    engine = Counting(threads=1)
    lines = engine.recognise(pixels, 150).lines
    # Eight are read both ways to find out how the page lies; nothing else is read twice, or at all when it
    # cannot change the answer.
    assert engine.lines_read == len(lines) + 8
    assert len(lines) <= 16
    with pytest.raises(TeacherError, match="this looks like a script it does not know"):
        engine.check(lines)


KOREAN = "서울은 대한민국의 수도이며 가장 큰 도시이다. 항구 사무소는 배의 이름을 장부에 적는다. "


def test_a_page_whose_second_half_stands_on_its_head_is_read_whole(tmp_path) -> None:
    with open_document(text_pdf(tmp_path / "ledger.pdf", text=LEDGER)) as document:
        half = document.render(0, dpi=100).pixels[150:600]
    sheet = np.concatenate([half, np.rot90(half, 2)])
    engine = RapidEngine(threads=1)
    lines = engine.recognise(np.ascontiguousarray(sheet), 100).lines
    assert engine.check(lines) == 0
    upper = [line.text for line in lines if line.y1 < len(half)]
    assert upper[0].startswith("0. The harbour office")
    assert sorted(line.text for line in lines if line.y0 > len(half)) == sorted(upper)
