"""The windowed no-repeat n-gram rule that DeepSeek-OCR is decoded with.

The rule is the one vLLM serves (``NGramPerReqLogitsProcessor``): it looks at generated tokens only, never at
the prompt, forgets everything older than a window, and lets whitelisted tokens (table cells) repeat. The
library's own ``no_repeat_ngram_size`` counts the prompt and the whole output, and so damages long tables.
"""

import torch

NO_TOKEN = -1
"""Fills a history that is not yet full."""


def banned_tokens(
    history: torch.Tensor, ngram_size: int, whitelist: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Find the tokens that would repeat an n-gram, for many rows and without a look at any value by the host.

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
