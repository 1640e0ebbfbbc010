"""The n-gram rule against a brute-force reading of its definition."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ocrstudio.student.ngram import NO_TOKEN, banned_tokens


def banned_by_definition(output: list[int], n: int, window: int) -> set[int]:
    """Every token that followed the last n - 1 tokens anywhere in the last ``window`` tokens."""
    if len(output) < n:
        return set()
    recent = output[-window:]
    prefix = output[-(n - 1) :]
    return {recent[i + n - 1] for i in range(len(recent) - n + 1) if recent[i : i + n - 1] == prefix}


@settings(max_examples=150, deadline=None)
@given(
    outputs=st.lists(st.lists(st.integers(0, 3), max_size=40), min_size=1, max_size=3),
    n=st.integers(2, 5),
    extra=st.integers(0, 20),
    whitelist=st.sets(st.integers(0, 3), max_size=2),
)
def test_rows_of_any_length_follow_the_definition(outputs, n, extra, whitelist):
    window = n + extra
    history = torch.full((len(outputs), window), NO_TOKEN)
    for row, output in enumerate(outputs):
        recent = output[-window:]
        history[row, window - len(recent) :] = torch.tensor(recent, dtype=torch.int64)
    allowed = torch.tensor(sorted(whitelist), dtype=torch.int64)
    tokens, banned = banned_tokens(history, n, allowed)
    for row, output in enumerate(outputs):
        assert set(tokens[row][banned[row]].tolist()) == banned_by_definition(output, n, window) - whitelist


def test_the_shipped_rule_bans_the_thirtieth_token():
    output = [*range(29), 77, *range(29)]
    history = torch.tensor([[NO_TOKEN] * (90 - len(output)) + output])
    tokens, banned = banned_tokens(history, 30, torch.tensor([128821, 128822]))
    assert tokens[banned].tolist() == [77]
    assert not banned_tokens(history, 30, torch.tensor([77]))[1].any()
