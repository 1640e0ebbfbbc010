"""From recognised lines to a label: order, tables, what is never lost. The layout model is the real one."""

from collections.abc import Sequence

import numpy as np
import pytest

from ocrstudio.teachers.offline import arrangement
from ocrstudio.teachers.offline.agreement import kendall_tau
from ocrstudio.teachers.offline.doubts import doubts, has_formulas
from ocrstudio.teachers.offline.grid import table_from_rules
from ocrstudio.teachers.offline.headings import relevel
from ocrstudio.teachers.offline.layout import Block
from ocrstudio.teachers.offline.lines import OcrLine
from ocrstudio.teachers.offline.ordering import choose, extent
from ocrstudio.teachers.offline.placing import count_kept, lost_lines, place_lines
from ocrstudio.teachers.offline.reading_order import to_markdown
from ocrstudio.teachers.offline.rules import Rule, find_rules
from ocrstudio.teachers.offline.scripts import fitting_languages, seen_languages
from ocrstudio.teachers.offline.table_text import tidy_tables
from ocrstudio.teachers.offline.turn import Turn

PAGE = Turn(1654, 2339)
WORDS = "the keeper of the harbour writes down every ship and its cargo in a ledger that nobody else may open"


def line(text: str, x: float, y: float, width: float = 600, height: float = 32) -> OcrLine:
    return OcrLine(text, 0.99, x, y, x + width, y + height)


def column(name: str, x: float, y: float, rows: int, width: float = 600) -> list[OcrLine]:
    words = WORDS.split()
    texts = (f"{name}{row} " + " ".join(words[row % 9 : row % 9 + 7]) for row in range(rows))
    return [line(text, x, y + 40 * row, width) for row, text in enumerate(texts)]


def nobody(text: str) -> Sequence[OcrLine]:
    return ()


def names(text: str) -> list[str]:
    return [word for word in text.split() if word[:1].isupper() and word[1:].isdigit()]


def test_columns_whose_boxes_touch_are_still_columns() -> None:
    left, right = column("L", 100, 300, 8, 640), column("R", 750, 300, 8, 660)  # 10 pixels apart
    across = line("The whole width of the page has this title", 100, 200, 1300)
    merged = OcrLine("L9 one line of both columns R9", 0.99, 100, 260, 1410, 292)
    mixed = sorted([*left, *right, across, merged], key=lambda item: item.y0)
    text = to_markdown(mixed)
    assert text.startswith("The whole width")
    assert names(text) == ["L9", "R9", *(f"L{n}" for n in range(8)), *(f"R{n}" for n in range(8))]


def test_a_caption_in_the_gutter_does_not_tear_the_columns_apart() -> None:
    left, right = column("L", 100, 300, 12), column("R", 800, 300, 12)
    caption = [line(f"C{n} caption", 640, 500 + 40 * n, 220) for n in range(3)]
    for number in range(5, 8):  # the text makes room for it
        left[number] = line(left[number].text, 100, left[number].y0, 520)
        right[number] = line(right[number].text, 880, right[number].y0, 520)
    text = to_markdown(sorted([*left, *right, *caption], key=lambda item: item.y0))
    expected = [*(f"L{n}" for n in range(12)), *(f"R{n}" for n in range(12)), "C0", "C1", "C2"]
    assert names(text) == expected


def test_agreement_of_two_orders() -> None:
    same = {0: 1.0, 1: 2.0, 2: 3.0}
    assert kendall_tau(same, same) == 1
    assert kendall_tau(same, {0: 3.0, 1: 2.0, 2: 1.0}) == -1
    assert kendall_tau(same, {0: 1.0, 1: 3.0, 2: 2.0, 7: 0.0}) == pytest.approx(1 / 3)
    assert kendall_tau({}, same) == 1


def blocks_of(lines: Sequence[OcrLine], size: int = 1) -> list[Block]:
    groups = [lines[start : start + size] for start in range(0, len(lines), size)]
    return [Block("text", " ".join(item.text for item in group), extent(group)) for group in groups]


def test_columns_win_over_a_layout_that_reads_across_them_and_the_page_says_so() -> None:
    left, right = column("L", 100, 300, 8), column("R", 800, 300, 8)
    across = [item for pair in zip(left, right, strict=True) for item in pair]
    blocks = blocks_of(across)
    places = place_lines(across, blocks)
    chosen, remarks = choose(blocks, across, places, nobody)
    assert [block.markdown for block in chosen] == [item.text for item in (*left, *right)]
    assert remarks == ["Two readings of this page disagree about its order; the text follows its columns."]
    # A third reader that sees the columns, too, takes the doubt away; one that confirms the layout wins.
    assert choose(blocks, across, places, lambda text: (*left, *right)) == (chosen, [])
    assert choose(blocks, across, places, lambda text: across) == (blocks, [])


