"""Nested parts of a dataset: each in the next, the same ones every time, whole documents where that works."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocrstudio.datasets.subsets import nested_subsets

SHARES = (0.25, 0.5, 1.0)


def pages_of(documents):
    return [f"{name}_p{number}" for number, name in enumerate(documents)]


def names(subsets, pages):
    return [{pages[index] for index in part} for part in subsets.parts]


@given(
    st.lists(st.integers(1, 12), min_size=1, max_size=30).filter(lambda sizes: sum(sizes) >= 8),
    st.integers(0, 99),
)
def test_every_part_lies_in_the_next_and_the_last_is_everything(sizes, seed):
    documents = [f"d{number}" for number, size in enumerate(sizes) for _ in range(size)]
    pages = pages_of(documents)
    subsets = nested_subsets(documents, pages, SHARES, seed)
    quarter, half, whole = names(subsets, pages)
    assert quarter < half < whole == set(pages)
    assert subsets.pages == (len(quarter), len(half), len(whole))
    assert len(quarter) >= 0.125 * len(pages)
    assert len(quarter) <= round(0.25 * len(pages))
    assert len(half) <= round(0.5 * len(pages))
    if subsets.by == "document":
        for part in (quarter, half):
            inside = {documents[pages.index(page)] for page in part}
            assert part == {
                page for page, document in zip(pages, documents, strict=True) if document in inside
            }


def test_documents_stay_whole_where_there_are_enough_of_them():
    documents = [f"d{number}" for number in range(10) for _ in range(4)]
    subsets = nested_subsets(documents, pages_of(documents), SHARES, 1)
    assert subsets.by == "document"
    assert (subsets.pages, subsets.documents) == ((8, 20, 40), (2, 5, 10))


@pytest.mark.parametrize("documents", [["one"] * 16, ["a"] * 14 + ["b", "c", "d"]])
def test_one_document_or_unequal_ones_are_divided_by_page(documents):
    subsets = nested_subsets(documents, pages_of(documents), SHARES, 1)
    assert subsets.by == "page"
    assert subsets.pages[:2] == (4, 8)


def test_the_order_of_the_lines_changes_nothing_and_the_seed_does():
    documents = [f"d{number}" for number in range(12) for _ in range(3)]
    pages = pages_of(documents)
    first = names(nested_subsets(documents, pages, SHARES, 5), pages)
    order = list(range(len(pages)))
    random.Random(0).shuffle(order)
    mixed = [pages[index] for index in order]
    again = names(nested_subsets([documents[index] for index in order], mixed, SHARES, 5), mixed)
    assert again == first
    assert names(nested_subsets(documents, pages, SHARES, 6), pages) != first


def test_lines_of_one_page_stay_together():
    documents = ["one"] * 16
    pages = [f"p{number // 2}" for number in range(16)]
    subsets = nested_subsets(documents, pages, SHARES, 1)
    assert subsets.pages == (2, 4, 8)
    assert [len(part) for part in subsets.parts] == [4, 8, 16]


def test_too_few_pages_are_refused():
    with pytest.raises(ValueError, match="cannot be divided"):
        nested_subsets(["a", "b"], ["1", "2"], SHARES, 1)
