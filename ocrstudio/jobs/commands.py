"""Commands: what the user asks of a run, one JSON object a line in ``commands.jsonl``.

The file is only ever appended to, and order decides: a ``stop`` holds until a later ``resume`` begins a new
attempt. So a stop that was recorded before the worker came up is not lost, and an old one does not end a
resumed run.
"""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

COMMAND_VERSION = 1


class CommandType(StrEnum):
    """What can be asked."""

    STOP = "stop"
    RESUME = "resume"


@dataclass(frozen=True)
class Command:
    """One request.

    Attributes:
        type: What is asked.
        time: Unix time in seconds.
        data: More fields: ``checkpoint`` of a resume.
    """

    type: str
    time: float
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Orders:
    """What the commands of a run amount to.

    Attributes:
        attempt: 1 for the first launch, one more for each resume.
        stop_requested: Whether the current attempt is to stop.
        checkpoint: Where the current attempt begins when it was resumed from a checkpoint, or None.
    """

    attempt: int = 1
    stop_requested: bool = False
    checkpoint: str | None = None


def append_command(path: Path, kind: CommandType, **data: str | None) -> None:
    """Append one command; the line is on disk when this returns."""
    record = {"v": COMMAND_VERSION, "time": round(time.time(), 3), "type": kind.value, **data}
    with path.open("a+b") as file:
        # A command line that a full disk cut short must not swallow this one.
        separator = b""
        if file.tell() > 0:
            file.seek(-1, os.SEEK_END)
            separator = b"" if file.read(1) == b"\n" else b"\n"
        file.write(separator + json.dumps(record, ensure_ascii=False).encode("utf-8") + b"\n")
        file.flush()
        os.fsync(file.fileno())


def read_commands(path: Path) -> list[Command]:
    """All complete commands; lines that are damaged or of an unknown version ask for nothing."""
    try:
        block = path.read_bytes()
    except FileNotFoundError:
        return []
    commands = []
    for line in block[: block.rfind(b"\n") + 1].splitlines():
        try:
            record = json.loads(line)
            if isinstance(record, dict) and record.pop("v", None) == COMMAND_VERSION:
                commands.append(Command(str(record.pop("type", "")), float(record.pop("time", 0.0)), record))
        except (ValueError, TypeError):
            continue
    return commands


def current_orders(path: Path) -> Orders:
    """Fold the commands of a run into what holds now."""
    orders = Orders()
    for command in read_commands(path):
        if command.type == CommandType.RESUME:
            orders = Orders(
                orders.attempt + 1, stop_requested=False, checkpoint=command.data.get("checkpoint")
            )
        elif command.type == CommandType.STOP:
            orders = Orders(orders.attempt, stop_requested=True, checkpoint=orders.checkpoint)
    return orders
