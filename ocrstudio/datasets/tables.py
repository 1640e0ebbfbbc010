"""Parquet files, and datasets that the library `datasets` has saved to a folder; both through pyarrow.

The library itself is not needed: what it saves are Arrow streams and a few JSON files beside them. It writes
a picture as an object of ``bytes`` and ``path``, which `ocrstudio.datasets.pictures` understands.
"""

import importlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ocrstudio.domain.errors import DatasetError
from ocrstudio.domain.page_files import natural_key

EXTRA: Final = "datasets"
"""The extra that brings what is needed here."""

_STATE, _SPLITS = "state.json", "dataset_dict.json"
_ROWS = 16  # at once: each may hold a picture

Numbered = tuple[int, Mapping[str, Any]]


def read_parquet(path: Path) -> Iterator[Numbered]:
    """The rows of a Parquet file.

    Raises:
        DatasetError: pyarrow is missing, or the file is damaged.
    """
    parquet = _library("pyarrow.parquet", path)
    try:
        with parquet.ParquetFile(path) as file:
            batches = file.iter_batches(batch_size=_ROWS)
            yield from enumerate((row for batch in batches for row in batch.to_pylist()), start=1)
    except _errors() as error:
        raise _damaged(path, error) from error


def read_arrow(path: Path) -> Iterator[Numbered]:
    """The rows of an Arrow stream, as `datasets` saves them.

    Raises:
        DatasetError: pyarrow is missing, or the file is damaged.
    """
    arrow = _library("pyarrow", path)
    try:
        with arrow.memory_map(str(path)) as source, arrow.ipc.open_stream(source) as stream:
            rows = (
                row
                for batch in stream
                for start in range(0, batch.num_rows, _ROWS)
                for row in batch.slice(start, _ROWS).to_pylist()
            )
            yield from enumerate(rows, start=1)
    except _errors() as error:
        raise _damaged(path, error) from error


TABLES: Mapping[str, Callable[[Path], Iterator[Numbered]]] = {
    ".parquet": read_parquet,
    ".arrow": read_arrow,
}
"""Readers of files by their ending."""


def is_saved(folder: Path) -> bool:
    """Whether a folder is what `datasets` saves, or holds Parquet files (as on the hub in ``data/``, too)."""
    return any((folder / name).is_file() for name in (_STATE, _SPLITS)) or bool(_parquet_files(folder))


def read_saved(folder: Path) -> Iterator[Numbered]:
    """The rows of such a folder.

    Raises:
        DatasetError: It holds several splits, another index than its rows, or cannot be read.
    """
    splits = [path for path in sorted(folder.iterdir()) if (path / _STATE).is_file()]
    if (folder / _SPLITS).is_file() and len(splits) != 1:
        raise _several(folder, [path.name for path in splits])
    if (folder / _SPLITS).is_file():
        folder = splits[0]
    if (folder / _STATE).is_file():
        files, read = _arrow_files(folder), read_arrow
    else:
        files, read = _parquet_files(folder), read_parquet
        names = dict.fromkeys(path.stem.partition("-")[0] for path in files)
        if len(names) > 1 and any(path.stem != path.stem.partition("-")[0] for path in files):
            raise _several(folder, [*names])
    done = 0
    for file in files:
        number = 0
        for number, row in read(file):
            yield done + number, row
        done += number


def _parquet_files(folder: Path) -> list[Path]:
    for place in (folder, folder / "data"):
        found = sorted(place.glob("*.parquet"), key=lambda path: natural_key(path.name))
        if found:
            return found
    return []


def _arrow_files(folder: Path) -> list[Path]:
    try:
        state = json.loads((folder / _STATE).read_text("utf-8"))
        names = [entry["filename"] for entry in state["_data_files"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(
            f"{folder / _STATE} does not name the files of the dataset.", "Save the dataset once more."
        ) from error
    if state.get("_indices_data_files"):
        raise DatasetError(
            f"{folder} holds a selection of rows beside its data, which is not read.",
            "Save it once more after dataset.flatten_indices().",
        )
    if not all(isinstance(name, str) and Path(name).name == name for name in names):
        raise DatasetError(f"{folder / _STATE} names a file outside its folder.")
    return [folder / name for name in names]


def _several(folder: Path, names: list[str]) -> DatasetError:
    return DatasetError(
        f"{folder} holds {len(names)} parts: {', '.join(names) or 'none'}.",
        "Name the folder or the Parquet file of one of them.",
    )


def _library(name: str, path: Path) -> Any:  # noqa: ANN401 - a module
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise DatasetError(
            f"{path.name} can only be read with pyarrow, which is not installed.",
            f"Install it: pip install 'ocrstudio[{EXTRA}]' (it also comes with the extra train).",
        ) from error


def _errors() -> tuple[type[Exception], ...]:
    return (importlib.import_module("pyarrow").ArrowException, OSError)


def _damaged(path: Path, error: Exception) -> DatasetError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return DatasetError(f"{path} cannot be read: {reason.rstrip('.')}.", "Copy or download it again.")
