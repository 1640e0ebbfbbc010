"""A few child processes of the same kind, each doing one request at a time; a lost one is replaced."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from ocrstudio.jobs.line_process import ChildError, LineProcess


class LinePool:
    """Children that start with the first request that needs them.

    Args:
        command: Command line of a child.
        name: How messages call a child.
        count: Children at most.
    """

    def __init__(self, command: Sequence[str], *, name: str, count: int) -> None:
        self._command = command
        self._name = name
        self._count = count
        self._idle: asyncio.LifoQueue[LineProcess | None] = asyncio.LifoQueue()
        self._children: set[LineProcess] = set()

    def open(self) -> None:
        """Make room for the children. Call it in the event loop that will use them."""
        self._idle = asyncio.LifoQueue()
        for _ in range(self._count):
            self._idle.put_nowait(None)

    async def request(self, method: str, params: Mapping[str, Any], *, timeout: float) -> Any:  # noqa: ANN401
        """Let a free child do something.

        Args:
            method: Name of a handler of the child.
            params: Its keyword arguments.
            timeout: Seconds to wait for the answer; a child that takes longer is killed.

        Raises:
            ChildError: The child refused, crashed or took too long.
        """
        child = await self._idle.get()
        try:
            if child is None or not child.is_running:
                child = await self._start()
            return await child.request(method, params, timeout=timeout, limited=True)
        except ChildError as error:
            # A child that still runs only refused this request; a dead one, or one that hangs, is replaced by
            # the next.
            if child is not None and not (child.is_running and not error.retryable):
                await self._discard(child)
                child = None
            raise
        except asyncio.CancelledError:
            if child is not None:
                await self._discard(child)
                child = None
            raise
        finally:
            self._idle.put_nowait(child)

    async def close(self) -> None:
        """End the children."""
        await asyncio.gather(*(child.close() for child in self._children))
        self._children.clear()

    async def _start(self) -> LineProcess:
        child = LineProcess(self._command, name=self._name)
        self._children.add(child)
        try:
            await child.start()
        except BaseException:
            self._children.discard(child)
            raise
        return child

    async def _discard(self, child: LineProcess) -> None:
        self._children.discard(child)
        await child.close()
