"""How long the store takes in a workspace of 20,000 pages: ``python -m benchmarks.store [PAGES]``.

Prints one line for each operation that the window or a batch waits for: median and worst of several runs.
"""

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ocrstudio.domain.document import DocumentKind, PageStatus
from ocrstudio.domain.label import HUMAN, NewRevision
from ocrstudio.services import labelling
from ocrstudio.store import Workspace

PAGES = 20_000
PAGES_PER_DOCUMENT = 100
WORDS_PER_PAGE = 450  # about 3,000 characters: a full page of text
RUNS = 5


def main(page_count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "ws"
        started = time.perf_counter()
        fill(root, page_count)
        size = (root / "workspace.db").stat().st_size / 2**20
        seconds = time.perf_counter() - started
        print(f"{page_count:,} pages with labels, {size:.0f} MiB, filled in {seconds:.1f} s")
        measure("open", lambda: Workspace.open(root).close())
        with Workspace.open(root) as ws:
            middle = page_count // 2
            measure("list, all", ws.pages.list)
            measure("list, one status", lambda: ws.pages.list(statuses=[PageStatus.FLAGGED]))
            measure("list, one document", lambda: ws.pages.list(document_id=7))
            measure("counts", ws.pages.counts)
            measure("search, rare word", lambda: ws.pages.list(text=f"unique{middle} "))
            measure("search, common word", lambda: ws.pages.list(text="word1"))
            measure("search, two letters", lambda: ws.pages.list(text="q7"))
            measure("next to review", lambda: labelling.next_to_review(ws, middle))
            measure("history of a page", lambda: ws.labels.history(middle))
            measure(
                "append (synced)", lambda: ws.labels.append(middle, page_revision(0), make_current=True), 50
            )
            measure("save an edit (synced)", lambda: labelling.save_edit(ws, middle, str(time.time())), 50)


def fill(root: Path, page_count: int) -> None:
    generator = random.Random(0)
    statuses = list(PageStatus)
    with Workspace.create(root) as ws, ws.transaction():
        for number in range(max(1, page_count // PAGES_PER_DOCUMENT)):
            ws.documents.add(
                name=f"document {number}",
                path=f"documents/{number}.pdf",
                kind=DocumentKind.PDF,
                sha256=str(number),
                page_sizes=[(595.0, 842.0)] * PAGES_PER_DOCUMENT,
            )
        for row in ws.pages.list():
            ws.labels.append(row.page.id, page_revision(row.page.id), make_current=True)
            ws.pages.set_status(row.page.id, generator.choice(statuses))


def page_revision(number: int) -> NewRevision:
    generator = random.Random(number)
    words = (f"word{generator.randrange(10_000)}" for _ in range(WORDS_PER_PAGE))
    return NewRevision(f"# unique{number} page\n\n{' '.join(words)}", HUMAN)


def measure(name: str, operation: Callable[[], object], runs: int = RUNS) -> None:
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        operation()
        times.append((time.perf_counter() - started) * 1000)
    print(f"{name:24} median {statistics.median(times):8.1f} ms   worst {max(times):8.1f} ms")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else PAGES)
