"""The processes that prepare pages: how they begin, and that they end all at once, and soon.

torch asks them one after the other and waits up to five seconds for each. Workers that do not hear it, which
happens where they were forked from a process with a GPU in use, hold a finished run for minutes. They own
nothing that could be lost, so those that are still there after a moment are killed.
"""

import threading
from collections.abc import Iterable
from typing import Any

from torch.utils.data import DataLoader
from torch.utils.data._utils import signal_handling

_PATIENCE = 1.0


def prepare_to_fork() -> None:
    """Keep OpenCV from threads of its own: they do not live on in a process that is forked from this one.

    There are processes enough to keep the cores busy.
    """
    import cv2

    cv2.setNumThreads(1)


def end_loaders(loaders: Iterable[object], patience: float = _PATIENCE) -> None:
    """End the workers of loaders that keep them from one epoch to the next.

    Args:
        loaders: Data loaders; those without workers have nothing to end.
        patience: Seconds that all of them together get to end by themselves.
    """
    for loader in loaders:
        if isinstance(loader, DataLoader) and loader._iterator is not None:  # noqa: SLF001
            kept, loader._iterator = loader._iterator, None  # noqa: SLF001
            end_workers(kept, patience)


def end_workers(batches: Any, patience: float = _PATIENCE) -> None:  # noqa: ANN401 - torch's private class
    """End the workers of what `iter` made of a data loader; harmless where there are none."""
    workers = getattr(batches, "_workers", None)
    if not workers:
        return
    # The thread that pins memory reads what the workers write: it must be gone before one may be killed.
    thread = getattr(batches, "_pin_memory_thread", None)
    if thread is not None and thread.is_alive():
        batches._pin_memory_thread_done_event.set()  # noqa: SLF001
        batches._worker_result_queue.put((None, None))  # noqa: SLF001
        thread.join()
    if batches._worker_pids_set:  # noqa: SLF001 - else torch takes a killed worker for an accident
        signal_handling._remove_worker_pids(id(batches))  # noqa: SLF001
        batches._worker_pids_set = False  # noqa: SLF001
    late = threading.Timer(patience, lambda: [worker.kill() for worker in workers if worker.is_alive()])
    late.start()
    try:
        batches._shutdown_workers()  # noqa: SLF001
    finally:
        late.cancel()
