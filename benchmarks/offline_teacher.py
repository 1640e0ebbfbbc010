"""How well does the offline teacher read pictures, beside each engine alone?

    python benchmarks/offline_teacher.py [--pages DIR] [--readers teacher,rapidocr,tesseract,pymupdf]
                                         [--cache DIR] [--label NAME] [--only WORD] [--json FILE]

DIR holds NAME.png or NAME.pdf (its first page) with the truth in NAME.md and, when it is not English,
the Tesseract languages of the page in NAME.lang; folders inside are read too. Without it a small set is
made: drawn tables as scans show them, and the first page of the bundled demo document, upright and turned.

CER is the Levenshtein distance over the length of the truth, on text without Markdown, HTML, LaTeX
commands and white space; a page that fails counts as 1. TEDS of a page is the mean over its true tables of
the best match. To measure another version, run with PYTHONPATH set to its checkout. Results of the other
readers are kept in the cache folder, those of the teacher only under a label.
"""

import argparse
import asyncio
import contextlib
import hashlib
import io
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pymupdf
from rapidfuzz.distance import Levenshtein

sys.path.append(str(Path(__file__).resolve().parents[1]))

from benchmarks import offline_pages
from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.evaluation.tables import Table, parse_html_table, parse_pipe_table
from ocrstudio.evaluation.teds import teds
from ocrstudio.settings.teacher import load_teacher_config
from ocrstudio.tasks import Task, get_task, load_tasks
from ocrstudio.teachers.base import PageSource, Teacher
from ocrstudio.teachers.registry import create_teacher

DPI = 200


@dataclass(frozen=True)
class Page:
    """A page with its truth."""

    name: str
    file: Path
    truth: str
    languages: str


@dataclass(frozen=True)
class Reading:
    """What one reader made of a page."""

    text: str
    seconds: float
    flags: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    error: str = ""
    memory: int = 0
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Cache:
    """Readings of earlier runs.

    Attributes:
        folder: Where they are; None keeps none.
        label: Name of the version of the teacher; empty keeps none of its readings.
    """

    folder: Path | None
    label: str

    def get(self, name: str, page: Page) -> Reading | None:
        """What a reader made of the page then."""
        file = self._file(name, page)
        if file is None or not file.exists():
            return None
        return Reading(**json.loads(file.read_text("utf-8")))

    def put(self, name: str, page: Page, reading: Reading) -> None:
        """Keep a reading."""
        print(f"{name:10} {page.name:28} {reading.seconds:5.1f} s", file=sys.stderr, flush=True)
        file = self._file(name, page)
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(asdict(reading), ensure_ascii=False), "utf-8")

    def _file(self, name: str, page: Page) -> Path | None:
        if self.folder is None or (name == "teacher" and not self.label):
            return None
        digest = hashlib.sha256(page.file.read_bytes() + page.languages.encode()).hexdigest()[:16]
        return self.folder / f"{name}{self.label if name == 'teacher' else ''}-{digest}.json"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pages", type=Path)
    parser.add_argument("--readers", default="teacher,rapidocr,tesseract,pymupdf")
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--label", default="", help="name of this version; its readings are cached, too")
    parser.add_argument("--only", default="", help="a part of the name")
    parser.add_argument("--json", type=Path, help="where to write texts and figures")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        pages = [
            page for page in find_pages(options.pages or made(Path(folder))) if options.only in page.name
        ]
        readings = {
            name: read_all(name, pages, Cache(options.cache, options.label))
            for name in options.readers.split(",")
            if name != "tesseract" or shutil.which("tesseract")
        }
    report(pages, readings)
    if options.json is not None:
        rows = {name: [asdict(reading) for reading in found] for name, found in readings.items()}
        names = [page.name for page in pages]
        options.json.write_text(json.dumps({"pages": names, **rows}, ensure_ascii=False, indent=1), "utf-8")
    return 0


