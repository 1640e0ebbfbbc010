"""Rows out of files: JSON Lines, JSON arrays, both compressed, CSV, Parquet, and what `datasets` has saved.

A file says nothing of the form of its rows; that is for `ocrstudio.datasets.forms`.
"""

import codecs
import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ocrstudio.datasets.record import ProblemKind, RecordError
from ocrstudio.datasets.tables import TABLES, read_saved
from ocrstudio.domain.errors import DatasetError
from ocrstudio.domain.wording import size_of

MAX_LINE_BYTES = 72 * 2**20
"""A line may hold a picture of `MAX_PICTURE_BYTES` as a data URL."""

MAX_JSON_BYTES: Final = 2 * 2**30
"""Of a JSON array, which has to be read as a whole."""

Row = Mapping[str, Any]
Numbered = tuple[int, Row | RecordError]

_WRONG_ENCODINGS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_GZIP = b"\x1f\x8b"
_MAX_FIELD = 16 * 2**20  # characters of a CSV field


_CSV: Final = {".csv": ",", ".tsv": "\t"}
_NAMES_OF_LISTS = ("data", "train", "samples", "rows", "items", "annotations")


def is_table(path: Path) -> bool:
    """Whether the ending of a file is that of a dataset in rows."""
    return _ending(path) in (".jsonl", ".ndjson", ".json", *_CSV, *TABLES)


def read_rows(path: Path) -> Iterator[Numbered]:
    """The rows of a file or of a saved dataset, with their numbers from 1.

    A row that cannot be read is the reason in its place, with its number; so is what was put right.

    Raises:
        DatasetError: The whole cannot be read.
    """
    table = read_saved if path.is_dir() else TABLES.get(_ending(path))
    try:
        if table is not None:
            yield from table(path)
            return
        with path.open("rb") as file:
            compressed = file.peek(2)[:2] == _GZIP
            yield from _rows(path, io.BufferedReader(gzip.GzipFile(fileobj=file)) if compressed else file)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DatasetError(f"{path} is damaged: {error}.", "Copy or download it again.") from error
    except OSError as error:
        raise DatasetError(f"The dataset {path} cannot be read: {error.strerror}.") from error


def _ending(path: Path) -> str:
    """The last ending in small letters, but for that of a compressed file."""
    endings = [ending.lower() for ending in path.suffixes]
    if endings[-1:] == [".gz"]:
        endings.pop()
    return endings[-1] if endings else ""


def _rows(path: Path, stream: io.BufferedReader) -> Iterator[Numbered]:
    beginning = stream.peek(64)[:64]
    if beginning.startswith(_WRONG_ENCODINGS):
        raise DatasetError(f"{path} is in UTF-16.", "Save it as UTF-8.")
    ending = _ending(path)
    if ending in _CSV:
        return _csv_rows(path, stream, _CSV[ending])
    first = beginning.removeprefix(codecs.BOM_UTF8).lstrip()
    if first.startswith(b"[") or (ending == ".json" and first.startswith(b"{")):
        return _json_rows(path, stream)
    return _json_lines(stream)


def _json_lines(stream: io.BufferedReader) -> Iterator[Numbered]:
    number = 0
    while raw := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(raw) > MAX_LINE_BYTES:
            while raw and not raw.endswith(b"\n"):
                raw = stream.readline(MAX_LINE_BYTES)
            limit = f"{MAX_LINE_BYTES // 2**20} MiB"
            yield (
                number,
                RecordError(ProblemKind.TOO_LONG, f"the line is longer than {limit} and was not read"),
            )
            continue
        if number == 1 and raw.startswith(codecs.BOM_UTF8):
            raw = raw.removeprefix(codecs.BOM_UTF8)
            yield number, RecordError(ProblemKind.BYTE_ORDER_MARK, "a byte order mark was ignored")
        yield number, _row(raw)


def _row(raw: bytes) -> Row | RecordError:
    try:
        line = raw.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        return RecordError(ProblemKind.NOT_UTF8, f"byte {error.start + 1} of the line is not UTF-8")
    if not line:
        return RecordError(ProblemKind.BLANK_LINE, "the line is blank; ignored")
    try:
        return _object(json.loads(line))
    except (ValueError, RecursionError) as error:  # ValueError: a number of more than 4,300 digits, too
        where = f" at column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        return RecordError(ProblemKind.NOT_JSON, f"the line is not valid JSON{where}")


def _object(value: object) -> Row | RecordError:
    if isinstance(value, dict):
        return value
    return RecordError(ProblemKind.UNKNOWN_FORM, f"it is no JSON object but {type(value).__name__}")


def _json_rows(path: Path, stream: io.BufferedReader) -> Iterator[Numbered]:
    raw = stream.read(MAX_JSON_BYTES + 1)
    if len(raw) > MAX_JSON_BYTES:
        raise DatasetError(
            f"{path} is a JSON file of more than {size_of(MAX_JSON_BYTES)}, which is read as a whole.",
            "Write one object a line (JSON Lines).",
        )
    try:
        value = json.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path}: byte {error.start + 1} is not UTF-8.", "Save it as UTF-8.") from error
    except (ValueError, RecursionError) as error:
        if raw.lstrip().startswith(b"{"):  # JSON Lines under the name of JSON
            yield from _json_lines(io.BufferedReader(io.BytesIO(raw)))
            return
        where = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise DatasetError(f"{path} is not valid JSON{where}.", "Correct it.") from error
    if isinstance(value, dict):
        inner = next((value[name] for name in _NAMES_OF_LISTS if isinstance(value.get(name), list)), None)
        value = [value] if inner is None else inner
    for number, entry in enumerate(value, start=1):
        yield number, _object(entry)


def _csv_rows(path: Path, stream: io.BufferedReader, delimiter: str) -> Iterator[Numbered]:
    csv.field_size_limit(_MAX_FIELD)
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    try:
        reader = csv.DictReader(text, delimiter=delimiter, strict=True)
        for row in reader:
            if None in row or None in row.values():
                wrong = (
                    f"it has more or fewer fields than the {len(reader.fieldnames or ())} of the first line"
                )
                yield reader.line_num, RecordError(ProblemKind.UNKNOWN_FORM, wrong)
            else:
                yield reader.line_num, row
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not in UTF-8.", "Save it as UTF-8.") from error
    except csv.Error as error:
        raise DatasetError(f"{path}, line {reader.line_num}: {error}.", "Correct the line.") from error
    finally:
        text.detach()  # the stream is its opener's to close
