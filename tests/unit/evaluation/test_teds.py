import functools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocrstudio.evaluation.metrics import cer
from ocrstudio.evaluation.tables import Cell, html_table_spans, html_tables_to_pipe, parse_table
from ocrstudio.evaluation.teds import structure_of, teds

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


def naive_distance(left, right):
    """The definition: forests of (label, children), the last tree deleted, inserted or matched."""

    @functools.cache
    def forest(a, b):
        if not a or not b:
            return sum(1 + forest(children, ()) for _, children in a or b)
        (x, below_x), (y, below_y) = a[-1], b[-1]
        return min(
            forest(a[:-1] + below_x, b) + 1,
            forest(a, b[:-1] + below_y) + 1,
            forest(a[:-1], b[:-1]) + forest(below_x, below_y) + rename(x, y),
        )

    def rename(x, y):
        if isinstance(x, str) or isinstance(y, str) or (x.columns, x.rows) != (y.columns, y.rows):
            return float(x != y)
        return cer(y.text, x.text) if len(x.text) <= len(y.text) else cer(x.text, y.text)

    def tree(table):
        return (("table", tuple(("row", tuple((cell, ()) for cell in row)) for row in table)),)

    return forest(tree(left), tree(right))


@given(tables, tables)
def test_the_distance_is_that_of_the_definition(left, right):
    size = max(1 + sum(1 + len(row) for row in table) for table in (left, right))
    assert teds(left, right) == pytest.approx(max(0, 1 - naive_distance(left, right) / size))


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


def test_html_and_pipe_tables_compare():
    pipe = "|a|b|\n|---|---|\n|c|d|"
    html = "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>"
    assert teds(parse_table(pipe), parse_table(html)) == 1


def test_the_structure_is_compared_without_texts():
    left, right = table("a b", "c d"), table("x y", "z w")
    assert teds(left, right) < 0.6
    assert teds(structure_of(left), structure_of(right)) == 1
    assert teds(structure_of(left), structure_of(table("a b c", "d"))) < 1


def test_a_model_that_only_opens_tables_is_read_in_one_pass():
    text = "<table>" * 100_000  # minutes where every start looks for an end
    assert html_table_spans(text) == []
    assert html_tables_to_pipe(text) == text


def test_a_table_ends_at_the_first_end_tag():
    text = "a <TABLE><tr><td>b</td></tr></Table > c <table><tr><td>d</td></tr></table>e"
    assert html_tables_to_pipe(text) == "a |b|\n|---| c |d|\n|---|e"
    tables = [parse_table(text[start:end]) for start, end in html_table_spans(text)]
    assert [found[0][0].text for found in tables] == ["b", "d"]


@pytest.mark.timeout(60)
def test_a_runaway_table_can_be_scored():
    long = tuple(tuple(Cell(f"{row}{column}") for column in range(6)) for row in range(1500))
    assert teds(long[:400], long) == pytest.approx(400 / 1500, abs=0.01)
