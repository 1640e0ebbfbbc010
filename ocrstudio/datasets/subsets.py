"""Smaller training sets within a dataset, each within the next: for learning curves."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_NEAR = 0.5  # of the share asked for; documents that come no nearer are divided


@dataclass(frozen=True)
class Subsets:
    """Nested parts of a dataset.

    Attributes:
        parts: Indices of each part, ascending; each part lies in the next.
        by: ``document`` or ``page``.
        pages: Pages of each part.
        documents: Documents of each part.
    """

    parts: tuple[tuple[int, ...], ...]
    by: str
    pages: tuple[int, ...]
    documents: tuple[int, ...]


def nested_subsets(
    documents: Sequence[str], pages: Sequence[str], shares: Sequence[float], seed: int
) -> Subsets:
    """Choose nested parts, whole documents at a time where there are enough of them.

    A part made of pages of all documents would look as varied as the whole, and the curve flatter or steeper
    than what further documents bring. The order of the items plays no part: documents, or pages where
    documents are unknown or too few or too unequal to come near to the shares, are ranked by a hash of their
    name and the seed, and taken in that order where they still fit. Items with the same page stay together.

    Args:
        documents: Name of the document of each item, or None where it is not known.
        pages: What tells the page of each item from all other pages.
        shares: Rising parts of the pages, above 0 and at most 1; 1 is everything.
        seed: Changes the choice.

    Raises:
        ValueError: The shares do not rise, or there are too few pages to tell the parts apart.
    """
    names = dict(zip(pages, documents, strict=True))  # by page, each counted once
    chosen = _by_document(names, shares, seed)
    by = "page" if chosen is None or len(set(names.values())) == len(names) else "document"
    if chosen is None:
        chosen = _grow(dict.fromkeys(names, 1), len(names), shares, seed)
    sizes = [len(part) for part in chosen]
    if sorted(set(sizes)) != sizes or not sizes[0]:
        raise ValueError(f"{len(names)} pages cannot be divided into parts of {shares}")
    return Subsets(
        parts=tuple(tuple(index for index, page in enumerate(pages) if page in part) for part in chosen),
        by=by,
        pages=tuple(sizes),
        documents=tuple(len({names[page] for page in part}) for part in chosen),
    )


def _by_document(names: Mapping[str, str], shares: Sequence[float], seed: int) -> list[set[str]] | None:
    """The pages of each part, or None where whole documents do not come near to the shares."""
    sizes = Counter(names.values())
    if len(sizes) < len(shares):
        return None
    parts = [
        {page for page, document in names.items() if document in part}
        for part in _grow(sizes, len(names), shares, seed)
    ]
    near = all(len(part) >= _NEAR * share * len(names) for part, share in zip(parts, shares, strict=True))
    return parts if near and len({len(part) for part in parts}) == len(parts) else None


def _grow(sizes: Mapping[str, int], total: int, shares: Sequence[float], seed: int) -> list[set[str]]:
    """Names whose sizes add up to each share of the total or less, each part grown from the one before."""
    ranked = sorted(sizes, key=lambda name: hashlib.sha256(f"{seed}\0{name}".encode()).digest())
    parts: list[set[str]] = []
    chosen: set[str] = set()
    count = 0
    for share in shares:
        target = round(share * total)
        for name in ranked:
            if name not in chosen and count + sizes[name] <= target:
                chosen.add(name)
                count += sizes[name]
        parts.append(set(chosen))
    return parts
