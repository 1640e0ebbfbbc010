"""The journal of an output: a JSON line for a page, written the moment its label arrives.

A label that had to wait for its check has two, of which the later one counts.
The files that the user wants (Markdown, JSON, a dataset) are made from it, so a run that was killed can go on
with ``--resume`` and repeat nothing.
"""

import errno
import json
import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import filelock

from ocrstudio.domain.errors import InputError


class Earlier(StrEnum):
    """What to do with the labels of an earlier run in the same folder."""

    REFUSE = "refuse"
    RESUME = "resume"
    OVERWRITE = "overwrite"


JOURNAL_NAME: Final = ".ocrstudio-infer.jsonl"
_VERSION = 1


@dataclass(frozen=True)
class LabelledPage:
    """A page that is done.

    Attributes:
        id: See `pages.InputPage`.
        text: Post-processed Markdown.
        raw: The output as it came.
        prompt: The prompt sent, or empty.
        flags: Why to look at it first.
        parameters: How it was made.
    """

    id: str
    text: str
    raw: str = ""
    prompt: str = ""
    flags: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)


class Journal:
    """Append-only; a context manager. Made by `open_journal`.

    Attributes:
        done: Pages of this and earlier runs, by id.
    """

    def __init__(self, path: Path, lock: filelock.BaseFileLock) -> None:
        self._path = path
        self._lock = lock
        self._stream: FileIO | None = None
        self.done: dict[str, LabelledPage] = {}

    def begin(self, made_with: Mapping[str, Any]) -> None:
        """Begin anew."""
        self._stream = self._path.open("wb", buffering=0)
        self._write({"version": _VERSION, "made_with": dict(made_with)})

    def go_on(self, made_with: Mapping[str, Any]) -> None:
        """Go on after the pages that are there.

        Raises:
            InputError: They were made otherwise, or the file is damaged.
        """
        self.done, length = _read(self._path, made_with)
        self._stream = self._path.open("r+b", buffering=0)
        self._stream.truncate(length)  # a line that a kill cut short
        self._stream.seek(length)

    def add(self, page: LabelledPage) -> None:
        """Note a page; it survives a kill of this process from here on.

        Raises:
            InputError: The disk is full or gone.
        """
        try:
            self._write(asdict(page))
        except OSError as error:
            raise InputError(
                f"The journal {self._path} cannot be written: {error.strerror}.", "Free some space."
            ) from error
        self.done[page.id] = page

    def close(self) -> None:
        """Close the file and let other processes have it."""
        if self._stream is not None:
            self._stream.close()
        self._lock.release()

    def _write(self, record: dict[str, Any]) -> None:
        if self._stream is None:
            raise ValueError("the journal was not begun")
        line = json.dumps(record, ensure_ascii=False).encode("utf-8") + b"\n"
        if self._stream.write(line) < len(line):  # without a buffer, a full disk takes a part of it
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_journal(path: Path, made_with: Mapping[str, Any], earlier: Earlier, results: Path) -> Journal:
    """Begin a journal, or go on with it; only one process at a time may.

    Args:
        path: The file; its folder is made when missing.
        made_with: What must be the same for a run that goes on (teacher, task, prompt).
        earlier: What to do with labels that are there already.
        results: What the labels are written to, for messages.

    Raises:
        InputError: The labels that are there may not be touched or were made otherwise, another process
            writes them, or the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        journal = Journal(path, _locked(path, results))
        with ExitStack() as on_failure:
            on_failure.callback(journal.close)
            _start(journal, path, made_with, earlier, results)
            on_failure.pop_all()
    except OSError as error:
        raise InputError(
            f"The output folder {path.parent} cannot be written: {error.strerror or error}.",
            "Choose another --output.",
        ) from error
    return journal


def read_labels(path: Path) -> tuple[LabelledPage, ...]:
    """The pages of a journal, whatever made them.

    Raises:
        InputError: It is damaged, or of another version.
    """
    return tuple(_read(path, {})[0].values())


def _start(
    journal: Journal, path: Path, made_with: Mapping[str, Any], earlier: Earlier, results: Path
) -> None:
    if earlier is Earlier.OVERWRITE or not _has_labels(path):
        journal.begin(made_with)
    elif earlier is Earlier.RESUME:
        journal.go_on(made_with)
    else:
        raise InputError(
            f"{results} holds labels of an earlier run.",
            "Go on with --resume, replace them with --overwrite, or choose another --output.",
        )


def _locked(path: Path, results: Path) -> filelock.BaseFileLock:
    """The lock of a journal, taken; the operating system releases it however the process ends."""
    lock = filelock.FileLock(path.with_suffix(".lock"))
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise InputError(
            f"Another process is writing {results}.",
            "Wait until it is done, or choose another --output.",
        ) from None
    return lock


def _has_labels(path: Path) -> bool:
    """Whether there is more than the first line."""
    return path.exists() and path.read_bytes().count(b"\n") > 1


def _read(path: Path, made_with: Mapping[str, Any]) -> tuple[dict[str, LabelledPage], int]:
    """Pages by id, and the length of the part that is whole."""
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    lines = whole.splitlines()
    try:
        header = json.loads(lines[0])
        version, before = header["version"], dict(header["made_with"])
        pages = [_page(json.loads(line)) for line in lines[1:]]
    except (IndexError, ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"The journal {path} is damaged.", "Begin anew with --overwrite, or choose another --output."
        ) from error
    changed = [key for key, value in made_with.items() if before.get(key) != value]
    if version != _VERSION or changed:
        what = ", ".join(changed) or "program version"
        raise InputError(
            f"The labels in {path.parent} were made with another {what}.",
            "Use the same configuration and task, begin anew with --overwrite, or choose another --output.",
        )
    return {page.id: page for page in pages}, len(whole)


def _page(record: dict[str, Any]) -> LabelledPage:
    return LabelledPage(**{**record, "flags": tuple(record["flags"])})