def test_lines_that_the_layout_lost_are_found_by_their_letters() -> None:
    lines = [
        line("The quick brown fox", 100, 100),
        line("jumps over", 100, 140),
        line("the lazy dog", 100, 180),
    ]
    blocks = blocks_of([lines[0], lines[2]])
    places = place_lines(lines, blocks)
    assert [place is None for place in places] == [False, True, False]
    assert lost_lines(lines, places, blocks) == [1]
    # Words of a line may stand apart in the text: nothing is lost then.
    torn = [Block("text", "The quick jumps brown over fox the lazy dog", (0, 0, 900, 300))]
    assert lost_lines(lines, place_lines(lines, torn), torn) == []
    assert count_kept("aab 1", "<td>ba</td>1") == 3


def test_equal_lines_keep_their_own_places() -> None:
    lines = [line("again and again", 100, 100 + 40 * row) for row in range(3)]
    block = Block("text", "again and again again and again again and again", (90, 90, 800, 300))
    offsets = [place.offset for place in place_lines(lines, [block]) if place is not None]
    assert offsets == [0, 13, 26]


@pytest.mark.parametrize("y", [120, 2200])
def test_a_page_with_nothing_but_a_head_or_a_foot_keeps_it(y: int) -> None:
    lines = [line("Minutes continued on the next sheet", 60, y, 660)]
    arranged = arrangement.arrange(lines, (), PAGE, 200, "auto", nobody)
    assert "Minutes continued on the next sheet" in arranged.markdown
    assert arranged.letters_found == arranged.letters_kept == 30
    assert arranged.remarks == ()
    box = arranged.regions[0].boxes[0]
    assert box.y0 < (y + 16) / 2339 < box.y1


def test_running_heads_are_left_out_and_not_counted() -> None:
    body = column("B", 150, 300, 30, 1300)
    lines = [line("Annual report of the harbour 2024", 150, 60, 700), *body]
    arranged = arrangement.arrange(lines, (), PAGE, 200, "auto", nobody)
    assert names(arranged.markdown) == [f"B{n}" for n in range(30)]
    assert arranged.letters_found == arranged.letters_kept


def table_page() -> tuple[list[OcrLine], list[Rule]]:
    xs, ys = [200.0, 600.0, 900.0, 1200.0], [600.0 + 60 * row for row in range(6)]
    rules = [Rule(xs[0], y, xs[-1], y, 3) for y in ys] + [Rule(x, ys[0], x, ys[-1], 3) for x in xs]
    cells = [
        ("Ship", "Tons", "Fee"), ("Aurora", "412", "1,236"), ("Bellona", "1,180", "3,540"),
        ("Corvus", "655", "1,965"), ("Dorothea", "98", "294"),
    ]  # fmt: skip
    lines = [
        OcrLine(text, 0.99, xs[column] + 15, ys[row] + 14, xs[column] + 15 + 18 * len(text), ys[row] + 46)
        for row, texts in enumerate(cells)
        for column, text in enumerate(texts)
    ]
    return lines, rules


def test_a_ruled_table_is_a_table_and_one_that_was_read_as_text_is_flagged() -> None:
    lines, rules = table_page()
    arranged = arrangement.arrange(lines, rules, PAGE, 200, "auto", nobody)
    assert "|Ship|Tons|Fee|\n|---|---|---|\n|Aurora|412|1,236|\n|Bellona|1,180|3,540|" in arranged.markdown
    assert arranged.remarks == ()
    flat = blocks_of(lines)
    (remark,) = doubts(flat, lines, rules, 60, " ".join(item.text for item in lines))
    assert remark == "The page shows a table that was read as plain text."


