"""Events: what a worker tells about a run, one JSON object a line in ``events.jsonl``.

``{"v":1,"seq":7,"time":1795436100.2,"type":"metric","step":40,"values":{"loss":0.61}}``

``seq`` grows by one from 1 over the whole life of the run folder (a resumed run goes on counting), so a
reader sees when something is missing. Unknown types are passed on and may be ignored; another ``v`` is an
error.
"""

import json
import math
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ocrstudio.domain.errors import ProtocolError

PROTOCOL_VERSION = 1

_RESERVED = frozenset({"v", "seq", "time", "type"})
_TAIL_BLOCK = 65_536
_PORTION = 1 << 20
_MAX_WAITING_LINES = 10_000


class EventType(StrEnum):
    """The types that readers of this version know."""

    STARTED = "started"
    QUEUED = "queued"
    PHASE = "phase"
    PROGRESS = "progress"
    METRIC = "metric"
    SAMPLE = "sample"
    POINT = "point"
    """A point of a learning curve was measured."""
    CHECKPOINT = "checkpoint"
    WARNING = "warning"
    STOPPING = "stopping"
    FINISHED = "finished"
    FAILED = "failed"
    ENDED = "ended"
    """Written by a relay only (``seq`` 0, never in the file): the state when nothing more could come."""


TERMINAL_TYPES = frozenset({EventType.FINISHED, EventType.FAILED})


@dataclass(frozen=True)
class Event:
    """One thing that happened in a run.

    Attributes:
        seq: Position in the run's history, from 1; 0 for a line that a relay made up.
        time: Unix time in seconds.
        type: One of `EventType`, or a word of a newer version.
        data: The other fields of the line.
    """

    seq: int
    time: float
    type: str
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_terminal(self) -> bool:
        """Whether the worker ends after this event."""
        return self.type in TERMINAL_TYPES


@dataclass(frozen=True)
class Gap:
    """Events that are missing between two that were read: ``first`` to ``last``, both included."""

    first: int
    last: int

    @property
    def missing(self) -> int:
        """Number of missing events."""
        return self.last - self.first + 1


def _plain(value: object) -> object:
    """Turn a value into what strict JSON can hold; a number that is not finite becomes null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str | int | None):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    item = getattr(value, "item", None)  # scalars of numpy and torch
    if callable(item):
        return _plain(item())
    raise ProtocolError(f"A value of type {type(value).__name__} cannot be written into an event.")


def encode(event: Event) -> str:
    """One line without its line end.

    Raises:
        ProtocolError: A field uses a reserved name or holds something that JSON cannot.
    """
    clash = _RESERVED & event.data.keys()
    if clash:
        raise ProtocolError(f"The event field {sorted(clash)[0]!r} is reserved.")
    head = {"v": PROTOCOL_VERSION, "seq": event.seq, "time": round(event.time, 3), "type": event.type}
    return json.dumps(head | {key: _plain(value) for key, value in event.data.items()}, ensure_ascii=False)


def decode(line: str | bytes) -> Event:
    """Read one complete line.

    Raises:
        ProtocolError: The line is not an event, or its version is not ours.
    """
    try:
        record = json.loads(line)
    except ValueError as error:
        raise ProtocolError("A line of the event log is not JSON.") from error
    if not isinstance(record, dict):
        raise ProtocolError("A line of the event log is not a JSON object.")
    version = record.pop("v", None)
    if version != PROTOCOL_VERSION:
        raise UnknownVersionError(
            f"The run has event format {version!r}; this program reads format {PROTOCOL_VERSION}.",
            "Open it with the version of OCR Studio that wrote it.",
        )
    seq, moment, kind = record.pop("seq", None), record.pop("time", None), record.pop("type", None)
    if not isinstance(seq, int) or not isinstance(moment, int | float) or not isinstance(kind, str):
        raise ProtocolError("A line of the event log lacks its number, time or type.")
    return Event(seq, float(moment), kind, record)


class UnknownVersionError(ProtocolError):
    """The log was written by a version with another event format."""


class EventStream:
    """Turns lines into events in order; keeps count of what is missing.

    A damaged line (the machine died while it was written) is skipped; its number then shows up in `gaps`.
    Lines that were seen before are dropped, so a relay can be attached again without care.

    Args:
        after: Number of the last event that the reader already has.
    """

    def __init__(self, after: int = 0) -> None:
        self.last_seq = after
        self.gaps: list[Gap] = []
        self.damaged_lines = 0

    def accept(self, line: str | bytes) -> Event | None:
        """The event of a complete line, or None when it is blank, damaged or already known.

        Raises:
            UnknownVersionError: The line has another protocol version.
        """
        if not line.strip():
            return None
        try:
            event = decode(line)
        except UnknownVersionError:
            raise
        except ProtocolError:
            self.damaged_lines += 1
            return None
        if event.seq == 0:
            return event
        if event.seq <= self.last_seq:
            return None
        if event.seq > self.last_seq + 1:
            self.gaps.append(Gap(self.last_seq + 1, event.seq - 1))
        self.last_seq = event.seq
        return event


class EventFollower:
    """Reads an event log that is still being written.

    Only complete lines are taken; a half-written last line is left for the next `poll`. The file need not
    exist yet.

    Args:
        path: The event log.
        after: Number of the last event that the reader already has.
    """

    def __init__(self, path: Path, after: int = 0) -> None:
        self._path = path
        self._offset = 0
        self.stream = EventStream(after)
        self.is_behind = False

    @property
    def gaps(self) -> list[Gap]:
        """Missing numbers found so far."""
        return self.stream.gaps

    def poll_lines(self) -> list[tuple[Event, str]]:
        """New events since the last call, each with the line it came from.

        A long history comes in portions; `is_behind` tells whether there is more.

        Raises:
            UnknownVersionError: The log has another protocol version.
        """
        self.is_behind = False
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                block = file.read(_PORTION)
                self.is_behind = len(block) == _PORTION
                while self.is_behind and b"\n" not in block:  # one line longer than a portion
                    rest = file.read(_PORTION)
                    self.is_behind = len(rest) == _PORTION
                    block += rest
        except FileNotFoundError:
            return []
        complete = block[: block.rfind(b"\n") + 1]
        self._offset += len(complete)
        found = []
        for line in complete.splitlines():
            event = self.stream.accept(line)
            if event is not None:
                found.append((event, line.decode("utf-8")))
        return found

    def poll(self) -> list[Event]:
        """All new events since the last call, as `poll_lines`."""
        events = [event for event, _ in self.poll_lines()]
        while self.is_behind:
            events += [event for event, _ in self.poll_lines()]
        return events


def read_events(path: Path, after: int = 0) -> list[Event]:
    """All complete events of a log with a number above ``after``; an absent log has none."""
    return EventFollower(path, after).poll()


def newest_first(path: Path) -> Iterator[Event]:
    """Complete events of a log from the last to the first, reading only as much of the file as is needed."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        position = file.seek(0, os.SEEK_END)
        rest: bytes | None = None  # beginning of a line whose start is in an earlier block
        while position > 0:
            size = min(_TAIL_BLOCK, position)
            position -= size
            file.seek(position)
            pieces = (file.read(size) + (rest or b"")).split(b"\n")
            if rest is None:
                pieces.pop()  # after the last line end: nothing, or a half-written line
            rest = pieces.pop(0) if pieces else None
            yield from _decodable(reversed(pieces))
        if rest:
            yield from _decodable(iter((rest,)))


