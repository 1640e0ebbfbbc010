import pytest

from ocrstudio.domain.wording import count_of, size_of


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 pages"), (1, "1 page"), (2, "2 pages"), (20_000, "20,000 pages")]
)
def test_numbers_agree_with_their_nouns(number, words):
    assert count_of(number, "page") == words


@pytest.mark.parametrize(
    ("size", "words"), [(0, "0.0 MiB"), (3 * 2**20, "3.0 MiB"), (1.5 * 2**30, "1.5 GiB")]
)
def test_small_sizes_are_not_zero_of_a_large_unit(size, words):
    assert size_of(size) == words
