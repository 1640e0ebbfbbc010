"""How long is the window's event loop held up while a batch of pages is drafted?

    python -m benchmarks.window_batch [--pages 200] [--concurrency 16] [--latency 0.02] [--bar 0.1]

The whole window is there, its workspace open and its teacher panel in front; the pages go to a loopback
server that speaks the OpenAI protocol. A timer that wants to tick every 5 ms notes how late it comes: by that
much the loop was held up, and typing would have waited. With --scans, each page is a picture of 8 megapixels,
which takes a while to draw. The script fails when more than one tick in a hundred is later than the bar.
"""

import argparse
import io
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtCore import QEventLoop, QSettings, QTimer  # noqa: TID251 - it drives the window
from PySide6.QtWidgets import QApplication  # noqa: TID251

from ocrstudio.services.workspaces import import_sources
from ocrstudio.settings.app import load_app_settings
from ocrstudio.store import Workspace
from ocrstudio.ui.app import Studio
from ocrstudio.ui.teachers.scope import Scope
from tests.fakes.openai_server import OpenAiServer
from tests.fakes.pdfs import text_pdf

TICK_MS = 5
SCAN = (3508, 2480)
LONGEST_S = 600.0
SERVER = "Server (OpenAI protocol)"


def wait(condition: Callable[[], object]) -> None:
    """Runs the loop until something is so."""
    loop = QEventLoop()
    look = QTimer()
    look.timeout.connect(lambda: loop.quit() if condition() else None)
    look.start(10)
    QTimer.singleShot(round(LONGEST_S * 1000), loop.quit)
    loop.exec()
    look.stop()
    if not condition():
        raise SystemExit("The window did not get that far within ten minutes.")


def scanned_pdf(path: Path, pages: int) -> Path:
    """Pages as a scanner makes them: one noisy JPEG each."""
    from ocrstudio.pdf import engine

    noise = np.random.default_rng(1).normal(225, 14, SCAN).clip(0, 255).astype(np.uint8)
    for top in range(200, SCAN[0] - 200, 60):
        noise[top : top + 24, 200:-200] //= 3
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "JPEG", quality=85)
    with engine.load().open() as document:
        for number in range(pages):
            page = document.new_page(width=595, height=842)
            page.insert_image(page.rect, stream=buffer.getvalue() + bytes([number % 256]))
        document.save(path)
    return path


def open_window(app: QApplication, folder: Path, pages: int, *, scans: bool) -> Studio:
    """The window with a workspace of pages that have no label yet."""
    pdf = folder / "many.pdf"
    with Workspace.create(folder / "labels") as workspace:
        import_sources(workspace, [scanned_pdf(pdf, pages) if scans else text_pdf(pdf, pages, "A line.")])
    settings = load_app_settings().model_copy(update={"reopen_last_workspace": False})
    studio = Studio(app, settings, QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat))
    studio.start(folder / "labels")
    wait(lambda: studio.window.viewer.view.has_picture)
    return studio


def choose(studio: Studio, server: OpenAiServer, concurrency: int) -> None:
    """Fills in the teacher panel as a user does."""
    setup = studio.panels.teachers.setup
    studio.window.show_panel("teacher")
    setup.teacher.setCurrentIndex(setup.teacher.findText(SERVER))
    setup.teacher.activated.emit(setup.teacher.currentIndex())
    setup.base_url.setText(server.base_url)
    setup.base_url.setModified(True)
    setup.base_url.editingFinished.emit()
    setup.concurrency.setValue(concurrency)
    setup.scope.setCurrentIndex(setup.scope.findData(Scope.LISTED))
    setup.scope.activated.emit(setup.scope.currentIndex())
    wait(setup.start.isEnabled)


def measure(studio: Studio) -> tuple[list[float], float]:
    """Drafts the pages; returns how late each tick came, sorted, and how long the batch took, in seconds."""
    panel = studio.panels.teachers
    beats: list[float] = []
    timer = QTimer()
    timer.setInterval(TICK_MS)
    timer.timeout.connect(lambda: beats.append(time.perf_counter()))
    timer.start()
    started = time.perf_counter()
    panel.setup.start.click()
    wait(panel.batch.cancel.isHidden)
    seconds = time.perf_counter() - started
    timer.stop()
    late = sorted(max(0.0, later - earlier - TICK_MS / 1000) for earlier, later in pairwise(beats))
    return late, seconds


def main() -> int:
    """Measures and compares with the bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--latency", type=float, default=0.02, help="seconds before the server answers")
    parser.add_argument("--bar", type=float, default=0.1, help="seconds that 99 of 100 ticks may be late")
    parser.add_argument("--scans", action="store_true", help="pages that take a while to draw")
    options = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory() as name, OpenAiServer(latency=options.latency) as server:
        os.environ["XDG_CONFIG_HOME"] = name
        app = QApplication(["ocrstudio"])
        studio = open_window(app, Path(name), options.pages, scans=options.scans)
        choose(studio, server, options.concurrency)
        late, seconds = measure(studio)
        done = len(server.requests)
        studio.window.close()
        studio.shutdown()
    percentile = late[round(0.99 * (len(late) - 1))]
    print(f"pages drafted      {done} in {seconds:.1f} s, {done / seconds:.1f} pages/s")
    print(f"loop held up       median {statistics.median(late) * 1000:.1f} ms")
    print(f"                   p99 {percentile * 1000:.1f} ms")
    print(f"                   longest {late[-1] * 1000:.1f} ms, of {len(late)} ticks")
    return 1 if percentile > options.bar or done < options.pages else 0


if __name__ == "__main__":
    sys.exit(main())
