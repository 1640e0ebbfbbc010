"""How far two reading orders of the same lines agree."""

from collections.abc import Mapping

import numpy as np


def kendall_tau(first: Mapping[int, float], second: Mapping[int, float]) -> float:
    """Kendall's rank correlation of the lines that both orders have: 1 for the same, -1 for the reverse.

    M. G. Kendall, A new measure of rank correlation, Biometrika 30 (1938), tau a: pairs in the same order
    less those in the other, over all pairs. Fewer than two lines agree.

    Args:
        first: Rank by number of line.
        second: The same lines, or some of them, in another order.
    """
    shared = sorted(first.keys() & second.keys())
    if len(shared) < 2:  # noqa: PLR2004 - a pair
        return 1.0
    ranks = [np.array([order[number] for number in shared]) for order in (first, second)]
    signs = [np.sign(rank[:, None] - rank[None, :]) for rank in ranks]
    return float((signs[0] * signs[1]).sum() / (len(shared) * (len(shared) - 1)))
