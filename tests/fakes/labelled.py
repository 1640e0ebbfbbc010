"""Datasets of small pictures, for tests in which nobody reads them."""

from collections.abc import Iterable
from pathlib import Path

from PIL import Image

from ocrstudio.datasets.record import DatasetRecord

PROMPT = "<image>\nConvert this document to markdown."


def write_dataset(path: Path, names: Iterable[str], side: int = 20) -> Path:
    """A dataset with one picture and one answer for each name; returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = []
    for number, name in enumerate(names):
        Image.new("RGB", (side, side), (number % 256, 90, 0)).save(path.parent / f"{name}.png")
        lines.append(DatasetRecord(PROMPT, f"{name}.png", f"# {name}\n\nLedger {number}.").to_json())
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def pages_of(documents: int, each: int, first: int = 0) -> list[str]:
    """Names of the pages of several documents."""
    return [f"doc{d}_p{page}" for d in range(first, first + documents) for page in range(1, each + 1)]
