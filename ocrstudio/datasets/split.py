"""Divide pages into training and evaluation, whole documents at a time."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ocrstudio.domain.page_files import document_of_file, stem_of


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


def split_by_document(documents: Sequence[str], pages: Sequence[str], fraction: float, seed: int) -> Split:
    """Divide items so that all pages of a document are on one side.

    The order of the items plays no part: documents are ranked by a hash of their name and the seed, and taken
    for evaluation in that order where they still fit into the target.

    A single document is divided by pages. A hash of the page itself and the seed says on which side it is,
    whatever other pages there are: one that is added or left out moves no other. So the share of the
    evaluation pages is only about the fraction asked for.

    Args:
        documents: Name of the document of each item.
        pages: What tells the page of each item from the other pages of its document, and stays the same.
        fraction: Share of the items for evaluation, 0 to 1 (exclusive).
        seed: Changes the choice.

    Returns:
        The split, with a remark when a single document was divided.
    """
    if not 0 <= fraction < 1:
        raise ValueError(f"fraction {fraction} is not in [0, 1)")
    everything = tuple(range(len(documents)))
    names = set(documents) if len(set(documents)) > 1 else set(pages)
    if fraction == 0 or len(names) <= 1:
        remark = "One page cannot be divided; there is no evaluation set." if fraction and documents else ""
        return Split(everything, (), "none", remark)
    if len(set(documents)) == 1:
        items, by = list(pages), "page"
        chosen = _below(names, fraction, seed)
        remark = (
            "All pages are from one document, so the evaluation set is pages of the same document; "
            "its figures will look better than on new documents."
        )
    else:
        items, by, remark = list(documents), "document", ""
        chosen = _choose(Counter(items), fraction * len(items), seed)
    evaluation = tuple(index for index in everything if items[index] in chosen)
    return Split(tuple(index for index in everything if items[index] not in chosen), evaluation, by, remark)


def split_pictures(names: Sequence[str], fraction: float, seed: int) -> Split:
    """Divide the lines of a dataset as a training does that gets no evaluation set.

    Args:
        names: Name of the picture of each line; it tells document and page.
        fraction: Share of the lines for evaluation, 0 to 1 (exclusive).
        seed: Changes the choice.
    """
    return split_by_document(documents_of(names), [stem_of(name) for name in names], fraction, seed)


def documents_of(names: Sequence[str]) -> list[str]:
    """The document of each picture; one whose name does not tell it is a document of its own."""
    return [document_of_file(name) or name for name in names]


def _below(names: set[str], fraction: float, seed: int) -> set[str]:
    """Names whose hash lies in the first part of all hashes; at least one, and never all."""
    ranked = sorted(names, key=lambda name: _hash(name, seed))
    limit = int(fraction * 2**256)
    below = sum(int.from_bytes(_hash(name, seed)) < limit for name in ranked)
    return set(ranked[: min(max(below, 1), len(ranked) - 1)])


def _hash(name: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}\0{name}".encode()).digest()


def _choose(sizes: Mapping[str, int], target: float, seed: int) -> set[str]:
    """Names whose sizes add up to the target or less; at least one, and never all."""
    ranked = sorted(sizes, key=lambda name: _hash(name, seed))
    chosen: set[str] = set()
    total = 0
    for name in ranked:
        if len(chosen) < len(sizes) - 1 and total + sizes[name] <= round(target):
            chosen.add(name)
            total += sizes[name]
    return chosen or {min(ranked, key=lambda name: sizes[name])}
