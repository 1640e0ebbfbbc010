"""A second use of pages: only when new ones are late, and never a third one."""

import time
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import torch

from ocrstudio.student.pretraining.batches import Batch
from ocrstudio.student.pretraining.echo import EchoingBatches


def _source(seconds):
    """Numbered batches, each of which takes a while."""
    empty = torch.zeros(1, 1)
    batch = Batch(empty, empty, empty, empty, empty, empty, empty, (1, 1), 0)
    numbers = iter(range(1000))

    def fetch():
        time.sleep(seconds)
        return replace(batch, level=next(numbers))

    return fetch


def _taken(batches, count):
    return [batches.next() for _ in range(count)]


def test_late_pages_are_used_twice_and_not_in_a_row():
    batches = EchoingBatches(_source(0.03), kept=4, seed=0)
    taken = _taken(batches, 30)
    uses = Counter(batch.level for batch, _ in taken)
    assert set(uses.values()) == {1, 2}
    assert batches.echoed == sum(not new for _, new in taken) > len(taken) // 3
    assert all(first[0].level != second[0].level for first, second in pairwise(taken))


def test_pages_that_are_there_in_time_are_used_once():
    batches = EchoingBatches(_source(0), kept=4, seed=0)
    assert [batch.level for batch, new in _taken(batches, 30) if new] == list(range(30))


def test_without_a_place_to_keep_them_pages_are_waited_for():
    batches = EchoingBatches(_source(0.03), kept=0, seed=0)
    assert [batch.level for batch, _ in _taken(batches, 5)] == list(range(5))
    assert batches.waited > 0.1
