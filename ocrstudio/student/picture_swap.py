"""Which pages get whose picture, to see whether an answer depends on it. Pure: nothing is opened.

The pictures stand in a ring, sorted by the positions that they take, and each page gets the next one: no page
keeps its own, nothing is left to chance, and mostly the two take the same number of positions.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ocrstudio.student.examples import Example, Length


@dataclass(frozen=True)
class Page:
    """An example with a picture, and its length with that picture."""

    example: Example
    length: Length

    @property
    def picture(self) -> Path:
        """Its picture."""
        if self.example.image is None:
            raise ValueError(f"{self.example.name} has no picture")
        return self.example.image

    def with_picture_of(self, other: "Page") -> "Page":
        """The same question and answer about another page's picture; the placeholders follow the picture."""
        example = replace(self.example, image=other.picture, name=other.example.name)
        return Page(example, replace(self.length, image=other.length.image))


@dataclass(frozen=True)
class Swap:
    """The pages of a check.

    Attributes:
        own: Pages with their pictures, the longest first.
        swapped: As many with those of others, the longest first.
        candidates: Pages that could have been taken.
        held_out: Whether they were held out.
        borrowed: Whether the other picture is a training page's.
        left_out: Pages that would be too long with the other picture; they are in neither list.
    """

    own: tuple[Page, ...]
    swapped: tuple[Page, ...]
    candidates: int
    held_out: bool
    borrowed: bool
    left_out: int


def pages_of(examples: Sequence[Example], lengths: Sequence[Length]) -> list[Page]:
    """The examples that are about one picture; what another one would mean is plain for these alone."""
    pairs = zip(examples, lengths, strict=True)
    return [Page(example, length) for example, length in pairs if len(example.images) == 1]


def plan_swap(
    held_out: Sequence[Page], training: Sequence[Page], *, most: int | None, max_length: int
) -> Swap | None:
    """Choose pages and the pictures that they swap.

    Args:
        held_out: Held-out pages; where there are none, training pages are taken.
        training: Training pages.
        most: Pages that are taken at most, spread evenly over the list; None for all.
        max_length: Most positions of a sequence.

    Returns:
        None when there are no two pictures to swap, or all pages would be too long.
    """
    candidates = held_out or training
    chosen = _spread(candidates, most)
    ring = {page.picture: page for page in chosen}
    lenders: list[Page] = []
    if len(ring) == 1:
        (only,) = ring.values()
        others = [page for page in training if page.picture != only.picture]
        # The one that takes nearly as many positions; of several the first.
        lenders = sorted(others, key=lambda page: abs(page.length.image - only.length.image))[:1]
    order = sorted([*ring.values(), *lenders], key=lambda page: page.length.image)
    if len(order) <= 1:
        return None
    after = zip(order, [*order[1:], order[0]], strict=True)
    next_of = {page.picture: other for page, other in after}
    pairs = [(page, page.with_picture_of(next_of[page.picture])) for page in chosen]
    fitting = [(page, other) for page, other in pairs if other.length.total <= max_length]
    if not fitting:
        return None
    own, swapped = ([*column] for column in zip(*fitting, strict=True))
    return Swap(
        own=_longest_first(own),
        swapped=_longest_first(swapped),
        candidates=len(candidates),
        held_out=bool(held_out),
        borrowed=bool(lenders) and bool(held_out),
        left_out=len(pairs) - len(fitting),
    )


def _spread(pages: Sequence[Page], most: int | None) -> list[Page]:
    """At most so many, evenly from the whole list, which is sorted by length where pages are held out."""
    count = len(pages) if most is None else min(most, len(pages))
    return [pages[number * len(pages) // count] for number in range(count)]


def _longest_first(pages: Sequence[Page]) -> tuple[Page, ...]:
    return tuple(sorted(pages, key=lambda page: page.length.total, reverse=True))


def in_batches(pages: Sequence[Page], size: int, positions: int) -> Iterator[list[Example]]:
    """Cut pages into batches that take no more memory than is allowed.

    Args:
        pages: The longest first.
        size: Most pages of a batch.
        positions: Most positions of a batch with its padding; a single page may take more.
    """
    start = 0
    while start < len(pages):
        rows = max(1, min(size, positions // pages[start].length.total))
        yield [page.example for page in pages[start : start + rows]]
        start += rows
