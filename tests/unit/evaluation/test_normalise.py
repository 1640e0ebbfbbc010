import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocrstudio.evaluation.normalise import Normalisation, strip_markup
from ocrstudio.evaluation.tables import html_tables_to_pipe, parse_html_table, parse_table


@pytest.mark.parametrize(
    ("options", "left", "right"),
    [
        ({}, "e\u0301t\u00e9", "\u00e9te\u0301"),
        ({}, "a  b\n\n\nc ", "a b\nc"),
        ({"white_space": "remove"}, "a b\nc", "abc"),
        ({"unicode_form": "NFKC"}, "\ufb01n \uff11", "fin 1"),
        ({"fold_case": True}, "STRASSE", "straße"),
        ({"strip_markup": True}, "# A **b** _c_\n\n- d\n> e `f`", "A b c\nd\ne f"),
        ({"strip_markup": True}, "so \\( a_1 \\), $$b$$ and $c$.", "so a_1, b and c."),
        ({"strip_markup": True}, "hard\\\nbreak", "hard\nbreak"),
        ({"strip_markup": True}, "|a|b|\n|---|---|\n|c|d|", "a b\nc d"),
        ({"white_space": "flat"}, "a soft\nbreak\n\nend", "a soft break end"),
        ({"white_space": "flat"}, "\u7b2c\u4e00\n\u884c", "\u7b2c\u4e00\u884c"),
        ({"white_space": "flat"}, "\ud55c\uad6d\n\uc5b4", "\ud55c\uad6d \uc5b4"),
        ({"letters_only": True}, "a, b: 3.5 (c)!", "a b 35 c"),
        (
            {"strip_emphasis": True, "ascii_marks": True},
            "\u201cso\u201d \u2013 **bold** _it_ <b>x</b>",
            '"so" - bold it x',
        ),
        (
            {"unify_tables": True},
            "<table><tr><th>a</th><th>b</th></tr><tr><td>c</td><td>d</td></tr></table>",
            "|a|b|\n|---|---|\n|c|d|",
        ),
    ],
)
def test_options_make_texts_equal(options, left, right):
    rules = Normalisation(**options)
    assert rules.apply(left) == rules.apply(right)


@pytest.mark.parametrize(
    "text",
    ["3 * 4 * 5", "snake_case_name", "a < b > c", "5 - 3", "x_1 and y_2", "#hashtag", "$5 or $6", "a \\$ b"],
)
def test_characters_that_are_no_markup_stay(text):
    assert strip_markup(text) == text


@given(st.text(max_size=60))
def test_normalising_twice_changes_nothing_more(text):
    rules = Normalisation()
    assert rules.apply(rules.apply(text)) == rules.apply(text)


def test_the_rules_are_stated_in_words_and_survive_json():
    rules = Normalisation(strip_markup=True, unify_tables=True)
    assert rules.describe() == "NFC, tables unified, markup stripped, white space collapsed"
    assert Normalisation.from_dict(rules.to_dict()) == rules


def test_spans_keep_the_cells_in_their_columns():
    html = (
        "<table><tr><td rowspan=2>a</td><td colspan='2'>b|c</td></tr>"
        "<tr><td>d</td><td>e<br>f</td></tr><tr><td>g</td><td>h</td><td>i</td></tr></table>"
    )
    assert html_tables_to_pipe(f"x {html} y") == "x |a|b\\|c||\n|---|---|---|\n||d|e f|\n|g|h|i| y"


def test_broken_html_and_pipe_tables_are_read():
    rows = [[cell.text for cell in row] for row in parse_table("<table><tr><td>e<td>f<tr><td>g</table>")]
    assert rows == [["e", "f"], ["g"]]
    assert [[cell.text for cell in row] for row in parse_table("|a|b|\n|---|---|\n|c|d|")] == [
        ["a", "b"],
        ["c", "d"],
    ]


@given(st.text(alphabet="<table>/rd colspan=\"9'&;", max_size=80))
def test_no_broken_html_raises(text):
    parse_html_table(f"<table>{text}")
