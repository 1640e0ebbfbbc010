"""A child process that answers JSON-line requests, for asyncio.

Used for everything that must not live in the app's process: the offline OCR engines (they print, and they
hold gigabytes) and the student server (torch). The child's side is `ocrstudio.jobs.line_server`.

The pipes are served by three threads rather than asyncio's subprocess transport, because the window runs
asyncio on Qt's event loop, where that transport depends on platform and Python version; threads behave alike
on every loop.
"""

import asyncio
import contextlib
import queue
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import psutil

from ocrstudio.domain.errors import OcrStudioError, ProtocolError, RunError
from ocrstudio.jobs.child_environment import child_environment
from ocrstudio.jobs.line_protocol import LINE_PROTOCOL_VERSION, decode_line, encode_line
from ocrstudio.jobs.process_tree import kill_tree, own_session

_TAIL_LINES = 200
_HINT_LINES = 8
_CLOSE_GRACE = 2.0
_JOIN_TIMEOUT = 5.0
_LAST_WORDS = 2.0  # seconds; a grandchild may hold the pipe open for ever


class ChildError(RunError):
    """The child refused a request, crashed, or did not answer in time.

    Args:
        message: One sentence.
        hint: What to do; the last lines of the child's log when it crashed.
        retryable: Whether the same request may succeed in a new try.
    """

    def __init__(self, message: str, hint: str = "", *, retryable: bool = False) -> None:
        super().__init__(message, hint)
        self.retryable = retryable


class ChildTimeoutError(ChildError):
    """The child did not answer in time; it may still be at work."""


