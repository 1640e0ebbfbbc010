"""The windowed no-repeat n-gram rule that DeepSeek-OCR is decoded with.

The rule is the one vLLM serves (``NGramPerReqLogitsProcessor``): it looks at generated tokens only, never at
the prompt, forgets everything older than a window, and lets whitelisted tokens (table cells) repeat. The
library's own ``no_repeat_ngram_size`` counts the prompt and the whole output, and so damages long tables.
"""

from collections import deque
from collections.abc import Collection, Sequence

import torch
from transformers import LogitsProcessor

_SMALLEST_NGRAM = 2


class NGramHistory:
    """The n-grams of one output sequence that lie inside the window.

    A token costs the same however long the output is: n-grams are indexed by their first ``n - 1`` tokens
    when they are completed, and dropped when they leave the window.

    Args:
        ngram_size: Length of the n-grams that may not repeat, at least 2.
        window: Number of last tokens that are looked at.
    """

    def __init__(self, ngram_size: int, window: int) -> None:
        self._ngram_size = ngram_size
        self._window = window
        self._length = 0
        self._tail: deque[int] = deque(maxlen=ngram_size)
        self._followers: dict[tuple[int, ...], list[int]] = {}
        self._in_window: deque[tuple[int, tuple[int, ...]]] = deque()

    def append(self, token: int) -> None:
        """Add a generated token."""
        self._tail.append(token)
        self._length += 1
        if len(self._tail) == self._ngram_size:
            *prefix, last = self._tail
            key = tuple(prefix)
            self._followers.setdefault(key, []).append(last)
            self._in_window.append((self._length - self._ngram_size, key))
        while self._in_window and self._in_window[0][0] < self._length - self._window:
            self._forget(self._in_window.popleft()[1])

    def banned(self) -> set[int]:
        """Tokens that would complete an n-gram already present in the window."""
        if self._length < self._ngram_size:
            return set()
        prefix = tuple(self._tail)[1:]
        return set(self._followers.get(prefix, ()))

    def _forget(self, key: tuple[int, ...]) -> None:
        followers = self._followers[key]
        followers.pop(0)
        if not followers:
            del self._followers[key]


class WindowedNoRepeatNGram(LogitsProcessor):
    """Gives tokens that would repeat an n-gram of the last ``window`` output tokens the score minus infinity.

    One instance serves one call of ``generate`` without beams: rows keep their place and only grow.

    Args:
        ngram_size: Length of the n-grams that may not repeat, at least 2.
        window: Number of last output tokens that are looked at.
        prompt_length: Width of the (left-padded) prompts; columns before it are not looked at.
        whitelist: Token ids that may always repeat.
    """

    def __init__(
        self, ngram_size: int, window: int, prompt_length: int, whitelist: Collection[int] = ()
    ) -> None:
        if ngram_size < _SMALLEST_NGRAM:
            raise ValueError(f"an n-gram rule needs n >= {_SMALLEST_NGRAM}, got {ngram_size}")
        if window < ngram_size:
            raise ValueError(f"the window ({window}) must hold at least one n-gram of {ngram_size} tokens")
        self._ngram_size = ngram_size
        self._window = window
        self._seen = prompt_length
        self._whitelist = frozenset(whitelist)
        self._histories: list[NGramHistory] = []

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Apply the rule.

        Args:
            input_ids: int64 [batch, prompt_length + generated].
            scores: float [batch, vocabulary]; not changed.

        Returns:
            float [batch, vocabulary].
        """
        if not self._histories:
            self._histories = [
                NGramHistory(self._ngram_size, self._window) for _ in range(input_ids.shape[0])
            ]
        new_tokens: Sequence[Sequence[int]] = input_ids[:, self._seen :].tolist()
        self._seen = input_ids.shape[1]
        rows: list[int] = []
        columns: list[int] = []
        for row, (history, tokens) in enumerate(zip(self._histories, new_tokens, strict=True)):
            for token in tokens:
                history.append(token)
            banned = history.banned() - self._whitelist
            rows.extend([row] * len(banned))
            columns.extend(banned)
        if not rows:
            return scores
        limited = scores.clone()
        limited[rows, columns] = -torch.inf
        return limited


NO_TOKEN = -1
"""Fills a history that is not yet full."""


def banned_tokens(
    history: torch.Tensor, ngram_size: int, whitelist: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The rule for many rows at once, without a look at any value by the host.

    Args:
        history: int64 [rows, window], the last generated tokens; `NO_TOKEN` before the first one.
        ngram_size: Length of the n-grams that may not repeat, at least 2 and at most the window.
        whitelist: int64 [tokens] that may always repeat.

    Returns:
        Candidates [rows, window - ngram_size + 1] and whether each of them is banned.
    """
    prefixes = history[:, :-1].unfold(1, ngram_size - 1, 1)
    candidates = history[:, ngram_size - 1 :]
    newest = history[:, 1 - ngram_size :]
    banned = (prefixes == newest[:, None]).all(dim=-1) & (newest[:, :1] != NO_TOKEN)
    banned = banned & (candidates[..., None] != whitelist).all(dim=-1)
    return candidates, banned