def find_pages(folder: Path) -> list[Page]:
    """Pages that have a truth."""
    pages = []
    for truth in sorted(folder.rglob("*.md")):
        files = [
            truth.with_suffix(ending) for ending in (".png", ".pdf") if truth.with_suffix(ending).exists()
        ]
        language = truth.with_suffix(".lang")
        spoken = language.read_text("utf-8").strip() if language.exists() else "eng"
        pages += [Page(truth.stem, file, truth.read_text("utf-8"), spoken) for file in files[:1]]
    return pages


def made(folder: Path) -> Path:
    """A small set of pages: drawn tables, and a page of the demo document in every turn."""
    offline_pages.draw_tables(folder)
    offline_pages.draw_vertical(folder)
    demo = Path(__file__).resolve().parents[1] / "resources" / "demo" / "labelling-handbook.pdf"
    with pymupdf.open(demo) as document:
        truth = document[0].get_text()
        document[0].get_pixmap(dpi=DPI).save(folder / "demo.png")
    (folder / "demo.md").write_text(truth, "utf-8")
    offline_pages.draw_turned(folder, folder / "demo.png", truth, "eng")
    return folder


def read_all(name: str, pages: Sequence[Page], cache: Cache) -> list[Reading]:
    """Read every page with one reader; the cache is asked first."""
    if name == "teacher":
        return asyncio.run(read_with_teacher(pages, cache))
    return [cached(name, page, cache) for page in pages]


def cached(name: str, page: Page, cache: Cache) -> Reading:
    kept = cache.get(name, page)
    if kept is not None:
        return kept
    started = time.monotonic()
    text = READERS[name](page)
    reading = Reading(text, time.monotonic() - started)
    cache.put(name, page, reading)
    return reading


async def read_with_teacher(pages: Sequence[Page], cache: Cache) -> list[Reading]:
    overrides = {"request.concurrent_requests": 1, "offline.method": "ocr"}
    teacher = create_teacher(load_teacher_config(None, overrides))
    task = get_task(load_tasks(), "markdown")
    await teacher.open()
    found = []
    try:
        for page in pages:
            kept = cache.get("teacher", page)
            found.append(kept or await _read_one(teacher, page, task))
            if kept is None:
                cache.put("teacher", page, found[-1])
    finally:
        await teacher.close()
    return found


async def _read_one(teacher: Teacher, page: Page, task: Task) -> Reading:
    started = time.monotonic()
    try:
        draft = await teacher.draft(PageSource(page.name, document=page.file), task)
    except OcrStudioError as error:
        return Reading("", time.monotonic() - started, error=error.message)
    seconds = time.monotonic() - started
    return Reading(draft.text, seconds, draft.flags, draft.remarks, "", memory(), dict(draft.parameters))


def memory() -> int:
    """Most memory that a child of this process has held, in MiB (Linux)."""
    peaks = [0]
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(OSError, psutil.Error):
            status = Path(f"/proc/{child.pid}/status").read_text("utf-8")
            peaks += [int(kib) // 1024 for kib in re.findall(r"VmHWM:\s+(\d+)", status)]
    return max(peaks)


def drawn(page: Page) -> np.ndarray:
    """The page as RGB."""
    with pymupdf.open(page.file) as document:
        first = document[0]
        # A picture is a page of its pixels at its own resolution: draw it as it is.
        pixmap = pymupdf.Pixmap(page.file) if page.file.suffix == ".png" else first.get_pixmap(dpi=DPI)
    shape = pixmap.height, pixmap.width, pixmap.n
    return np.frombuffer(pixmap.samples, np.uint8).reshape(shape)[:, :, :3].copy()


_RAPID: list[Any] = []


def read_with_rapidocr(page: Page) -> str:
    if not _RAPID:
        from rapidocr import RapidOCR

        _RAPID.append(RapidOCR(params={"Global.log_level": "critical"}))
    found = _RAPID[0](drawn(page)[:, :, ::-1].copy())
    return "\n".join(found.txts or ())


def read_with_tesseract(page: Page) -> str:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(drawn(page)).save(buffer, "png")
    command = ["tesseract", "stdin", "stdout", "-l", page.languages, "--dpi", str(DPI)]
    environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}
    done = subprocess.run(command, input=buffer.getvalue(), capture_output=True, env=environment, check=False)
    return done.stdout.decode("utf-8", "replace")


