"""Divide pages into training and evaluation, whole documents at a time."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Split:
    """Which items go where.

    Attributes:
        train: Indices for training, ascending.
        evaluation: Indices for evaluation, ascending.
        by: ``document``, ``page`` or ``none``.
        remark: A sentence when the split is not what was asked for, or empty.
    """

    train: tuple[int, ...]
    evaluation: tuple[int, ...]
    by: str
    remark: str = ""


def split_by_document(documents: Sequence[str], fraction: float, seed: int) -> Split:
    """Divide items so that all pages of a document are on one side.

    The order of the items plays no part: documents are ranked by a hash of their name and the seed, and taken
    for evaluation in that order where they still fit into the target.

    Args:
        documents: Name of the document of each item.
        fraction: Share of the items for evaluation, 0 to 1 (exclusive).
        seed: Changes the choice.

    Returns:
        The split. A single document is divided by pages instead, with a remark.
    """
    if not 0 <= fraction < 1:
        raise ValueError(f"fraction {fraction} is not in [0, 1)")
    everything = tuple(range(len(documents)))
    if fraction == 0 or len(documents) <= 1:
        remark = "One page cannot be divided; there is no evaluation set." if fraction and documents else ""
        return Split(everything, (), "none", remark)
    sizes = Counter(documents)
    if len(sizes) == 1:
        items, by = [f"{documents[0]}\0{index}" for index in everything], "page"
        sizes = Counter(items)
        remark = (
            "All pages are from one document, so the evaluation set is pages of the same document; "
            "its figures will look better than on new documents."
        )
    else:
        items, by, remark = list(documents), "document", ""
    chosen = _choose(sizes, fraction * len(items), seed)
    evaluation = tuple(index for index in everything if items[index] in chosen)
    return Split(tuple(index for index in everything if items[index] not in chosen), evaluation, by, remark)


def _choose(sizes: Mapping[str, int], target: float, seed: int) -> set[str]:
    """Names whose sizes add up to the target or less; at least one, and never all."""
    ranked = sorted(sizes, key=lambda name: hashlib.sha256(f"{seed}\0{name}".encode()).digest())
    chosen: set[str] = set()
    total = 0
    for name in ranked:
        if len(chosen) < len(sizes) - 1 and total + sizes[name] <= round(target):
            chosen.add(name)
            total += sizes[name]
    return chosen or {min(ranked, key=lambda name: sizes[name])}
