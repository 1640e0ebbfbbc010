"""Children that work in steps, each of which has a limit: one that takes longer is killed and replaced.

MuPDF may draw a page for ever, holds the interpreter lock meanwhile, and cannot be interrupted; so neither a
thread nor a signal handler of the same process helps. A task is a generator function. It runs in a child, and
each value that it yields is a step; whoever asked sees the steps as they come, and knows at which one the
child was lost.
"""

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from queue import SimpleQueue
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from ocrstudio.domain.errors import RunError
from ocrstudio.jobs.watchdog import ends_itself_after

_START_SECONDS = 120.0
_GRACE_SECONDS = 0.5
_PRELOADED = ("ocrstudio.jobs.limited_pool", "ocrstudio.pdf.preload")
_READY = "ready"
_STOP = "stop"

_Arguments = ParamSpec("_Arguments")
_Step = TypeVar("_Step")
_Result = TypeVar("_Result")


class StepTooLongError(RunError):
    """A step took longer than its limit; the child was killed."""


class ChildLostError(RunError):
    """The child ended in the middle of a step: it crashed, or somebody killed it."""


class PoolClosedError(RunError):
    """The pool is closing; nothing is begun any more."""


def warm_up(preload: Sequence[str] = ()) -> None:
    """Let the server of processes start and load MuPDF while the caller is still getting ready.

    Args:
        preload: Further modules that it loads, when it does not run yet.
    """
    _process_context(preload)


class LimitedChild:
    """One child at a time, started when it is needed. For one thread, but for `kill`."""

    def __init__(self, context: BaseContext) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._process: Any = None
        self._connection: Connection | None = None
        self._closed = False

    def steps(
        self,
        limit: float,
        function: Callable[_Arguments, Iterator[_Step]],
        *args: _Arguments.args,
        **kwargs: _Arguments.kwargs,
    ) -> Iterator[_Step]:
        """Run a generator function in the child and yield what it yields.

        Args:
            limit: Seconds for each step.
            function: A generator function of a module; what it yields must be picklable.
            args: Its arguments.
            kwargs: Its keyword arguments.

        Raises:
            StepTooLongError: The next step did not come within the limit.
            ChildLostError: The child ended before the next step.
            PoolClosedError: The pool was closed.
        """
        connection = self._running()
        done = False
        try:
            connection.send((limit, function, args, kwargs))
            while True:
                if not connection.poll(limit):
                    raise StepTooLongError(f"A step took longer than {limit:g} s.")
                is_step, value = connection.recv()
                if not is_step:
                    break
                yield value
            done = True
        except (EOFError, OSError) as error:
            if self._closed:
                raise PoolClosedError("The pool was closed.") from error
            raise ChildLostError("The child ended before it was done.") from error
        finally:
            if not done:  # it is still at work, or gone
                self.kill()
        if value is not None:
            raise value

    def ask_to_stop(self) -> None:
        """Start nothing any more, and let the child end after its current step."""
        with self._lock:
            self._closed = True
            if self._connection is not None:
                with contextlib.suppress(OSError):
                    self._connection.send(_STOP)

    def kill(self) -> None:
        """End the child at once; the next task starts another. From any thread."""
        with self._lock:
            process, self._process = self._process, None
            connection, self._connection = self._connection, None
        if process is not None:
            process.kill()
            process.join()
        if connection is not None and not self._closed:
            connection.close()  # unless another thread may be reading it: that one sees the end

    def _running(self) -> Connection:
        with self._lock:
            if self._closed:
                raise PoolClosedError("The pool was closed.")
            if self._connection is not None and self._process is not None and self._process.is_alive():
                return self._connection
        self.kill()  # what is left of one that died while nobody asked
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(theirs,), daemon=True)  # type: ignore[attr-defined]
        process.start()
        theirs.close()
        with self._lock:
            self._process, self._connection = process, ours
        try:
            ready = ours.poll(_START_SECONDS) and ours.recv() == _READY
        except (EOFError, OSError):
            ready = False
        if not ready:
            self.kill()
            raise ChildLostError("A child could not be started.")
        return ours


class LimitedPool:
    """A few children that work at the same time; use it as a context manager.

    Leaving it gives every child half a second to finish its current step, then kills them all.

    Args:
        count: Children at most; each starts with the first task that needs it.
        preload: Modules that a server of processes loads once for all of them.
    """

    def __init__(self, count: int, preload: Sequence[str] = ()) -> None:
        self.count = count
        context = _process_context(preload)
        self._children = [LimitedChild(context) for _ in range(count)]
        self._idle: SimpleQueue[LimitedChild] = SimpleQueue()
        for child in self._children:
            self._idle.put(child)
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="limited-pool")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def submit(self, work: Callable[[LimitedChild], _Result]) -> Future[_Result]:
        """Call `work` with a free child, in a thread of the pool."""
        return self._threads.submit(self._with_child, work)

    def close(self) -> None:
        """End the children, half a second from now at the latest. Closing twice is harmless."""
        try:
            self._threads.shutdown(wait=False, cancel_futures=True)
            for child in self._children:
                child.ask_to_stop()
            deadline = time.monotonic() + _GRACE_SECONDS
            while self._idle.qsize() < len(self._children) and time.monotonic() < deadline:
                time.sleep(0.01)
        finally:
            for child in self._children:
                child.kill()
            self._threads.shutdown(wait=True)

    def _with_child(self, work: Callable[[LimitedChild], _Result]) -> _Result:
        child = self._idle.get()
        try:
            return work(child)
        finally:
            self._idle.put(child)


def _process_context(preload: Sequence[str]) -> BaseContext:
    """A server that forks ready-made processes where the system has one, else fresh interpreters.

    Never a plain fork: the caller may be a window with threads.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    from multiprocessing import forkserver, resource_tracker  # absent where there is no fork

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*_PRELOADED, *preload])
    # It ignores Ctrl+C only when everything is loaded; a blocked signal stays blocked in what is started.
    resource_tracker.ensure_running()  # the server wants it, and its start would unblock the signal again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return context


# In the child.


def _serve(connection: Connection) -> None:
    """Do tasks until the parent closes the pipe: only the parent answers Ctrl+C, and nobody outlives it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # what libraries warn of is for programmers
    threading.Thread(target=_follow_parent, name="follow-parent", daemon=True).start()
    with contextlib.suppress(EOFError, OSError):
        connection.send(_READY)
        while (task := connection.recv()) != _STOP:
            _do(connection, *task)


def _do(
    connection: Connection,
    limit: float,
    function: Callable[..., Iterator[object]],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> None:
    failure: Exception | None = None
    steps = function(*args, **kwargs)
    while not connection.poll():  # the parent says something in between only to end the task
        try:
            with ends_itself_after(limit):
                step = next(steps)
        except StopIteration:
            break
        except Exception as error:  # noqa: BLE001 - the parent must learn of it
            failure = error
            break
        connection.send((True, step))
    connection.send((False, failure))


def _follow_parent() -> None:
    """End this process when the parent is gone, even if it was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
