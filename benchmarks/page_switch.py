"""How soon is a page of a long PDF on the screen, and does memory stay flat over all of them?

    python -m benchmarks.page_switch [--pages 1000] [--pdf FILE] [--bar-first 0.5] [--bar-switch 0.1]

The page view, the renderer and its child process are the window's own. Measured: the first page of the
document once the window is up, going on page by page at a reader's pace (neighbours are drawn ahead, then the
thumbnails of a screen of rows), and jumps to pages that nobody drew ahead. The script fails when a time is
over its bar, or when the memory of both processes still grows in the second half of the pages.
"""

import argparse
import os
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

import psutil
from PySide6.QtCore import QEventLoop, QTimer  # noqa: TID251 - it drives the page view
from PySide6.QtWidgets import QApplication  # noqa: TID251

from ocrstudio.ui.viewer.page_view import PageView
from ocrstudio.ui.viewer.renderer import PageKey, PageRenderer

MIB = 1024 * 1024
PACE = 0.25
JUMPS = 60
ROWS = 14


def make_pdf(path: Path, pages: int) -> None:
    """Pages full of text."""
    from ocrstudio.pdf import engine

    words = "The harbour office keeps a ledger of every vessel and its cargo. " * 45
    with engine.load().open() as document:
        for number in range(pages):
            page = document.new_page()
            page.insert_text((60, 70), f"Page {number + 1}", fontsize=18)
            page.insert_textbox((60, 90, 535, 800), words, fontsize=11)
        document.save(path)


class Reader:
    """Turns pages as the window does."""

    def __init__(self, pdf: Path) -> None:
        self.pdf = pdf
        self.view = PageView()
        self.view.resize(760, 980)
        self.view.show()
        self.renderer = PageRenderer(256 * MIB)
        self.renderer.rendered.connect(self._show)
        self.renderer.small_drawn.connect(lambda key, _: self._small.add(key.index))
        self._small: set[int] = set()
        self._wanted: PageKey | None = None
        self._loop = QEventLoop()

    def turn_to(self, index: int) -> float:
        """Shows a page and returns the seconds until its picture was painted."""
        started = time.perf_counter()
        self._wanted = PageKey(self.pdf, index)
        self.view.show_page(595, 842)
        known = self.renderer.cached(self._wanted)
        if known is not None:
            self._show(known)
        else:
            self.renderer.request(self._wanted, self.view.sharp_dpi())
            self._loop.exec()
        self.view.repaint()
        return time.perf_counter() - started

    def rest(self, seconds: float, index: int) -> None:
        """Reads for a moment while the neighbours and the thumbnails of the list are drawn."""
        near = [PageKey(self.pdf, max(0, index + step)) for step in (1, -1, 2, -2)]
        self.renderer.draw_ahead(near, self.view.sharp_dpi())
        rows = [PageKey(self.pdf, index + step) for step in range(ROWS) if index + step not in self._small]
        self.renderer.draw_small(rows)
        QTimer.singleShot(round(seconds * 1000), self._loop.quit)
        self._loop.exec()

    @property
    def thumbnails(self) -> int:
        """How many thumbnails were drawn."""
        return len(self._small)

    def _show(self, page: object) -> None:
        if page.key == self._wanted:  # type: ignore[attr-defined]
            self.view.show_picture(page)  # type: ignore[arg-type]
            self._loop.quit()


def memory() -> float:
    """Resident memory of this process and its children in MiB."""
    own = psutil.Process()
    return sum(one.memory_info().rss for one in (own, *own.children(recursive=True))) / MIB


def main() -> int:
    """Measures and compares with the bars."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=1_000)
    parser.add_argument("--pdf", type=Path)
    parser.add_argument("--bar-first", type=float, default=0.5, help="seconds to the first page")
    parser.add_argument("--bar-switch", type=float, default=0.1, help="seconds for 95 of 100 switches")
    options = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QApplication([])
    with tempfile.TemporaryDirectory() as folder:
        pdf = options.pdf or Path(folder) / "long.pdf"
        if options.pdf is None:
            make_pdf(pdf, options.pages)
        warm_pdf = Path(folder) / "warm.pdf"
        make_pdf(warm_pdf, 1)
        reader = Reader(warm_pdf)
        reader.turn_to(0)  # the window starts the render process before a document is opened
        reader.pdf = pdf
        first = reader.turn_to(0)
        switches, growth = [], []
        for index in range(1, options.pages):
            if index <= JUMPS:
                reader.rest(PACE, index - 1)
            switches.append(reader.turn_to(index))
            growth.append(memory())
        jumps = [reader.turn_to(random.Random(number).randrange(options.pages)) for number in range(JUMPS)]
        reader.renderer.shutdown()
    app.processEvents()
    print(f"thumbnails drawn meanwhile  {reader.thumbnails}")
    paced = sorted(switches[:JUMPS])
    percentile = paced[round(0.95 * (len(paced) - 1))]
    half = len(growth) // 2
    grown = max(growth[half:]) - max(growth[:half])
    print(f"first page of {options.pages}            {first * 1000:.0f} ms")
    middle = statistics.median(paced)
    print(f"switch, neighbours drawn    p95 {percentile * 1000:.0f} ms, median {middle * 1000:.0f} ms")
    print(f"leafing without a pause     median {statistics.median(switches[JUMPS:]) * 1000:.0f} ms")
    print(f"jump to an unknown page     median {statistics.median(jumps) * 1000:.0f} ms")
    print(f"memory                      {max(growth):.0f} MiB at most, second half {grown:+.0f} MiB")
    return 1 if first > options.bar_first or percentile > options.bar_switch or grown > 64 else 0


if __name__ == "__main__":
    sys.exit(main())
