"""When requests go out: one page ahead of the others, and none before the time that a server asked for."""

import asyncio
import random
import time
from typing import Final

HEAD_START: Final = 1.0
"""Seconds that the first page has for itself. A refusal takes a fraction of it, an answer usually more: so
refusals are met by one request, and a batch is not held up by the length of an answer."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 8.0
_SPREAD = 0.25


class Pace:
    """The turns of one batch."""

    def __init__(self) -> None:
        self._is_first = True
        self._open = asyncio.Event()
        self._not_before = 0.0

    async def turn(self) -> None:
        """Wait until a page may begin."""
        if self._is_first:
            self._is_first = False
            asyncio.get_running_loop().call_later(HEAD_START, self._open.set)
        else:
            await self._open.wait()

    def first_is_through(self) -> None:
        """The first page has its answer, or its failure."""
        self._open.set()

    async def ready(self) -> None:
        """Wait until the server wants requests again."""
        while (left := self._not_before - time.monotonic()) > 0:
            await asyncio.sleep(left)

    def hold(self, seconds: float) -> None:
        """The server asked for so many seconds of quiet; it means the key, so it counts for every page."""
        self._not_before = max(self._not_before, time.monotonic() + seconds)

    async def pause(self, attempt: int) -> None:
        """Wait before a request is repeated: twice as long each time, and not all pages at once.

        Args:
            attempt: Requests of this page that have failed so far, from 1.
        """
        seconds = min(_FIRST_PAUSE * 2 ** min(attempt - 1, 10), _LONGEST_PAUSE)
        await asyncio.sleep(seconds * (1 - _SPREAD * random.random()))  # noqa: S311 - no secret
