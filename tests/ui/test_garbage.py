import gc
import threading
import weakref

from ocrstudio.ui.garbage import collect_due, window_thread_only


class _Node:
    def __init__(self):
        self.itself = self


def test_a_cycle_is_collected_by_the_window_and_by_no_other_thread():
    gc.collect()
    with window_thread_only():
        gone = weakref.ref(_Node())
        worker = threading.Thread(target=lambda: [[] for _ in range(200_000)])
        worker.start()
        worker.join()
        assert gone() is not None
        kept = [[] for _ in range(gc.get_threshold()[0] + 1)]  # new objects, as work brings them
        collect_due()
        assert gone() is None
        del kept
    assert gc.isenabled()