def test_cells_of_a_ruled_table_span_columns_and_rows() -> None:
    rules = [
        Rule(100, 200, 800, 200),
        Rule(400, 260, 800, 260),
        Rule(100, 320, 800, 320),
        Rule(100, 380, 800, 380),
    ]
    rules += [Rule(x, 200, x, 380) for x in (100, 400, 800)] + [Rule(600, 260, 600, 380)]
    places = {"Quay": (110, 245), "Ships": (410, 215), "in": (410, 275), "out": (610, 275)}
    places |= {"North": (110, 335), "41": (410, 335), "39": (610, 335)}
    lines = [line(text, x, y, 18 * len(text), 30) for text, (x, y) in places.items()]
    table = table_from_rules((110, 215, 700, 365), lines, rules, 30)
    assert table == (
        '<table><tr><td rowspan="2">Quay</td><td colspan="2">Ships</td></tr><tr><td>in</td><td>out</td></tr>'
        "<tr><td>North</td><td>41</td><td>39</td></tr></table>"
    )
    open_rows = [
        rule for rule in rules if rule.y0 != 320
    ]  # two rows of text in one cell are not one cell's text
    stacked = [line(f"{x}{row}", x + 10, 265 + 35 * row, 90, 30) for x in (100, 400, 600) for row in range(3)]
    assert table_from_rules((110, 215, 700, 365), stacked, open_rows, 30) is None
    assert table_from_rules((110, 215, 700, 365), lines, rules[:4], 30) is None


def test_rules_are_found_and_letters_frames_and_drawings_are_none() -> None:
    pixels = np.full((900, 1400, 3), 245, np.uint8)
    for y in range(300, 601, 60):
        pixels[y : y + 3, 200:1200] = 30
    for x in (200, 700, 1199):
        pixels[300:603, x : x + 3] = 30
    pixels[100:103, 220:420] = 30  # a bar through the letters of a line
    pixels[700:703, 200:600] = pixels[850:853, 200:600] = 30  # an empty frame
    pixels[700:853, 200:203] = pixels[700:853, 597:600] = 30
    lines = [line("mmmmmmmmmm", 210, 85, 230)]
    lines += [line("cell", x, 312 + 60 * row, 100) for row in range(5) for x in (220, 720)]
    rules = find_rules(pixels, lines, 32)
    assert sum(rule.is_level for rule in rules) == 6
    assert len(rules) == 9
    assert all(295 < rule.y0 < 610 for rule in rules)


def test_cells_that_span_stay_html_and_plain_tables_become_pipes() -> None:
    plain = "<table><tr><th>a<br/>b</th><th>c | d</th></tr><tr><td>1 &lt; 2</td><td></td></tr></table>"
    assert tidy_tables(plain) == "|a b|c \\| d|\n|---|---|\n|1 < 2||"
    spans = '<table><tr><th colspan="2">a</th></tr><tr><td>1</td><td>2</td></tr></table>'
    assert tidy_tables(spans) == '<table><tr><td colspan="2">a</td></tr><tr><td>1</td><td>2</td></tr></table>'


def test_headings_of_about_one_height_share_a_level_and_numbers_decide_deeper_ones() -> None:
    heights = {
        "# The harbour": 80,
        "## 1 Ships": 50,
        "# 1.1 Sail": 49,
        "### 1.2.1 Rigging": 47,
        "## 2 Quays": 52,
    }
    blocks = [
        Block("section-header", text, (100, 200 * n, 900, 200 * n + 100)) for n, text in enumerate(heights)
    ]
    lines = [line(text, 110, 200 * n + 5, 600, high) for n, (text, high) in enumerate(heights.items())]
    levels = [block.markdown.split(" ")[0] for block in relevel(blocks, lines)]
    assert levels == ["#", "##", "###", "####", "##"]


def test_formulas_make_a_page_doubtful() -> None:
    formulas = [line("x^2 + y^2 = z^2", 100, 100 + 50 * n) for n in range(3)]
    assert has_formulas([], formulas)
    assert not has_formulas([], column("T", 100, 100, 20))
    assert has_formulas([Block("formula", "E = mc", (0, 0, 1, 1))], [])
    (remark,) = doubts([], formulas, (), 12, "x2y2z2" * 2)
    assert "formulas" in remark


def test_languages_fit_the_scripts_of_a_page() -> None:
    installed = {"eng", "deu", "jpn", "chi_sim", "kor", "ara"}
    assert fitting_languages("plain English words", ["deu"], installed) == ("deu",)
    assert fitting_languages("plain English words", ["kor"], installed) == ("eng",)
    assert fitting_languages("港の事務所はすべての船", ["eng"], installed) == ("jpn",)
    assert fitting_languages("这是一个中文测试文本 with words", ["eng"], installed) == ("chi_sim", "eng")
    assert fitting_languages("Москва столица", ["eng"], installed) == ()
    assert seen_languages("Korean", ["eng"], installed) == ("kor", "eng")
    assert seen_languages("Cyrillic", ["eng"], installed) == ()
    assert seen_languages("Latin", ["eng"], installed) == ()
