"""``curve.json``: what a learning curve is made of and what was measured so far; in the folder of its run.

The trainings and evaluations are runs of their own, in folders beside that one.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ocrstudio.domain.errors import RunError
from ocrstudio.evaluation.curve_verdict import Outlook
from ocrstudio.settings.files import write_text

RECORD_NAME = "curve.json"
_FORMAT = "ocrstudio-learning-curve"
_VERSION = 1


@dataclass(frozen=True)
class CurvePart:
    """A point of the curve: a training on a part of the pages, and its evaluation on the held-out ones.

    Attributes:
        pages: Pages that are trained on; 0 for the student before any training.
        documents: Documents that these come from.
        dataset: JSONL file in the folder of the curve, or None for 0 pages.
        training: Id of the run that trains, or None while there is none.
        evaluation: Id of the run that evaluates, or None while there is none.
        report: Report file of the evaluation in the folder of the curve.
        cer: Character error rate on the held-out pages, or None while it is not measured.
        low: Lower limit of its 95 % interval, or None for a single page.
        high: Upper limit of its 95 % interval, or None for a single page.
        eval_loss: Evaluation loss of the adapter, or None where there is none.
        seconds: How long training and evaluation took, or None.
    """

    pages: int
    documents: int
    dataset: str | None
    report: str
    training: str | None = None
    evaluation: str | None = None
    cer: float | None = None
    low: float | None = None
    high: float | None = None
    eval_loss: float | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class CurveRecord:
    """A learning curve.

    Attributes:
        parts: The points, 0 pages first and all pages last.
        steps: Optimiser steps of each training.
        divided_by: Whether parts are whole documents or single pages: ``document`` or ``page``.
        seed: Of the division and the resampling.
        held_out: JSONL file with the held-out pages, in the folder of the curve.
        held_out_pages: How many there are.
        outlook: What more pages would bring (`outlook_to_json`), or None before the last point.
    """

    parts: tuple[CurvePart, ...]
    steps: int
    divided_by: str
    seed: int
    held_out: str
    held_out_pages: int
    outlook: Mapping[str, Any] | None = None

    @property
    def trainings(self) -> tuple[CurvePart, ...]:
        """The points that take a training."""
        return tuple(part for part in self.parts if part.dataset is not None)

    @property
    def measured(self) -> tuple[CurvePart, ...]:
        """The points that were measured."""
        return tuple(part for part in self.parts if part.cer is not None)


def outlook_to_json(outlook: Outlook) -> dict[str, Any]:
    """An outlook as JSON values; rates as fractions."""
    found = outlook.extrapolation
    figures: dict[str, Any] = {"verdict": outlook.verdict.value, "sentence": outlook.sentence}
    if found is None:
        return figures
    return figures | {
        "pages": found.pages,
        "cer": found.cer,
        "low": found.interval.low,
        "high": found.interval.high,
        "factor": found.law.factor,
        "exponent": found.law.exponent,
    }


def write_record(folder: Path, record: CurveRecord) -> None:
    """Write ``curve.json``, atomically.

    Raises:
        RunError: It cannot be written.
    """
    path = folder / RECORD_NAME
    data = {"format": _FORMAT, "version": _VERSION, **asdict(record)}
    try:
        write_text(path, json.dumps(data, ensure_ascii=False, indent=2) + "\n")
    except OSError as error:
        raise RunError(
            f"{path} cannot be written: {error.strerror or error}.",
            "Free some disk space, then resume the curve.",
        ) from error


def read_record(folder: Path) -> CurveRecord:
    """Read ``curve.json``.

    Raises:
        RunError: It is absent, damaged or of another version.
    """
    path = folder / RECORD_NAME
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read: {error}.", "Start a new learning curve.") from error
    if not isinstance(data, dict) or (data.pop("format", None), data.pop("version", None)) != (
        _FORMAT,
        _VERSION,
    ):
        raise RunError(
            f"{path} was not written by this version of OCR Studio.", "Start a new learning curve."
        )
    try:
        return CurveRecord(**{**data, "parts": tuple(CurvePart(**part) for part in data["parts"])})
    except (KeyError, TypeError) as error:
        raise RunError(f"{path} is damaged: {error}.", "Start a new learning curve.") from error