def read_with_pymupdf(page: Page) -> str:
    from ocrstudio.pdf import engine

    layout = engine.load_layout()
    pixels = drawn(page)
    height, width = pixels.shape[:2]
    with pymupdf.open() as document:
        pixmap = pymupdf.Pixmap(pymupdf.csRGB, width, height, pixels.tobytes(), False)
        whole = document.new_page(width=width * 72 / DPI, height=height * 72 / DPI)
        whole.insert_image(whole.rect, pixmap=pixmap)
        with contextlib.redirect_stdout(io.StringIO()):
            return str(
                layout.to_markdown(
                    document, force_ocr=True, ocr_dpi=DPI, header=False, footer=False, show_progress=False
                )
            )


READERS: Mapping[str, Callable[[Page], str]] = {
    "rapidocr": read_with_rapidocr,
    "tesseract": read_with_tesseract,
    "pymupdf": read_with_pymupdf,
}

_NOT_TEXT = re.compile(r"<[^>]*>|\\[a-zA-Z]+|[\s#*_|`$\\{}^]|:?-{3,}:?|==>.*?<==")


def squashed(text: str) -> str:
    """Only what is read: no Markdown, HTML, LaTeX commands or white space; NFKC."""
    return _NOT_TEXT.sub("", unicodedata.normalize("NFKC", text))


def error_rate(page: Page, text: str) -> float:
    truth = squashed(page.truth)
    return Levenshtein.distance(truth, squashed(text)) / max(1, len(truth))


def tables_of(text: str) -> list[Table]:
    """The tables of a text; found here, so that older versions can be measured."""
    html = [parse_html_table(found) for found in re.findall(r"(?is)<table\b.*?</table>", text)]
    rest = re.sub(r"(?is)<table\b.*?</table>", "", text)
    pipes = re.findall(r"(?m)^\|.*\n\|[ :|-]+\n(?:\|.*\n?)*", rest)
    return [*html, *map(parse_pipe_table, pipes)]


def table_score(page: Page, text: str) -> float | None:
    """Mean over the true tables of the most similar found one; None where there are none."""
    expected, found = tables_of(page.truth), tables_of(text)
    if not expected:
        return None
    return statistics.mean(max((teds(table, other) for other in found), default=0.0) for table in expected)


def report(pages: Sequence[Page], readings: Mapping[str, Sequence[Reading]]) -> None:
    names = list(readings)
    head = "".join(f"{name:>11}" for name in names)
    print(f"{'page':28}{head}   TEDS{'':{11 * len(names) - 7}}  s   teacher")
    rates: dict[str, list[float]] = {name: [] for name in names}
    scores: dict[str, list[float]] = {name: [] for name in names}
    for number, page in enumerate(pages):
        row = f"{page.name:28}"
        for name in names:
            rates[name].append(error_rate(page, readings[name][number].text))
            row += f"{rates[name][-1]:11.3f}"
        for name in names:
            score = table_score(page, readings[name][number].text)
            scores[name] += [] if score is None else [score]
            row += f"{'' if score is None else f'{score:.2f}':>11}"
        teacher = readings.get("teacher")
        if teacher is not None:
            one = teacher[number]
            row += f" {one.seconds:5.1f}   {' '.join(one.flags) or ('failed' if one.error else '')}"
            if rates["teacher"][-1] > 0.5 and not one.flags and not one.error:
                row += "  << wrong and not flagged"
        print(row)
    print(
        f"{'mean CER, mean TEDS':28}" + "".join(f"{statistics.mean(rates[n]):11.3f}" for n in names), end=""
    )
    print("".join(f"{statistics.mean(scores[n]) if scores[n] else 0:11.3f}" for n in names))
    print(f"{'median seconds a page':28}" + "".join(f"{_median_seconds(readings[n]):11.1f}" for n in names))
    if "teacher" in readings:
        print(f"most memory of a child: {max(reading.memory for reading in readings['teacher'])} MiB")


def _median_seconds(readings: Sequence[Reading]) -> float:
    return statistics.median(reading.seconds for reading in readings)


if __name__ == "__main__":
    sys.exit(main())
