"""What the offline teacher takes for a scan: seconds on the clock and of the processors, beside its peers.

    python -m benchmarks.offline_scans [--pages DIR] [--against CHECKOUT] [--only WORD] [--no-peer]

Each picture (NAME.png in DIR, without one the drawn set of `benchmarks.offline_teacher`) is read in turn by
the child process of the teacher, by RapidOCR alone in a child, and by the teacher of another checkout if one
is named, so that all of them meet the same load of the machine. Processor seconds include everything that a
child starts. Where the truth stands in NAME.md, the error rate is `benchmarks.offline_teacher`'s. A first
page of each is not counted: it loads the models.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.offline_teacher import Page, error_rate, made
from ocrstudio.jobs.line_process import ChildError, LineProcess
from ocrstudio.jobs.line_server import Handler, Notify, serve_lines

CHECKOUT = Path(__file__).resolve().parents[1]
THREADS = os.cpu_count() or 1
PEER = "--serve-rapidocr"


@dataclass(frozen=True)
class Result:
    """What one reader made of a page.

    Attributes:
        text: Its text; the message where it failed.
        remarks: What it doubts.
        wall: Seconds.
        processors: Seconds of all processors, user and system.
    """

    text: str
    remarks: tuple[str, ...]
    wall: float
    processors: float


class Reader:
    """A child process that reads pictures.

    Args:
        name: Name in the table.
        checkout: Where its source lies.
        arguments: Its module and what follows.
    """

    def __init__(self, name: str, checkout: Path, *arguments: str) -> None:
        self.name = name
        environment = {**os.environ, "PYTHONPATH": str(checkout)}
        # -P: not the source in the folder where the benchmark was started.
        command = [sys.executable, "-P", "-m", *arguments]
        self._child = LineProcess(command, name=name, environment=environment)
        self._process: psutil.Process | None = None

    async def start(self, warm_up: Path) -> None:
        """Start the child and let it load its models."""
        before = {child.pid for child in psutil.Process().children()}
        await self._child.start()
        self._process = next(child for child in psutil.Process().children() if child.pid not in before)
        await self.read(warm_up)

    async def read(self, picture: Path) -> Result:
        """Read a picture."""
        page = {"document": None, "page_index": 0, "password": None, "image": str(picture)}
        started, used = time.monotonic(), self._used()
        try:
            record = await self._child.request("draft", {**page, "max_pixels": 100_000_000}, timeout=600)
        except ChildError as error:
            record = {"markdown": error.message, "remarks": ["failed"]}
        wall, processors = time.monotonic() - started, self._used() - used
        return Result(record["markdown"], tuple(record["remarks"]), wall, processors)

    async def close(self) -> None:
        """End the child."""
        await self._child.close()

    def _used(self) -> float:
        if self._process is None:
            return 0.0
        times = self._process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)


def teacher(name: str, checkout: Path) -> Reader:
    """The child of the offline teacher of a checkout, reading pictures on all cores."""
    options = {"method": "ocr", "ocr_engine": "rapidocr", "languages": ["eng"], "reading_order": "auto"}
    return Reader(
        name, checkout, "ocrstudio.teachers.offline", json.dumps({**options, "dpi": 200, "threads": THREADS})
    )


def serve_rapidocr(notify: Notify) -> tuple[Mapping[str, Handler], dict[str, Any]]:  # noqa: ARG001
    """RapidOCR as its documentation calls it, answering what the teacher's child is asked."""
    from rapidocr import RapidOCR

    engine = RapidOCR(params={"Global.log_level": "critical"})

    def draft(image: str, **_: object) -> dict[str, Any]:
        found: Any = engine(Path(image))
        return {"markdown": "\n".join(found.txts or ()), "remarks": []}

    return {"draft": draft}, {}


async def measure(pictures: list[Path], readers: list[Reader]) -> None:
    """Read all pictures with all readers and print the table."""
    results: dict[str, list[Result]] = {reader.name: [] for reader in readers}
    try:
        for reader in readers:
            await reader.start(pictures[0])
        head = "".join(f"{reader.name:>26}" for reader in readers)
        print(f"{'page':28}{head}\n{'':28}" + "  seconds processors   CER" * len(readers))
        for picture in pictures:
            row = f"{picture.stem:28}"
            for reader in readers:
                result = await reader.read(picture)
                results[reader.name].append(result)
                row += f"{result.wall:9.2f}{result.processors:11.2f}{_rate(picture, result.text):>6}"
            print(row + _differences([found[-1] for found in results.values()], readers), flush=True)
    finally:
        for reader in readers:
            await reader.close()
    for reader in readers:
        found = results[reader.name]
        walls, used = [one.wall for one in found], [one.processors for one in found]
        print(
            f"{reader.name}: median {statistics.median(walls):.2f} s, most {max(walls):.2f} s; processors: "
            f"median {statistics.median(used):.2f} s, most {max(used):.2f} s, sum {sum(used):.1f} s"
        )
    own = results[readers[0].name]
    for reader in readers[1:]:
        ratio = sum(one.processors for one in own) / sum(one.processors for one in results[reader.name])
        print(f"processor seconds of {readers[0].name} over those of {reader.name}: {ratio:.2f}")


def _rate(picture: Path, text: str) -> str:
    truth = picture.with_suffix(".md")
    known = truth.read_text("utf-8") if truth.exists() else ""
    return f"{error_rate(Page(picture.stem, picture, known, ''), text):.3f}" if known.strip() else ""


def _differences(found: list[Result], readers: list[Reader]) -> str:
    """Whether the teachers wrote the same; they are the first reader, and the last of three or of no peer."""
    if len(found) < 2 or readers[-1].name == "RapidOCR":
        return ""
    same_text, same_remarks = found[0].text == found[-1].text, found[0].remarks == found[-1].remarks
    return "  same" if same_text and same_remarks else "  other remarks" if same_text else "  OTHER TEXT"


def main() -> int:
    if sys.argv[1:] == [PEER]:
        return serve_lines(serve_rapidocr)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pages", type=Path)
    parser.add_argument("--against", type=Path, help="another checkout, in the same environment")
    parser.add_argument("--only", default="", help="a part of the name; several with commas")
    parser.add_argument("--no-peer", action="store_true", help="without RapidOCR alone")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        pictures = sorted((options.pages or made(Path(folder))).rglob("*.png"))
        words = options.only.split(",")
        pictures = [picture for picture in pictures if any(word in picture.stem for word in words)]
        readers = [teacher("teacher", CHECKOUT)]
        readers += [] if options.no_peer else [Reader("RapidOCR", CHECKOUT, "benchmarks.offline_scans", PEER)]
        readers += [teacher("other checkout", options.against)] if options.against else []
        asyncio.run(measure(pictures, readers))
    return 0


if __name__ == "__main__":
    sys.exit(main())
