"""Rows, letters and contents, on the characters of a line as PyMuPDF gives them."""

import pytest

from ocrstudio.pdf.contents_list import contents_list, is_contents
from ocrstudio.pdf.font_symbols import sign_of
from ocrstudio.pdf.mending import mend_line
from ocrstudio.pdf.page_text import is_right_to_left
from ocrstudio.pdf.text_rows import rows_of, split_columns

LAM, ALEF_BELOW, ALEF, NOON = "\u0644", "\u0625", "\u0627", "\u0646"


def line(text, x0, x1, y=100.0, size=10.0):
    """A line of text between two places; its letters are of equal width, from the left."""
    width = (x1 - x0) / max(1, len(text))
    chars = [
        {
            "c": character,
            "origin": (x0 + number * width, y),
            "bbox": (x0 + number * width, y - size, x0 + (number + 1) * width, y),
        }
        for number, character in enumerate(text)
    ]
    box = (x0, y - size, x1, y)
    span = {
        "text": text, "chars": chars, "bbox": box, "origin": (x0, y), "size": size, "font": "Any",
        "flags": 0, "char_flags": 16, "alpha": 255, "block": 0, "line": 0, "dir": (1, 0),
    }  # fmt: skip
    return {"bbox": box, "dir": (1, 0), "spans": [span]}


def written(lines, right_to_left):
    return [
        " ".join(span["text"] for span in row["spans"]) for row in rows_of(lines, right_to_left=right_to_left)
    ]


def test_a_right_to_left_row_is_read_from_the_right_and_its_numbers_from_the_left():
    arabic = "\u062a\u0627\u0631\u064a\u062e"
    more = "\u0645\u062f\u0627\u0631\u06a9"
    parts = [
        line("19", 100, 112),
        line("/", 112, 115),
        line("09", 115, 127),
        line(more, 140, 180),
        line(arabic, 185, 230),
    ]
    assert written(parts, right_to_left=True) == [f"{arabic} {more} 19/09"]


def test_latin_words_inside_a_right_to_left_row_stay_in_their_order():
    before, after = "\u0644\u063a\u0629", "\u0648\u0635\u0641"
    parts = [
        line(after, 100, 130),
        line("deep", 140, 160),
        line("learning", 164, 200),
        line(before, 210, 240),
    ]
    assert written(parts, right_to_left=True) == [f"{before} deep learning {after}"]


def test_most_letters_decide_about_the_direction():
    assert is_right_to_left("\u0644\u063a\u0629 \u0648\u0635\u0641 \u0644\u063a\u0629 Python 123")
    assert not is_right_to_left("The word \u0644\u063a\u0629 means language, 2026")
    assert not is_right_to_left("2026")


def test_a_lam_alef_of_one_glyph_is_lam_first():
    # As MuPDF gives the ligature after it has turned the line round: its second letter has no width.
    text = line(ALEF + ALEF_BELOW + LAM + NOON, 0, 40)
    chars = text["spans"][0]["chars"]
    for char, (x0, x1) in zip(chars, ((30, 33), (30, 30), (24, 30), (20, 24)), strict=True):
        char["bbox"], char["origin"] = (x0, 90, x1, 100), (x0, 100)
    mend_line(text["spans"], set())
    assert "".join(char["c"] for char in text["spans"][0]["chars"]) == ALEF + LAM + ALEF_BELOW + NOON


@pytest.mark.parametrize(
    ("text", "hyphenated", "mended"),
    [
        ("con\u00adcentration", {"Any"}, "concentration"),  # a font that has hyphens: this one is soft
        ("well\u00adknown", set(), "well-known"),  # a font whose only hyphen is this one
        ("con\u00ad", set(), "con\u00ad"),  # at the end of its line; the next one goes on
        ("e\u21b5orts", set(), "efforts"),
        ("the \ue123 of", set(), "the  of"),
        ("\uf0b7 first", set(), "\u2022 first"),
        ("i\ue123j", set(), "i\ue123j"),
    ],
)
def test_letters_of_a_line_are_mended(text, hyphenated, mended):
    given = line(text, 0, 10 * len(text))
    mend_line(given["spans"], hyphenated)
    assert "".join(char["c"] for char in given["spans"][0]["chars"]) == mended


@pytest.mark.parametrize(
    ("character", "font", "sign"),
    [
        ("3", "ABCDEF+ZapfDingbats", "\N{CHECK MARK}"),
        ("l", "ZapfDingbats", "\N{BLACK CIRCLE}"),
        ("\uf0fc", "Wingdings-Regular", "\N{HEAVY CHECK MARK}"),
        ("\u00fe", "Wingdings", "\N{BALLOT BOX WITH CHECK}"),
        ("\uf061", "SymbolMT", "\N{GREEK SMALL LETTER ALPHA}"),
        ("\uf0b3", "Symbol", "\N{GREATER-THAN OR EQUAL TO}"),
        ("\uf032", "Symbol", "2"),
        ("3", "Helvetica", "3"),
        ("3", "Wingdings2", "3"),
        ("\N{CHECK MARK}", "Wingdings", "\N{CHECK MARK}"),
    ],
)
def test_fonts_of_signs_have_signs(character, font, sign):
    assert sign_of(character, font) == sign


def test_columns_of_sentences_are_columns_and_columns_of_numbers_are_rows():
    left = [line(f"a sentence of the left {number}", 50, 250, 100 + 12 * number) for number in range(5)]
    right = [line(f"a sentence of the right {number}", 280, 480, 100 + 12 * number) for number in range(5)]
    numbers = [line(f"{number * 37}", 280, 310, 100 + 12 * number) for number in range(5)]
    mixed = [part for pair in zip(left, right, strict=True) for part in pair]
    assert split_columns(mixed) == [left, right]
    assert len(split_columns(left + numbers)) == 1


def test_an_entry_of_the_contents_may_take_two_rows():
    rows = [
        "**1** Of vessels . . . . . . . 3",
        "2 Of their masters and of",
        "the cargo.....12",
        "Index ...... iv",
        "A-1 ..... A-2",
    ]
    assert is_contents(rows)
    assert contents_list(rows).splitlines() == [
        "- 1 Of vessels ..... 3",
        "- 2 Of their masters and of the cargo ..... 12",
        "- Index ..... iv",
        "- A-1 ..... A-2",
    ]
    assert not is_contents(["It was so ...", "that nobody knew ... 3", "what came next."])
