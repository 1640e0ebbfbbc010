"""Cyclic garbage is collected in the window's thread only.

Python collects in whatever thread happens to allocate. A QObject in a cycle that is found by a pool thread is
destroyed there: its timers cannot be stopped from another thread, and Qt may crash.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def window_thread_only() -> Iterator[None]:
    """Switches the automatic collector off; the window calls `collect_due` instead."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def collect_due() -> None:
    """Collects the oldest generation whose count is above its threshold, as the automatic collector would."""
    counts, thresholds = gc.get_count(), gc.get_threshold()
    for generation in (2, 1, 0):
        if 0 < thresholds[generation] < counts[generation]:
            gc.collect(generation)
            return
