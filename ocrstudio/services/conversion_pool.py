"""The processes of a conversion, and what happens when a document kills one of them."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import BaseContext
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

from ocrstudio.services import conversion_worker

_PRELOADED = ["ocrstudio.services.conversion_worker", "ocrstudio.pdf.preload"]
_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def warm_up() -> None:
    """Let the server of processes start and load MuPDF while the caller is still getting ready."""
    if _process_context().get_start_method() == "forkserver":
        from multiprocessing import forkserver  # absent where there is no fork

        forkserver.ensure_running()


class ConversionPool:
    """Rendering processes; use it as a context manager. A pool that lost a process is replaced by a new one.

    Leaving it asks every process to end after its current page, and waits for that.
    """

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self._context = _process_context()
        self._stop = self._context.Event()
        self._pool = self._new_pool(jobs)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def submit(
        self, function: Callable[_Arguments, _Result], *args: _Arguments.args, **kwargs: _Arguments.kwargs
    ) -> Future[_Result]:
        """Queue a task."""
        try:
            return self._pool.submit(function, *args, **kwargs)
        except BrokenProcessPool:
            self._pool.shutdown(cancel_futures=True)
            self._pool = self._new_pool(self.jobs)
            return self._pool.submit(function, *args, **kwargs)

    def run_alone(
        self, function: Callable[_Arguments, _Result], *args: _Arguments.args, **kwargs: _Arguments.kwargs
    ) -> _Result:
        """Run a task in a process that it shares with no other.

        Raises:
            BrokenProcessPool: This very task kills its process.
        """
        with self._new_pool(1) as pool:
            return pool.submit(function, *args, **kwargs).result()

    def _new_pool(self, jobs: int) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            jobs, mp_context=self._context, initializer=conversion_worker.start, initargs=(self._stop,)
        )


def _process_context() -> BaseContext:
    """A server that forks ready-made processes where the system has one, else fresh interpreters.

    Never a plain fork: the caller may be a window with threads.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    return context
