"""The journal of an output folder: one JSON line a page, written the moment its label arrives.

The files that the user wants (Markdown, JSON, a dataset) are made from it, so a run that was killed can go on
with ``--resume`` and repeat nothing.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

from ocrstudio.domain.errors import InputError


class Earlier(StrEnum):
    """What to do with the labels of an earlier run in the same folder."""

    REFUSE = "refuse"
    RESUME = "resume"
    OVERWRITE = "overwrite"


FILE_NAME: Final = ".ocrstudio-infer.jsonl"
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

    def __init__(self, stream: IO[bytes], done: dict[str, LabelledPage]) -> None:
        self._stream = stream
        self.done = done

    def add(self, page: LabelledPage) -> None:
        """Note a page; it survives a kill of this process from here on.

        Raises:
            InputError: The disk is full or gone.
        """
        try:
            self._stream.write(_encode(asdict(page)))
            self._stream.flush()
        except OSError as error:
            raise InputError(
                f"The journal cannot be written: {error.strerror}.", "Free some space."
            ) from error
        self.done[page.id] = page

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()


def open_journal(folder: Path, made_with: Mapping[str, Any], earlier: Earlier) -> Journal:
    """Begin the journal of a folder, or go on with it.

    Args:
        folder: The output folder; made when missing.
        made_with: What must be the same for a run that goes on (teacher, task, prompt).
        earlier: What to do with labels that are there already.

    Raises:
        InputError: The folder holds labels that may not be touched or were made otherwise, or it cannot be
            written.
    """
    path = folder / FILE_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if earlier is Earlier.OVERWRITE or not _has_labels(path):
            stream: IO[bytes] = path.open("wb")
            stream.write(_encode({"version": _VERSION, "made_with": dict(made_with)}))
            stream.flush()
            return Journal(stream, {})
        if earlier is Earlier.REFUSE:
            raise InputError(
                f"{folder} holds labels of an earlier run.",
                "Go on with --resume, replace them with --overwrite, or choose another --output.",
            )
        done, length = _read(path, made_with)
        stream = path.open("r+b")
        stream.truncate(length)  # a line that a kill cut short
        stream.seek(length)
        return Journal(stream, done)
    except OSError as error:
        raise InputError(
            f"The output folder {folder} cannot be written: {error.strerror or error}.",
            "Choose another --output.",
        ) from error


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
        pages = [_page(json.loads(line)) for line in lines[1:]]
    except (IndexError, ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"The journal {path} is damaged.", "Begin anew with --overwrite, or choose another --output."
        ) from error
    before = header.get("made_with", {})
    changed = [key for key, value in made_with.items() if before.get(key) != value]
    if header.get("version") != _VERSION or changed:
        what = ", ".join(changed) or "program version"
        raise InputError(
            f"The labels in {path.parent} were made with another {what}.",
            "Use the same configuration and task, begin anew with --overwrite, or choose another --output.",
        )
    return {page.id: page for page in pages}, len(whole)


def _page(record: dict[str, Any]) -> LabelledPage:
    return LabelledPage(**{**record, "flags": tuple(record["flags"])})


def _encode(record: dict[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False).encode("utf-8") + b"\n"