def _decodable(lines: Iterator[bytes]) -> Iterator[Event]:
    for line in lines:
        event = EventStream().accept(line)
        if event is not None:
            yield event


def last_event(path: Path) -> Event | None:
    """The last complete event of a log, or None."""
    return next(newest_first(path), None)


class EventWriter:
    """Appends events to a log: thread safe, one flushed line for each event.

    The number goes on after the last complete line; a half-written line that a crash left behind is cut off.
    When the disk is full, lines wait in memory (the oldest are given up beyond a bound, which readers see as
    a gap) and are written with the next event; the run itself never fails because of its log.

    Args:
        path: The event log; created when missing.
        clock: Source of Unix time.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: deque[bytes] = deque(maxlen=_MAX_WAITING_LINES)
        self._disk_failed = False
        previous = last_event(path)
        self._seq = previous.seq if previous else 0
        flags = (
            os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        )
        self._file = os.open(path, flags, 0o644)
        self._size = _cut_half_line(self._file)

    @property
    def last_seq(self) -> int:
        """Number of the last event."""
        return self._seq

    def write(self, type: str, data: Mapping[str, Any] | None = None) -> Event:  # noqa: A002 - the protocol's word
        """Append one event and return it."""
        with self._lock:
            event = Event(self._seq + 1, self._clock(), type, data or {})
            self._waiting.append((encode(event) + "\n").encode("utf-8"))
            self._seq = event.seq
            self._write_waiting()
        return event

    def close(self) -> None:
        """Try once more to write what waits, then close the file."""
        with self._lock:
            if self._file >= 0:
                self._write_waiting()
                os.close(self._file)
                self._file = -1

    def _write_waiting(self) -> None:
        while self._waiting:
            line = self._waiting[0]
            try:
                written = os.write(self._file, line)
                if written < len(line):
                    os.ftruncate(self._file, self._size)
            except OSError as error:
                self._report_disk(str(error))
                return
            if written < len(line):
                self._report_disk("no space left for a whole line")
                return
            self._size += written
            self._waiting.popleft()
        self._disk_failed = False

    def _report_disk(self, reason: str) -> None:
        if not self._disk_failed:
            sys.stderr.write(f"The event log cannot be written ({reason}); events wait in memory.\n")
        self._disk_failed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _cut_half_line(file: int) -> int:
    """Cut what stands after the last line end; return the size left, in bytes."""
    size = os.fstat(file).st_size
    end = size
    while end > 0:
        start = max(0, end - _TAIL_BLOCK)
        os.lseek(file, start, os.SEEK_SET)
        line_end = os.read(file, end - start).rfind(b"\n")
        if line_end >= 0:
            end = start + line_end + 1
            break
        end = start
    if end < size:
        os.ftruncate(file, end)
    return end
