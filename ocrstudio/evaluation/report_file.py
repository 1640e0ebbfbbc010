"""Reports as JSON files. The layout is versioned; a newer one is refused in a sentence, not misread.

A report of layout 1 had no profiles and no figures of blocks. It holds the texts, so it is measured again
when it is read, with what it made equal.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ocrstudio.domain.errors import InputError
from ocrstudio.evaluation.bootstrap import Interval
from ocrstudio.evaluation.normalise import Normalisation
from ocrstudio.evaluation.profiles import DEFAULT_PROFILE, Profile
from ocrstudio.evaluation.results import ErrorRate, EvaluationReport, Overall, PageResult, Pair
from ocrstudio.evaluation.scoring import build_report
from ocrstudio.settings.files import write_text

FORMAT = "ocrstudio-evaluation"
VERSION = 2
_WITHOUT_BLOCKS = 1


def to_json(report: EvaluationReport) -> str:
    """A report as JSON text."""
    data = {
        "format": FORMAT,
        "version": VERSION,
        "title": report.title,
        "system": dict(report.system),
        "profile": report.profile.to_dict(),
        "seed": report.seed,
        "overall": asdict(report.overall),
        "pages": [asdict(page) for page in report.pages],
    }
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def from_json(text: str, name: str = "The report") -> EvaluationReport:
    """A report from JSON text.

    Args:
        text: What `to_json` wrote.
        name: What messages call it.

    Raises:
        InputError: It is not a report, or one of a newer layout.
    """
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{name} is not JSON: {error.msg} in line {error.lineno}.") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise InputError(f"{name} is not an evaluation report of OCR Studio.")
    if data.get("version") not in (VERSION, _WITHOUT_BLOCKS):
        raise InputError(
            f"{name} has layout version {data.get('version')}; this program reads version {VERSION}.",
            "Use the version of OCR Studio that wrote it.",
        )
    try:
        return _measured_again(data) if data["version"] == _WITHOUT_BLOCKS else _report(data)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{name} is incomplete: {error}.", "Evaluate again.") from error


def write(report: EvaluationReport, path: Path) -> None:
    """Write a report, atomically.

    Raises:
        InputError: The file cannot be written.
    """
    try:
        write_text(path, to_json(report))
    except OSError as error:
        raise InputError(f"The report {path} cannot be written: {error.strerror or error}.") from error


def read(path: Path) -> EvaluationReport:
    """Read a report.

    Raises:
        InputError: It cannot be read, or is not a report.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The report {path} cannot be read: {error}.") from error
    return from_json(text, str(path))


def _report(data: dict[str, Any]) -> EvaluationReport:
    overall = dict(data["overall"])
    return EvaluationReport(
        overall=Overall(**{**overall, "cer": _rate(overall["cer"]), "wer": _rate(overall["wer"])}),
        profile=Profile.from_dict(data["profile"]),
        seed=data["seed"],
        pages=tuple(PageResult(**{**page, "flags": tuple(page["flags"])}) for page in data["pages"]),
        title=data["title"],
        system=data.get("system", {}),
    )


def _measured_again(data: dict[str, Any]) -> EvaluationReport:
    rules = {key: value for key, value in data["normalisation"].items() if key != "in_words"}
    pairs = [
        Pair(
            key=page["key"],
            reference=page["reference"],
            prediction=page["prediction"],
            document=page["document"],
            page=page["page"],
            truncated="truncated" in page["flags"],
            error=page["error"],
        )
        for page in data["pages"]
    ]
    profile = Profile(DEFAULT_PROFILE, Normalisation.from_dict(rules))
    return build_report(pairs, profile, title=data["title"], system=data.get("system"), seed=data["seed"])


def _rate(data: dict[str, Any]) -> ErrorRate:
    interval = data["interval"]
    return ErrorRate(**{**data, "interval": None if interval is None else Interval(**interval)})
