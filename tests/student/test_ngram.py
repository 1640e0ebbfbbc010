"""The n-gram rule against a brute-force reading of its definition."""

import time

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ocrstudio.student.ngram import NGramHistory, WindowedNoRepeatNGram


def banned_by_definition(output: list[int], n: int, window: int) -> set[int]:
    """Every token that followed the last n - 1 tokens anywhere in the last ``window`` tokens."""
    if len(output) < n:
        return set()
    recent = output[-window:]
    prefix = output[-(n - 1) :]
    return {recent[i + n - 1] for i in range(len(recent) - n + 1) if recent[i : i + n - 1] == prefix}


@settings(max_examples=200, deadline=None)
@given(
    output=st.lists(st.integers(0, 3), max_size=60),
    n=st.integers(2, 5),
    extra=st.integers(0, 30),
)
def test_history_equals_the_definition_after_every_token(output, n, extra):
    history = NGramHistory(n, n + extra)
    for end, token in enumerate(output, start=1):
        history.append(token)
        assert history.banned() == banned_by_definition(output[:end], n, n + extra)


@settings(max_examples=50, deadline=None)
@given(
    rows=st.integers(1, 3).flatmap(
        lambda b: st.lists(st.lists(st.integers(0, 4), min_size=12, max_size=12), min_size=b, max_size=b)
    ),
    prompt=st.integers(0, 6),
    whitelist=st.sets(st.integers(0, 4), max_size=2),
)
def test_processor_ignores_the_prompt_and_the_whitelist(rows, prompt, whitelist):
    processor = WindowedNoRepeatNGram(2, 6, prompt, whitelist)
    ids = torch.tensor(rows)
    for length in range(prompt, 13):
        scores = processor(ids[:, :length], torch.zeros(len(rows), 5))
        for row, tokens in enumerate(rows):
            expected = banned_by_definition(tokens[prompt:length], 2, 6) - whitelist
            assert {int(token) for token in torch.where(scores[row].isinf())[0]} == expected


def test_several_tokens_at_once_equal_one_at_a_time():
    ids = torch.tensor([[1, 2, 3, 1, 2, 3, 1, 2]])
    assert WindowedNoRepeatNGram(3, 8, 0)(ids, torch.zeros(1, 5))[0].isinf().tolist() == [
        False,
        False,
        False,
        True,
        False,
    ]


def test_a_long_output_costs_the_same_per_token_as_a_short_one():
    history = NGramHistory(30, 90)
    started = time.perf_counter()
    for position in range(20_000):
        history.append(position % 31)
        history.banned()
    assert time.perf_counter() - started < 2
    assert len(history._in_window) <= 61


def test_scores_of_the_caller_are_left_alone():
    scores = torch.zeros(1, 3)
    WindowedNoRepeatNGram(2, 4, 0)(torch.tensor([[1, 2, 1]]), scores)
    assert not scores.isinf().any()


@pytest.mark.parametrize(("n", "window"), [(1, 10), (5, 4)])
def test_impossible_settings_are_refused(n, window):
    with pytest.raises(ValueError, match="n-gram"):
        WindowedNoRepeatNGram(n, window, 0)
