"""How much of the throughput that the concurrency allows does a batch reach?

Labels pages against a server on the loopback interface that answers after a fixed time, and compares with
``pages / concurrency x latency``. The bar is 95 %.

    python benchmarks/teachers.py [--pages 1000] [--concurrency 16] [--latency 0.5]
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from PIL import Image, ImageDraw

from ocrstudio.settings.teacher import load_teacher_config
from ocrstudio.tasks import get_task, load_tasks
from ocrstudio.teachers.base import PageSource
from ocrstudio.teachers.batch import BatchSummary, PageResult, run_batch
from ocrstudio.teachers.registry import create_teacher
from tests.fakes.openai_server import OpenAiServer

BAR = 0.95


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--latency", type=float, default=0.5, help="seconds before each answer")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, OpenAiServer(latency=options.latency) as server:
        image = Path(folder) / "page.png"
        draw_page(image)
        pages = [PageSource(f"page {number + 1}", image=image) for number in range(options.pages)]
        summary = asyncio.run(label(server.base_url, options.concurrency, pages))
        most = server.most_at_once
    ideal = -(-options.pages // options.concurrency) * options.latency
    ratio = ideal / summary.seconds
    print(f"pages        {summary.done} labelled, {summary.failed} failed")
    print(f"requests     at most {most} at once ({options.concurrency} allowed)")
    print(f"time         {summary.seconds:.2f} s, {ideal:.2f} s allowed by the concurrency")
    print(f"throughput   {summary.done / summary.seconds:.1f} pages/s, {ratio:.1%} of the possible")
    return 0 if ratio >= BAR and most <= options.concurrency and summary.done == options.pages else 1


def draw_page(target: Path) -> None:
    """A grey A4 page at 100 dpi with lines that look like text."""
    picture = Image.new("RGB", (827, 1169), "white")
    pen = ImageDraw.Draw(picture)
    for top in range(80, 1080, 18):
        pen.line((80, top, 745, top), fill=(40, 40, 40), width=3)
    picture.save(target)


async def label(base_url: str, concurrency: int, pages: list[PageSource]) -> BatchSummary:
    """Send all pages."""
    config = load_teacher_config(
        None, {"type": "api", "api.base_url": base_url, "request.concurrent_requests": concurrency}
    )
    teacher = create_teacher(config)
    task = get_task(load_tasks(), "markdown")

    def keep(_: PageResult) -> None:
        """What a caller would store."""

    await teacher.open()
    try:
        return await run_batch(teacher, pages, task, on_result=keep)
    finally:
        await teacher.close()


if __name__ == "__main__":
    sys.exit(main())
