"""Tokens per second of generation at full size, beside the public notebook's recipe.

    python -m benchmarks.generate_gpu --tokenizer models/deepseek_ocr [--work /dev/shm/ocr] [--rows 1,32]

The same model folder and pages as `benchmarks.train_gpu`. Random weights never end an answer: every page gets
``--tokens`` tokens, from its picture to its text, through the product's generator. The row ``evaluation``
sends 100 pages of 1,000 tokens, the row ``uneven`` 100 whose answers have a quarter to all of that, so that
places are refilled. One JSON line a row.
"""

import argparse
import time
import zlib
from pathlib import Path

import torch

from benchmarks.gpu_material import NOTEBOOK, make_model, make_pages, say
from ocrstudio.paths import config_dir
from ocrstudio.settings.teacher import load_teacher_config
from ocrstudio.student.generation import Generator, PageRequest
from ocrstudio.student.loading import Student, load_student
from ocrstudio.student.tokenizer import OcrTokenizer

GIB = 2**30
_PROMPT = "<image>\nFree OCR."


class UnevenGenerator(Generator):
    """Gives pages answers of different lengths, as real pages have."""

    def budget(self, page: PageRequest, length: int) -> int:
        """A quarter, a half, three quarters or all of the tokens."""
        share = (zlib.crc32(str(page.image).encode()) % 4 + 1) / 4
        return max(1, int(super().budget(page, length) * share))


_HUNDRED_PAGES = {"evaluation": Generator, "uneven": UnevenGenerator}


def measure(student: Student, pages: list[Path], tokens: int, kind: type[Generator]) -> dict[str, object]:
    """Answer pages twice: the first pass holds the warm-up."""
    shipped = load_teacher_config(config_dir() / "teacher_local.yaml").generation
    if shipped is None:
        raise SystemExit("config/teacher_local.yaml has no generation section")
    generator = kind(student.model, student.processor, shipped.model_copy(update={"max_tokens": tokens}))
    requests = [PageRequest(page, _PROMPT) for page in pages]
    torch.cuda.reset_peak_memory_stats()
    started = time.perf_counter()
    generator.answer(requests[:1])
    warm = time.perf_counter() - started
    started = time.perf_counter()
    answers = generator.answer(requests)
    seconds = time.perf_counter() - started
    count = sum(answer.tokens for answer in answers)
    return {
        "pages": len(pages),
        "tokens": count,
        "seconds": round(seconds, 2),
        "tokens_per_second": round(count / seconds),
        "first_page_with_warm_up_s": round(warm, 2),
        "peak_gib": round(torch.cuda.max_memory_allocated() / GIB, 2),
        "times_faster_than_notebook": round(count / seconds / NOTEBOOK["tokens_per_second"], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("/dev/shm/ocrstudio-benchmark"))
    parser.add_argument("--rows", default="1,32,evaluation")
    parser.add_argument("--tokens", type=int, default=500)
    parser.add_argument("--page-count", type=int, default=64)
    args = parser.parse_args()
    if not (args.work / "model").exists():
        make_model(args.work / "model", args.tokenizer)
    folder = args.work / "pages"
    if not folder.exists():
        make_pages(folder, args.page_count, OcrTokenizer(args.tokenizer))
    pages = sorted(folder.glob("*.png"))
    image = load_teacher_config(config_dir() / "teacher_local.yaml").image
    if image is None:
        raise SystemExit("config/teacher_local.yaml has no image section")
    student = load_student(str(args.work / "model"), image)
    for row in args.rows.split(","):
        if row in _HUNDRED_PAGES:
            figures = measure(student, (pages * 100)[:100], 1000, _HUNDRED_PAGES[row])
        else:
            figures = measure(student, (pages * int(row))[: int(row)], args.tokens, Generator)
        say(row=row, device=torch.cuda.get_device_name(), **figures)


if __name__ == "__main__":
    main()
