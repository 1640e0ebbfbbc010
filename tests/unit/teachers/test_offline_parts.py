"""Reading order and readability of recognised lines; no engine is loaded."""

from pathlib import Path

import pytest
from PIL import Image

from ocrstudio.domain.errors import TeacherError
from ocrstudio.teachers.base import PageSource
from ocrstudio.teachers.offline.lines import (
    OcrLine,
    Reading,
    check_confident,
    check_greek,
    check_readable,
    is_doubtful,
)
from ocrstudio.teachers.offline.page import OfflineOptions, PageReader, as_record
from ocrstudio.teachers.offline.reading_order import paragraphs, to_markdown
from ocrstudio.teachers.offline.turn import Turn


def line(
    text: str, x: float, y: float, *, width: float = 400, score: float = 0.99, name: str = ""
) -> OcrLine:
    return OcrLine(text, score, x, y, x + width, y + 20, name)


LATIN = "The quick brown fox jumps over the lazy dog"


def test_two_columns_are_read_one_after_the_other() -> None:
    lines = [line(f"left {row}", 50, 100 + 30 * row) for row in range(4)]
    lines += [line(f"right {row}", 500, 100 + 30 * row) for row in range(4)]
    mixed = sorted(lines, key=lambda item: item.y0)
    assert to_markdown(mixed).split() == " ".join(item.text for item in lines).split()


def test_a_title_across_both_columns_comes_first() -> None:
    lines = [
        line("left", 50, 200),
        line("right", 500, 200),
        line("left 2", 50, 230),
        line("right 2", 500, 230),
    ]
    title = line("Title", 50, 100, width=850)
    assert to_markdown([*lines, title]) == "Title\n\nleft\nleft 2\n\nright\nright 2\n"


def test_paragraphs_are_separated_by_white_space() -> None:
    lines = [line("one", 50, 100), line("two", 50, 125), line("three", 50, 200)]
    assert to_markdown(lines) == "one\ntwo\n\nthree\n"


def test_pieces_of_one_row_are_joined_from_left_to_right() -> None:
    lines = [line("b", 256, 102, width=200), line("a", 50, 100, width=200), line("c", 50, 125)]
    assert to_markdown(lines) == "a b\nc\n"


def test_no_lines_give_no_text() -> None:
    assert to_markdown([]) == ""
    assert paragraphs([]) == ""


def test_an_engine_that_orders_itself_keeps_its_paragraphs() -> None:
    lines = [line("a", 0, 0, name="1.1"), line("b", 0, 30, name="1.1"), line("c", 0, 60, name="1.2")]
    assert paragraphs(lines) == "a\nb\n\nc\n"


def test_a_page_that_was_read_passes() -> None:
    share = check_readable([line(LATIN, 0, 30 * row) for row in range(20)], "RapidOCR", "")
    assert share == 0
    assert not is_doubtful(share)


@pytest.mark.parametrize(
    "unread",
    [
        pytest.param(line("", 0, 0, score=0.0), id="seen-but-not-read"),
        pytest.param(line("ρ百 2 -72", 0, 0, score=0.62), id="low-score"),
        pytest.param(line(". ,   ", 0, 0, score=0.98), id="high-score-for-almost-nothing"),
    ],
)
def test_a_script_the_engine_does_not_know_is_a_sentence(unread: OcrLine) -> None:
    lines = [line(LATIN, 0, 30)] * 3 + [unread]
    with pytest.raises(TeacherError) as caught:
        check_readable(lines, "RapidOCR", "Use Tesseract.")
    assert "could not read 1 of the 4 lines it tried (25% of their text)" in caught.value.message
    assert caught.value.hint == "Use Tesseract."


def test_a_few_unread_lines_make_a_page_doubtful() -> None:
    share = check_readable([line(LATIN, 0, 30)] * 9 + [line("", 0, 0, score=0.0)], "RapidOCR", "")
    assert is_doubtful(share)


def test_chinese_and_single_digits_count_as_read() -> None:
    chinese = OcrLine("这是一个中文测试文本", 0.99, 0, 0, 200, 20)
    digit = OcrLine("7", 0.99, 0, 0, 10, 20)
    assert check_readable([chinese, digit], "RapidOCR", "") == 0


def test_greek_text_is_refused_and_greek_letters_in_formulas_are_not() -> None:
    greek = "\u03b1\u03bb\u03b7\u03bc\u03c1\u03b1 \u03b1\u03c5\u03c4 \u03b5\u03b9\u03bd\u03b1\u03b9"
    with pytest.raises(TeacherError, match="Greek"):
        check_greek([line(greek, 0, 0)], "")
    check_greek([line("where \u03b1 and \u03b2 are the parameters of the model", 0, 0)], "")


def test_tesseract_is_refused_only_where_it_read_nothing() -> None:
    """Half of the lines of narrow columns on coloured ground are below .6 and right all the same."""
    sure, unsure = line(LATIN, 0, 0, score=0.9), line(LATIN, 0, 40, score=0.45)
    share = check_confident([sure, unsure], "Tesseract (eng)", "")
    assert share == 0.5
    assert is_doubtful(share)
    with pytest.raises(TeacherError, match=r"could not read 4 of 5 lines \(80% of the text\)"):
        check_confident([sure, *[unsure] * 4], "Tesseract (eng)", "")


class _Fixed:
    """An engine with given lines: what no real page makes on demand."""

    orders_itself = True
    min_score = 0.5

    def __init__(self, lines: tuple[OcrLine, ...]) -> None:
        self._lines = lines

    def recognise(self, pixels: object, dpi: float) -> Reading:
        return Reading(self._lines, Turn(100, 100))

    def check(self, lines: object) -> float:
        return 0.0


def test_an_empty_label_is_a_failed_page_and_letters_are_counted(tmp_path: Path) -> None:
    picture = tmp_path / "page.png"
    Image.new("RGB", (100, 100), "white").save(picture)
    reader = PageReader(OfflineOptions("ocr", "tesseract", ("eng",), "auto", 200, 1))
    reader._engine = _Fixed((line("noise", 0, 0, score=0.3),))
    with pytest.raises(TeacherError, match="none of it could be read"):
        reader.read(PageSource("page", document=picture))
    reader._engine = _Fixed((line("noise", 0, 0, score=0.3), line("two words", 0, 40)))
    record = as_record(reader.read(PageSource("page", document=picture)))
    assert (record["letters_found"], record["letters_kept"]) == (13, 8)
