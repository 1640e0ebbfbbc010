"""Which page gets whose picture."""

from pathlib import Path

import pytest

from ocrstudio.student.examples import Example, Length
from ocrstudio.student.picture_swap import Page, in_batches, plan_swap


def page(number, image=10, answer=20, picture=None):
    path = Path(picture or f"p{number}.png")
    example = Example("<image>\nFree OCR.", f"text {number}", path, path.name, number)
    return Page(example, Length(image, 3, answer))


def plan(held_out, training=(), most=None, max_length=1000):
    return plan_swap(held_out, training, most=most, max_length=max_length)


def by_line(pages):
    return {one.example.line: one for one in pages}


@pytest.mark.parametrize("count", [2, 3, 7, 32])
def test_every_page_gets_the_picture_of_another_and_every_picture_is_used(count):
    pages = [page(number, image=10 * (number % 3)) for number in range(count)]
    swap = plan(pages)
    own, swapped = by_line(swap.own), by_line(swap.swapped)
    assert own.keys() == swapped.keys() == set(range(count))
    for number, other in swapped.items():
        assert other.picture != own[number].picture
        assert other.example.answer == own[number].example.answer
        lender = next(one for one in pages if one.picture == other.picture)
        assert other.length == Length(lender.length.image, 3, 20), "the placeholders follow the picture"
    assert len({other.picture for other in swapped.values()}) == count
    assert plan(pages) == swap, "it is the same every time"


def test_mostly_the_two_pictures_take_as_many_positions():
    swap = plan([page(number, image=(10, 50)[number % 2]) for number in range(20)])
    own, swapped = by_line(swap.own), by_line(swap.swapped)
    assert sum(own[number].length != swapped[number].length for number in own) == 2


def test_two_samples_of_one_picture_never_swap_with_each_other():
    pages = [page(1, picture="a.png"), page(2, picture="a.png"), page(3, picture="b.png")]
    pictures = {line: one.picture.name for line, one in by_line(plan(pages).swapped).items()}
    assert pictures == {1: "b.png", 2: "b.png", 3: "a.png"}


def test_a_single_held_out_page_borrows_the_training_picture_that_is_most_alike():
    training = [page(1, image=90), page(2, image=31), page(3, image=29), page(4, picture="only.png")]
    swap = plan([page(9, image=30, picture="only.png")], training)
    assert [one.picture.name for one in swap.swapped] == ["p2.png"]
    assert (swap.borrowed, swap.held_out, swap.candidates) == (True, True, 1)


def test_without_held_out_pages_training_pages_are_taken():
    swap = plan([], [page(1), page(2)])
    assert (swap.held_out, swap.borrowed, len(swap.own)) == (False, False, 2)


def test_one_picture_alone_cannot_be_swapped():
    assert plan([page(1)]) is None
    assert plan([], [page(1), page(2, picture="p1.png")]) is None
    assert plan([], []) is None


def test_of_many_pages_some_are_taken_evenly():
    swap = plan([page(number, answer=200 - number) for number in range(100)], most=5)
    assert [one.example.line for one in swap.own] == [0, 20, 40, 60, 80]
    assert swap.candidates == 100


def test_what_is_too_long_with_the_other_picture_is_left_out_of_both():
    pages = [page(1, image=10, answer=80), page(2, image=50, answer=20), page(3, image=50, answer=30)]
    swap = plan(pages, max_length=100)
    assert set(by_line(swap.own)) == set(by_line(swap.swapped)) == {2, 3}
    assert swap.left_out == 1
    assert plan(pages, max_length=10) is None


def test_batches_hold_no_more_positions_than_allowed():
    pages = plan([page(number, answer=10 * number) for number in range(1, 10)]).own
    batches = list(in_batches(pages, 4, 200))
    lengths = {one.example.line: one.length.total for one in pages}
    assert [example.line for batch in batches for example in batch] == [one.example.line for one in pages]
    assert all(len(batch) * lengths[batch[0].line] <= 200 for batch in batches)
    assert max(map(len, batches)) > 1
    assert max(map(len, in_batches(pages, 4, 10_000))) == 4
    assert [len(batch) for batch in in_batches(pages, 4, 1)] == [1] * 9, "a page is never left out"
