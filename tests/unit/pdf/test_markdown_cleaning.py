import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocrstudio.pdf import markdown_cleaning as cleaning


@pytest.mark.parametrize(
    ("step", "before", "after"),
    [
        (cleaning.normalise_characters, "of\ufb01ce e\u0301\u00adt\x07a\ufffd\u00a0b", "office \u00e9ta b"),
        (cleaning.compose_accents, "O\u02d8guz f\u00a8ur caf\u00b4e na\u00a8\u0131ve", "Oğuz für café naïve"),
        (cleaning.compose_accents, "garc\u00b8on \u02c6P \u02dcf", "garçon \u02c6P \u02dcf"),
        (cleaning.compose_accents, "l\u00b4eau à Paris", "l\u00b4eau à Paris"),
        (cleaning.unwrap_decoration, "a <mark>b</mark> <u>c</u> <sup>2</sup>", "a b c <sup>2</sup>"),
        (cleaning.plain_symbols, "_{_ 0 _,_ 1 _}_ _in_ snake_case_ __", "{ 0 , 1 } _in_ snake_case_ __"),
        (cleaning.close_up_punctuation, "a<sup>2</sup> , b<sub>1</sub> c", "a<sup>2</sup>, b<sub>1</sub> c"),
        (cleaning.close_up_punctuation, "( _X_ , **Y** ) : **Z** , _|C|_ .", "(_X_, **Y**) : **Z**, _|C|_."),
        (cleaning.unbold_headings, "## **1 One** two\n**bold** text", "## 1 One two\n**bold** text"),
        (cleaning.drop_picture_notes, "a\n**==> picture [3 x 4] intentionally omitted <==**\nb", "a\n\nb"),
        (cleaning.drop_empty_tables, "a\n\n|||\n|---|---|\n|||\n\nb", "a\n\nb"),
        (cleaning.drop_empty_tables, "|a|\n|---|\n||", "|a|\n|---|\n||"),
        (cleaning.tidy_lines, "\n\na  \n\n\n\nb\t\n\n", "a\n\nb\n"),
        (cleaning.tidy_lines, " \n\n", ""),
    ],
)
def test_each_step(step, before, after):
    assert step(before) == after


def test_text_in_a_picture_is_kept_unless_the_page_says_it_elsewhere():
    before = (
        "Sales rose.\n\n<!-- Start of picture text -->\nSales  rose<br>North<br><br>South<br>"
        "<!-- End of picture text -->\n\nEnd."
    )
    assert cleaning.clean_markdown(before) == "Sales rose.\n\nNorth\nSouth\n\nEnd.\n"


@given(st.text(alphabet="ab *#|<>u/\n-_é", max_size=60))
def test_cleaning_twice_changes_nothing_more_and_loses_no_letter(text):
    once = cleaning.clean_markdown(text)
    assert cleaning.tidy_lines(once) == once
    kept = cleaning.unwrap_decoration(text)
    assert [c for c in once if c in "abé"] == [c for c in kept if c in "abé"]


def test_cells_that_a_narrow_column_broke_are_one_line_again():
    table = "|**In the**<br>**label**|Remark|\n|---|---|\n|Title of the<br>document|once|\n\nkept<br>here\n"
    assert cleaning.clean_markdown(table) == (
        "|**In the label**|Remark|\n|---|---|\n|Title of the document|once|\n\nkept<br>here\n"
    )


def test_a_page_of_blank_lines_is_empty():
    assert cleaning.clean_markdown(" \n" * 100_000) == ""  # in one pass


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("the con\u00ad centration", "the concentration"),
        ("the con\u00ad\ncentration", "the concentration"),
        ("**con\u00ad** **centration**", "**concentration**"),
        (
            "\ufefb \ufe8e\ufedf\ufecc\ufeae\ufe91\ufef4\ufe94",
            "\u0644\u0627 \u0627\u0644\u0639\u0631\u0628\u064a\u0629",
        ),
        ("\u200f\u0645\u06cc\u200c\u0634\u0648\u062f", "\u0645\u06cc\u200c\u0634\u0648\u062f"),
    ],
)
def test_soft_hyphens_join_and_presentation_forms_become_letters(given, expected):
    assert cleaning.normalise_characters(given) == expected