class LineProcess:
    """One child. Use as an async context manager, or `start` and `close`.

    Requests may overlap; each waits for the answer with its number.

    Args:
        command: Command line, for instance of `ocrstudio.jobs.command_line.worker_command`.
        name: How messages call it (``The offline OCR engine``).
        start_timeout: Seconds until it must be ready.
        environment: The child's environment; None for ours.
        on_notice: Called in the event loop for each notice of the child.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        name: str,
        start_timeout: float = 120.0,
        environment: Mapping[str, str] | None = None,
        on_notice: Callable[[dict[str, Any]], None] | None = None,
    ) -> None:
        self._command = list(command)
        self._name = name
        self._start_timeout = start_timeout
        self._environment = child_environment(environment)
        self._on_notice = on_notice
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._unanswered: set[int] = set()
        self._outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._log_is_read = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready: asyncio.Future[dict[str, Any]] | None = None
        self._ended: asyncio.Event | None = None
        self._failure: OcrStudioError | None = None
        self._next_id = 1
        self._closing = False

    @property
    def is_running(self) -> bool:
        """Whether requests can be sent."""
        return self._process is not None and self._failure is None and not self._closing

    @property
    def log_tail(self) -> str:
        """The last lines that the child printed."""
        return "\n".join(self._tail)

    async def start(self) -> dict[str, Any]:
        """Start the child and wait until it is ready.

        Returns:
            What the child told about itself.

        Raises:
            ChildError: It cannot be started, ended before it was ready, or took too long.
        """
        if self._process is not None:
            raise RunError(f"{self._name} was already started.")
        self._loop = asyncio.get_running_loop()
        self._ready = self._loop.create_future()
        self._ended = asyncio.Event()
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self._environment,
                **own_session(),
            )
        except OSError as error:
            raise ChildError(f"{self._name} could not be started: {error.strerror or error}.") from error
        for target in (self._read_answers, self._read_log, self._write_requests):
            thread = threading.Thread(target=target, name=f"line-process-{target.__name__}", daemon=True)
            thread.start()
            self._threads.append(thread)
        try:
            async with asyncio.timeout(self._start_timeout):
                return await self._ready
        except TimeoutError:
            await self.close()
            raise ChildError(
                f"{self._name} was not ready after {self._start_timeout:g} s.", self._log_hint()
            ) from None
        except BaseException:
            await self.close()
            raise

    async def request(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
        limited: bool = False,
    ) -> Any:  # noqa: ANN401 - a JSON value
        """Send one request and wait for its answer.

        A request that is cancelled or timed out leaves the child working; its late answer is dropped.

        Args:
            method: Name of a handler of the child.
            params: Its keyword arguments.
            timeout: Seconds to wait; None for ever.
            limited: Whether a child that takes longer is of no use any more: the caller closes it, and should
                the caller be gone, the child ends itself.

        Raises:
            ChildTimeoutError: The child was too slow.
            ChildError: The child answered with an error, or ended.
        """
        if self._failure is not None:
            raise self._failure
        if not self.is_running or self._loop is None:
            raise ChildError(f"{self._name} is not running.")
        number = self._next_id
        self._next_id += 1
        answer: asyncio.Future[Any] = self._loop.create_future()
        self._waiting[number] = answer
        self._unanswered.add(number)
        record = {"id": number, "method": method, "params": dict(params or {})}
        self._outgoing.put(encode_line({**record, "limit": timeout} if limited else record))
        try:
            async with asyncio.timeout(timeout):
                return await answer
        except TimeoutError:
            raise ChildTimeoutError(
                f"{self._name} did not answer within {timeout:g} s.", self._log_hint(), retryable=True
            ) from None
        finally:
            self._waiting.pop(number, None)

    async def close(self) -> None:
        """Close the child's input, and kill its process group when it does not end by itself. Idempotent.

        A child that is at work, or that hangs, is not waited for.
        """
        if self._process is None or self._closing:
            return
        self._closing = True
        self._outgoing.put(None)
        idle = not self._unanswered and self._ready is not None and self._ready.done()
        if self._ended is not None and idle:
            try:
                async with asyncio.timeout(_CLOSE_GRACE):
                    await self._ended.wait()
            except TimeoutError:
                pass
        self._fail(ChildError(f"{self._name} was closed."))
        await asyncio.shield(asyncio.to_thread(self._reap))

    def _reap(self) -> None:
        """Kill what is left of the process group, collect the exit status, join the threads."""
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            with contextlib.suppress(psutil.NoSuchProcess):  # it may end this moment; wait() collects it
                kill_tree(psutil.Process(process.pid))
        process.wait()
        for thread in self._threads:
            thread.join(_JOIN_TIMEOUT)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue  # unsent bytes for a child that is gone

    # Threads: they touch the event loop only through `_post`.

    def _post(self, callback: Callable[..., None], *args: Any) -> None:  # noqa: ANN401 - handed on
        if self._loop is None:
            return
        try:
            self._loop.call_soon_threadsafe(callback, *args)
        except RuntimeError:
            return  # the loop was closed before the child; nobody waits any more

    def _read_answers(self) -> None:
        process = self._process
        if process is None or process.stdout is None:
            return
        for line in process.stdout:
            try:
                record = decode_line(line)
            except ProtocolError as error:
                self._tail.append(error.message)
                continue
            self._post(self._take, record)
        status = process.wait()
        self._log_is_read.wait(_LAST_WORDS)  # they say why it ended
        self._post(self._end, status)

    def _read_log(self) -> None:
        process = self._process
        if process is None or process.stderr is None:
            return
        for line in process.stderr:
            self._tail.append(line.decode("utf-8", errors="replace").rstrip())
        self._log_is_read.set()

    def _write_requests(self) -> None:
        process = self._process
        if process is None or process.stdin is None:
            return
        try:
            while (line := self._outgoing.get()) is not None:
                process.stdin.write(line)
                process.stdin.flush()
            process.stdin.close()
        except OSError:
            return  # the child is gone; `_end` tells those who wait

    # In the event loop.

    def _take(self, record: dict[str, Any]) -> None:
        if "ready" in record:
            self._take_ready(record)
        elif "notice" in record:
            if self._on_notice is not None and isinstance(record["notice"], dict):
                self._on_notice(record["notice"])
        elif "id" in record:
            self._unanswered.discard(record["id"])
            answer = self._waiting.get(record["id"])
            if answer is not None and not answer.done():
                if "error" in record:
                    answer.set_exception(_child_error(record["error"]))
                else:
                    answer.set_result(record.get("result"))
        elif "error" in record:
            self._fail(_child_error(record["error"]))

    def _take_ready(self, record: dict[str, Any]) -> None:
        if self._ready is None or self._ready.done():
            return
        if record.get("v") != LINE_PROTOCOL_VERSION:
            self._fail(ChildError(f"{self._name} speaks another protocol version: {record.get('v')!r}."))
            return
        self._ready.set_result(record["ready"])

    def _end(self, status: int) -> None:
        if self._ended is not None:
            self._ended.set()
        self._outgoing.put(None)
        if not self._closing:
            reason = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
            self._fail(ChildError(f"{self._name} {reason}.", self._log_hint(), retryable=True))

    def _fail(self, failure: OcrStudioError) -> None:
        if self._failure is None:
            self._failure = failure
        if self._ready is not None and not self._ready.done():
            self._ready.set_exception(self._failure)
            self._ready.exception()  # start() may be gone already; then nobody else would retrieve it
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(self._failure)

    def _log_hint(self) -> str:
        lines = list(self._tail)[-_HINT_LINES:]
        return "Its last lines were:\n" + "\n".join(lines) if lines else ""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _child_error(record: object) -> ChildError:
    if not isinstance(record, dict):
        return ChildError("The child process reported an error without a message.")
    return ChildError(
        str(record.get("message", "")),
        str(record.get("hint", "")),
        retryable=bool(record.get("retryable", False)),
    )
