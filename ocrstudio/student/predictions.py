"""Predictions of an evaluation on disk, written as they come: an interrupted run goes on from them."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

PREDICTIONS_FILE = "predictions.jsonl"


@dataclass(frozen=True)
class Prediction:
    """What the student wrote about one line of the dataset.

    Attributes:
        line: Line of the dataset, from 1.
        raw: The answer with the model's tags; None when there is none.
        truncated: Whether it was cut off.
        tokens: Generated tokens.
        seconds: Time for it.
        error: Why there is no answer, or empty.
    """

    line: int
    raw: str | None
    truncated: bool = False
    tokens: int = 0
    seconds: float = 0.0
    error: str = ""


class PredictionLog:
    """Append-only file of predictions.

    Args:
        path: Created when missing. A last line that a crash cut off is removed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.known: Mapping[int, Prediction] = _read(path)
        self._stream = path.open("a", encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._stream.close()

    def append(self, prediction: Prediction) -> None:
        """Write a prediction so that a crash does not lose it."""
        self._stream.write(json.dumps(asdict(prediction), ensure_ascii=False) + "\n")
        self._stream.flush()
        os.fsync(self._stream.fileno())


def _read(path: Path) -> dict[int, Prediction]:
    """All complete predictions; the file is cut behind the last of them."""
    known: dict[int, Prediction] = {}
    if not path.exists():
        return known
    complete = 0
    with path.open("rb") as stream:
        for line in stream:
            try:
                prediction = Prediction(**json.loads(line))
            except (ValueError, TypeError):
                break
            if not line.endswith(b"\n"):
                break
            known[prediction.line] = prediction
            complete += len(line)
    os.truncate(path, complete)
    return known
