"""How soon is the window there with a workspace of 20,000 pages, and which slow libraries did it load?

    python -m benchmarks.window_start [--pages 20000] [--runs 5] [--bar 1.5]

Each run is a fresh process, timed from before the interpreter starts: to the first painted window, to the
page list being filled, and to the first page being shown. The script fails when the median of the first is
over the bar, or when a library is loaded that the start must not wait for.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FORBIDDEN = ("torch", "transformers", "pymupdf", "openai", "pyqtgraph", "rapidocr", "onnxruntime", "ziamath")
PAGES_A_DOCUMENT = 400


def make_workspace(root: Path, pages: int) -> None:
    """Documents of real pages with drafts; all are copies of one PDF."""
    from ocrstudio.domain.document import DocumentKind, PageStatus
    from ocrstudio.domain.label import NewRevision, teacher_source
    from ocrstudio.pdf import engine
    from ocrstudio.store import Workspace

    with Workspace.create(root) as workspace:
        source = root.with_suffix(".pdf")
        with engine.load().open() as document:
            for number in range(PAGES_A_DOCUMENT):
                document.new_page().insert_text((72, 90), f"Page {number + 1}", fontsize=20)
            document.save(source)
        with workspace.transaction():
            for number in range(-(-pages // PAGES_A_DOCUMENT)):
                count = min(PAGES_A_DOCUMENT, pages - number * PAGES_A_DOCUMENT)
                shutil.copy(source, workspace.documents_folder / f"volume-{number + 1}.pdf")
                added = workspace.documents.add(
                    name=f"volume {number + 1}",
                    path=f"documents/volume-{number + 1}.pdf",
                    kind=DocumentKind.PDF,
                    sha256=f"{number:064d}",
                    page_sizes=[(595.0, 842.0)] * count,
                )
                for page in workspace.pages.of_document(added.id):
                    text = f"# Page {page.index + 1}\n\n" + "The harbour office keeps a ledger. " * 40
                    draft = NewRevision(text, teacher_source("offline"), "markdown")
                    workspace.labels.append(page.id, draft, make_current=True)
                    workspace.pages.set_status(page.id, PageStatus.DRAFT)


def child(root: str, started: float) -> None:
    """Opens the window on the workspace, prints the times and closes it."""
    from PySide6.QtCore import QEvent, QObject, QTimer  # noqa: TID251 - it watches the window
    from PySide6.QtWidgets import QApplication  # noqa: TID251

    from ocrstudio.ui.app import main
    from ocrstudio.ui.main_window import MainWindow

    times: dict[str, float] = {}
    loaded: list[str] = []
    poll = QTimer()

    class Watcher(QObject):
        """Notes the first paint of the window."""

        def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
            if isinstance(watched, MainWindow) and event.type() == QEvent.Type.Paint:
                times.setdefault("painted", time.time() - started)
                times.setdefault("cpu", time.process_time())
            return False

    app = QApplication(["ocrstudio"])
    watcher = Watcher()
    app.installEventFilter(watcher)

    def look() -> None:
        window = next((one for one in app.topLevelWidgets() if isinstance(one, MainWindow)), None)
        if window is None:
            return
        if window.pages.model.total:
            times.setdefault("listed", time.time() - started)
            if not loaded:
                loaded.extend(["-", *[name for name in FORBIDDEN if name in sys.modules]])
        if window.viewer.view.has_picture:
            times.setdefault("page", time.time() - started)
            poll.stop()
            window.close()

    poll.timeout.connect(look)
    poll.start(2)
    main([root])
    print(json.dumps({**times, "loaded": loaded[1:]}))


def measure(root: Path, runs: int) -> list[dict[str, float]]:
    """Runs the child in fresh processes."""
    results = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as home:
            environment = {"QT_QPA_PLATFORM": "offscreen", **os.environ, "XDG_CONFIG_HOME": home}
            command = [
                sys.executable,
                "-m",
                "benchmarks.window_start",
                "--child",
                str(root),
                str(time.time()),
            ]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        results.append(json.loads(done.stdout.splitlines()[-1]))
    return results


def main_() -> int:
    """Measures and compares with the bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--bar", type=float, default=1.5, help="seconds to the first painted window")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "large"
        make_workspace(root, options.pages)
        results = measure(root, options.runs)
    for name, words in (
        ("painted", "window painted"),
        ("listed", "page list filled"),
        ("page", "first page drawn"),
        ("cpu", "CPU until painted"),
    ):
        values = sorted(result[name] for result in results)
        print(
            f"{words:18} median {statistics.median(values):.2f} s  ({', '.join(f'{v:.2f}' for v in values)})"
        )
    loaded = sorted({name for result in results for name in result["loaded"]})
    print(f"slow libraries loaded when the list was filled: {', '.join(loaded) or 'none'}")
    slow = statistics.median(result["painted"] for result in results) > options.bar
    return 1 if slow or loaded else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], float(sys.argv[3]))
    else:
        sys.exit(main_())
