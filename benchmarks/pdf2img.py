"""Pages per second of ``ocrstudio pdf2img`` beside ``pdftoppm -png``, with the same number of processes.

Both are timed from the start of the command to its end, start-up included. pdftoppm knows no processes: its
pages are dealt to as many of them as we get.

Usage: ``python benchmarks/pdf2img.py [--pdf FILE] [--pages N]``.
"""

import argparse
import itertools
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pymupdf

from ocrstudio.services.conversion import available_cores

BAR = 10.0
_LINE = "Sphinx of black quartz, judge my vow: 0123456789 and the quick brown fox. "


def make_document(path: Path, pages: int) -> None:
    """A4 pages of body text with a rule and a tinted box, about what a report holds."""
    with pymupdf.open() as document:
        for number in range(1, pages + 1):
            page = document.new_page(width=595, height=842)
            page.insert_text((60, 70), f"Chapter {number}", fontsize=20)
            page.draw_line((60, 80), (535, 80))
            page.draw_rect((60, 700, 535, 780), fill=(0.85, 0.9, 1.0))
            page.insert_textbox((60, 100, 535, 780), _LINE * 45, fontsize=10)
        document.save(path)


def time_ours(pdf: Path, output: Path, dpi: int, jobs: int) -> float:
    command = [sys.executable, "-m", "ocrstudio", "pdf2img", "--source", str(pdf), "--output", str(output)]
    start = time.perf_counter()
    subprocess.run([*command, "--dpi", str(dpi), "--jobs", str(jobs)], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def time_pdftoppm(tool: str, pdf: Path, output: Path, dpi: int, ranges: list[tuple[int, int]]) -> float:
    output.mkdir()
    start = time.perf_counter()
    running = [
        subprocess.Popen(
            [tool, "-r", str(dpi), "-png", "-f", str(first), "-l", str(last), str(pdf), str(output / "page")]
        )
        for first, last in ranges
    ]
    if any(process.wait() for process in running):
        sys.exit("pdftoppm failed.")
    return time.perf_counter() - start


def shares(pages: int, jobs: int) -> list[tuple[int, int]]:
    """Page ranges, counted from one, of as equal a length as possible."""
    bounds = [pages * part // jobs for part in range(jobs + 1)]
    return [(first + 1, last) for first, last in itertools.pairwise(bounds) if last > first]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pdf", type=Path, help="a document; made when missing")
    parser.add_argument("--pages", type=int, default=200, help="pages of the document that is made")
    parser.add_argument("--dpi", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=available_cores())
    parser.add_argument("--rounds", type=int, default=2, help="the best of so many is taken, for both")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        pdf = arguments.pdf or work / "made.pdf"
        if arguments.pdf is None:
            make_document(pdf, arguments.pages)
        with pymupdf.open(pdf) as document:
            pages = document.page_count
        rounds = range(arguments.rounds)
        ours = min(time_ours(pdf, work / f"ours{n}", arguments.dpi, arguments.jobs) for n in rounds)
        print(f"{pdf.name}: {pages} pages, {arguments.dpi} dpi, {arguments.jobs} processes")
        print(f"ocrstudio pdf2img  {pages / ours:7.1f} pages/s  ({ours:.2f} s)")
        tool = shutil.which("pdftoppm")
        if tool is None:
            sys.exit("pdftoppm is not installed (Debian: poppler-utils); nothing to compare with.")
        ranges = shares(pages, arguments.jobs)
        theirs = min(time_pdftoppm(tool, pdf, work / f"theirs{n}", arguments.dpi, ranges) for n in rounds)
    print(f"pdftoppm -png      {pages / theirs:7.1f} pages/s  ({theirs:.2f} s)")
    print(f"ratio {theirs / ours:.1f} (bar: {BAR:g})")


if __name__ == "__main__":
    main()
