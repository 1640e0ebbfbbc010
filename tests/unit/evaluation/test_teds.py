import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocrstudio.evaluation.reading_order import compare_reading_order
from ocrstudio.evaluation.tables import Cell
from ocrstudio.evaluation.teds import page_teds, teds

cells = st.builds(Cell, st.text(alphabet="ab", max_size=3), st.integers(1, 2), st.integers(1, 2))
tables = st.lists(st.lists(cells, max_size=4).map(tuple), min_size=1, max_size=4).map(tuple)


def table(*rows):
    return tuple(tuple(Cell(text) for text in row.split()) for row in rows)


@given(tables, tables)
def test_similarity_is_symmetric_bounded_and_one_for_equal_tables(left, right):
    similarity = teds(left, right)
    assert similarity == pytest.approx(teds(right, left))
    assert 0 <= similarity <= 1
    assert teds(left, left) == 1
    assert (similarity == 1) == (left == right)


@pytest.mark.parametrize(
    ("left", "right", "similarity"),
    [
        (table("a b", "c d"), table("a b", "c x"), 1 - 1 / 7),
        (table("a b", "c d"), table("a b"), 1 - 3 / 7),
        (table("a b", "c d"), table("a b", "e f", "c d"), 1 - 3 / 10),
        (table("abcd"), table("abcx"), 1 - 0.25 / 3),
        (((Cell("a", columns=2),),), ((Cell("a"),),), 1 - 1 / 3),
    ],
)
def test_similarity_by_hand(left, right, similarity):
    assert teds(left, right) == pytest.approx(similarity)


def test_html_and_pipe_tables_compare_and_missing_tables_count():
    pipe = "|a|b|\n|---|---|\n|c|d|"
    html = "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>"
    assert page_teds(pipe, html) == 1
    assert page_teds(f"{pipe}\n\ntext\n\n{pipe}", pipe) == 0.5
    assert page_teds(pipe, "no table") == 0
    assert page_teds("none", "none") is None


@pytest.mark.timeout(60)
def test_a_runaway_table_can_be_scored():
    long = tuple(tuple(Cell(f"{row}{column}") for column in range(6)) for row in range(1500))
    assert teds(long[:400], long) == pytest.approx(400 / 1500, abs=0.01)


def test_reading_order():
    first, second, third = "The first paragraph.", "Something else here.", "And a third one, last."
    text = f"{first}\n\n{second}\n\n{third}"
    same = compare_reading_order(text, text.replace("first", "frist"))
    assert (same.agreement, same.matched, same.paragraphs) == (1, 3, 3)
    assert compare_reading_order(text, f"{third}\n\n{second}\n\n{first}").agreement == 0
    assert compare_reading_order(text, f"{second}\n\n{first}\n\n{third}").agreement == pytest.approx(2 / 3)
    lost = compare_reading_order(text, "entirely unlike")
    assert (lost.agreement, lost.matched) == (1, 0)
    assert compare_reading_order("", "x").paragraphs == 0
