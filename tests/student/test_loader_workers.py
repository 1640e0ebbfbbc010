"""Processes that prepare pages and do not hear that it is over."""

import time
from multiprocessing.util import Finalize

from torch.utils.data import DataLoader

from ocrstudio.student.loader_workers import end_loaders, end_workers
from tests.fakes.processes import children


def deaf(_worker: int) -> None:
    Finalize(None, time.sleep, (60,), exitpriority=1)


def numbers(*, persistent: bool) -> DataLoader:
    return DataLoader(
        range(60), batch_size=2, num_workers=2, persistent_workers=persistent, worker_init_fn=deaf
    )


def test_workers_that_do_not_end_are_ended_together() -> None:
    loader = numbers(persistent=True)
    first = next(iter(loader))
    assert first.tolist() == [0, 1]
    assert len(children()) == 2
    started = time.monotonic()
    end_loaders([loader, numbers(persistent=False), "no loader"], patience=0.2)
    assert time.monotonic() - started < 4  # torch takes ten
    assert children() == []


def test_a_loop_left_before_its_end_leaves_no_process() -> None:
    batches = iter(numbers(persistent=False))
    next(batches)
    end_workers(batches, patience=0.2)
    assert children() == []
    end_workers(iter(DataLoader(range(3))))
