"""The order of a training: random, the same again after a resume, and with little padding."""

import random

from ocrstudio.student.sampler import StepSampler

_SOURCE = random.Random(7)
LENGTHS = [_SOURCE.randint(300, 6000) for _ in range(50)]


def sampler(shuffle=True, step_size=8, seed=1):
    return StepSampler(LENGTHS, step_size, shuffle=shuffle, seed=seed)


def indices(order):
    return [turn.sample for turn in order]


def chunks(order, size):
    return [order[start : start + size] for start in range(0, len(order), size)]


def padded(order, batch=2):
    return sum(len(part) * max(LENGTHS[i] for i in part) for part in chunks(order, batch))


def test_every_epoch_goes_through_all_pages_in_an_order_of_its_own():
    order = sampler()
    first = indices(order)
    order.set_epoch(1)
    second = indices(order)
    assert len(order) == len(LENGTHS)
    assert sorted(first) == sorted(second) == list(range(len(LENGTHS)))
    assert first != second


def test_an_epoch_can_be_repeated():
    again = sampler()
    again.set_epoch(3)
    expected = list(again)
    assert {turn.epoch for turn in expected} == {3}
    other = sampler()
    list(other)
    other.set_epoch(3)
    assert list(other) == expected
    other_seed = sampler(seed=2)
    other_seed.set_epoch(3)
    assert list(other_seed) != expected


def test_steps_keep_their_pages_and_lose_padding():
    by_step = chunks(indices(sampler()), 8)
    unsorted = chunks(indices(sampler(step_size=1)), 8)
    assert [set(step) for step in by_step] == [set(step) for step in unsorted]
    for step in by_step:
        lengths = [LENGTHS[i] for i in step]
        assert lengths == sorted(lengths, reverse=True)
    needed = sum(LENGTHS)
    waste, waste_before = (
        padded([i for step in order for i in step]) - needed for order in (by_step, unsorted)
    )
    assert waste < waste_before / 2


def test_without_shuffling_the_steps_follow_the_data():
    steps = chunks(indices(sampler(shuffle=False)), 8)
    assert [set(step) for step in steps] == [set(step) for step in chunks(list(range(50)), 8)]
