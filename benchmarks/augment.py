"""What degrading a training page costs, and what it leaves to read.

    python -m benchmarks.augment [--pages 6] [--passes 5] [--read] [--picture FILE ...]

Cost: milliseconds a page of `training.augment` at each level, beside loading the same page alone and beside
loading and cutting it into views (what a training does anyway), in one process and one thread. The pages are
those of the demo document at 200 dpi, as grey and as coloured pictures, unless pictures are named.
``--read`` also lets the offline OCR read each page as it is and degraded, at 100 and 200 dpi, and prints the
character error rate against its own reading of the page as it is.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.overfit import DEMO
from ocrstudio.evaluation.metrics import cer
from ocrstudio.imaging import load_image
from ocrstudio.imaging.augmentation import Augmentation
from ocrstudio.imaging.degradation import STRENGTHS
from ocrstudio.imaging.views import prepare_views
from ocrstudio.pdf import open_document
from ocrstudio.settings.teacher import load_teacher_config
from ocrstudio.settings.train import load_train_config
from ocrstudio.student.loader_workers import prepare_to_fork
from ocrstudio.tasks import get_task, load_tasks
from ocrstudio.teachers.base import PageSource
from ocrstudio.teachers.registry import create_teacher

_DPI = 200
_SEED = 1
_PATIENCE = 600.0  # seconds for a page, on a machine that has other work
_TINT = (1.0, 0.97, 0.88)  # of paper that has aged


def draw(folder: Path, count: int, dpi: int, *, coloured: bool) -> list[Path]:
    """Pages of the demo document as PNG files."""
    files = []
    with open_document(DEMO) as document:
        for index in range(min(count, document.page_count)):
            pixels = document.render(index, dpi).pixels
            if coloured:
                pixels = (pixels * np.array(_TINT)).astype(np.uint8)
            files.append(folder / f"{'colour' if coloured else 'grey'}_{dpi}_p{index + 1}.png")
            Image.fromarray(pixels).save(files[-1])
    return files


def milliseconds(work: Callable[[], object]) -> float:
    """Of this thread's own work, so that other programs on the machine do not count."""
    started = time.thread_time()
    work()
    return (time.thread_time() - started) * 1000


def cost(files: Sequence[Path], passes: int) -> dict[str, float]:
    """Mean milliseconds a page."""
    image = load_train_config().image
    times: dict[str, list[float]] = {"load": [], "views": [], **{level: [] for level in STRENGTHS}}
    for epoch in range(passes):
        for number, file in enumerate(files):
            times["load"].append(milliseconds(lambda file=file: load_image(file)))
            picture = load_image(file)
            times["views"].append(milliseconds(lambda picture=picture: prepare_views(picture, image)))
            for level in STRENGTHS:
                look = Augmentation(level, _SEED, epoch, number)
                times[level].append(milliseconds(lambda look=look, picture=picture: look.apply(picture)))
    means = {name: statistics.mean(values) for name, values in times.items()}
    row = {f"{name}_ms": round(mean, 1) for name, mean in means.items()}
    for level in STRENGTHS:
        row[f"{level}_to_load"] = round(means[level] / means["load"], 2)
        row[f"{level}_to_load_and_views"] = round(means[level] / (means["load"] + means["views"]), 2)
    return row


async def read(files: Sequence[Path]) -> list[str]:
    """What the offline OCR makes of pictures, without white space."""
    overrides = {"request.concurrent_requests": 1, "request.timeout": _PATIENCE, "offline.method": "ocr"}
    teacher = create_teacher(load_teacher_config(None, overrides))
    task = get_task(load_tasks(), "markdown")
    await teacher.open()
    try:
        pages = [PageSource(file.name, document=file, max_seconds=_PATIENCE) for file in files]
        drafts = [await teacher.draft(page, task) for page in pages]
    finally:
        await teacher.close()
    return ["".join(draft.text.split()) for draft in drafts]


def readability(files: Sequence[Path], passes: int, folder: Path) -> dict[str, float]:
    """Character error rate of each level against the reading of the page as it is: mean and worst page."""
    clean = asyncio.run(read(files))
    row = {}
    for level in STRENGTHS:
        degraded = []
        for epoch in range(passes):
            for number, file in enumerate(files):
                degraded.append(folder / f"{level}_{epoch}_{file.name}")
                Augmentation(level, _SEED, epoch, number).apply(load_image(file)).save(degraded[-1])
        pairs = zip(clean * passes, asyncio.run(read(degraded)), strict=True)
        rates = [cer(expected, found) for expected, found in pairs]
        row |= {
            f"{level}_cer": round(statistics.mean(rates), 4),
            f"{level}_worst_cer": round(max(rates), 4),
        }
    return row


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pages", type=int, default=6)
    parser.add_argument("--passes", type=int, default=5)
    parser.add_argument("--read", action="store_true")
    parser.add_argument("--picture", type=Path, nargs="+", help="default: the demo document")
    options = parser.parse_args()
    prepare_to_fork()  # one thread, as in a training
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sets = {"pictures": options.picture} if options.picture else {}
        for coloured in (False, True) if not sets else ():
            sets[f"{'colour' if coloured else 'grey'}, {_DPI} dpi"] = draw(
                folder, options.pages, _DPI, coloured=coloured
            )
        for title, files in sets.items():
            print(json.dumps({"pages": title, **cost(files, options.passes)}), flush=True)
        if options.read and not options.picture:
            sets = {
                f"grey, {dpi} dpi": draw(folder, options.pages, dpi, coloured=False) for dpi in (100, _DPI)
            }
        for title, files in sets.items() if options.read else ():
            print(json.dumps({"read": title, **readability(files, options.passes, folder)}), flush=True)


if __name__ == "__main__":
    main()
