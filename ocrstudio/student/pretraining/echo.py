"""A second use for batches of pages when writing new ones takes longer than training on them.

Data echoing: D. Choi et al., Faster Neural Network Training with Data Echoing, 2019.
"""

import random
import time
from collections.abc import Callable

from ocrstudio.student.pretraining.batches import Batch

_WAITED = 0.02
"""Seconds for the next batch from which pages count as short."""


class EchoingBatches:
    """New batches, and old ones once more after a new one had to be waited for.

    No batch is used more than twice. The second use falls on one of the older half of those that are kept, so
    that a page is not seen twice in a row.

    Args:
        fetch: The next new batch, on the device.
        kept: Most batches that wait for their second use; 0 never uses one twice.
        seed: Of the order of the old ones.
    """

    def __init__(self, fetch: Callable[[], Batch], kept: int, seed: int) -> None:
        self._fetch, self._kept = fetch, kept
        self._source = random.Random(seed)  # noqa: S311 (pages, not secrets)
        self._old: list[Batch] = []
        self._short = False
        self.waited = 0.0
        self.echoed = 0

    def next(self) -> tuple[Batch, bool]:
        """A batch, and whether it is new."""
        if self._short and self._old and len(self._old) >= self._kept:
            self._short = False
            self.echoed += 1
            return self._old.pop(self._source.randrange(max(1, len(self._old) // 2))), False
        asked = time.monotonic()
        batch = self._fetch()
        spent = time.monotonic() - asked
        self.waited += spent
        self._short = spent > _WAITED
        if self._kept:
            self._old.append(batch)
            if len(self._old) > self._kept:
                # Pages are plentiful: the oldest one is as good as used up.
                del self._old[0]
        return batch, True
