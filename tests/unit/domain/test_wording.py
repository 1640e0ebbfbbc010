import time

import pytest

from ocrstudio.domain.wording import count_of, duration, moment_in_words, size_of, some_of, time_left


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


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (41.6, "42 s"), (60, "1 min 00 s"), (425, "7 min 05 s"), (12_000, "3 h 20 min")],
)
def test_a_length_of_time_has_two_units_at_most(seconds, words):
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "about 1 s left"),
        (41.6, "about 42 s left"),
        (110, "about 1 min 50 s left"),
        (130, "about 2 min left"),
        (4_000, "about 1 h 07 min left"),
    ],
)
def test_an_estimate_is_rounded_where_seconds_mean_nothing(seconds, words):
    assert time_left(seconds) == words


def test_of_a_long_list_the_first_names_are_said():
    assert some_of(["a", "b"], 2) == "a, b"
    assert some_of(["a", "b", "c", "d"], 2) == "a, b and 2 more"


@pytest.mark.parametrize(
    ("then", "words"),
    [
        ((2026, 11, 26, 14, 5, 9), "14:05"),
        ((2026, 3, 2, 14, 5, 9), "2 Mar 14:05"),
        ((2025, 11, 26, 14, 5, 9), "26 Nov 2025 14:05"),
    ],
)
def test_a_moment_says_as_much_of_the_date_as_is_needed(then, words):
    def unix(*clock):
        return time.mktime((*clock, 0, 0, -1))

    assert moment_in_words(unix(*then), unix(2026, 11, 26, 23, 0, 0)) == words
    assert moment_in_words(unix(*then), unix(2026, 11, 26, 23, 0, 0), seconds=True) == f"{words}:09"
