"""The reader's gates: each with its bar, beside other readers of print on the same pictures.

    python -m benchmarks.reader --model DIR --material DIR [--pages 16] [--peers tesseract,rapidocr]
                                [--json FILE]

DIR is a model folder, or a folder of checkpoints of `ocrstudio.student.pretraining`, which is exported first.
The pages have fonts and texts that were never trained on (held_out_* of the material); the demo document is
read as the product renders and tiles it. Everything goes the product's own way: loading, processor, decoding
with the shipped rules, scoring.

A reader without Markdown cannot be compared in CER with labels: beside the peers, all are measured on the
text alone (`benchmarks/offline_teacher.py`), and the ratio is the reader's rate over the peer's.
"""

import argparse
import json
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from rapidfuzz.distance import Levenshtein

from benchmarks import offline_teacher
from benchmarks.reader_pages import TruePage, cards, demo_pages
from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.evaluation.blocks import BlockKind, split_blocks
from ocrstudio.evaluation.results import EvaluationReport, Pair
from ocrstudio.evaluation.scoring import build_report
from ocrstudio.settings.train import load_train_config
from ocrstudio.student.generation import TRUNCATED, Generator, PageAnswer, PageRequest
from ocrstudio.student.loading import Student, load_student
from ocrstudio.student.pretraining.export import export, is_checkpoint
from ocrstudio.student.reader import READER_IMAGE
from ocrstudio.tasks import get_task, load_tasks
from ocrstudio.tasks.prompt import student_prompt

_CORES = 2
_SPEED_PAGES = 3
_HEADING = re.compile(r"#+")


@dataclass(frozen=True)
class Gate:
    """A figure with its bar.

    Attributes:
        name: What is measured.
        figure: What came out; None where nothing could be measured.
        bar: What it has to reach.
        lower: Whether less is better.
        unit: Of both.
    """

    name: str
    figure: float | None
    bar: float
    lower: bool
    unit: str

    @property
    def passed(self) -> bool:
        """Whether the bar is reached."""
        if self.figure is None:
            return False
        return self.figure <= self.bar if self.lower else self.figure >= self.bar


@dataclass(frozen=True)
class Reading:
    """What was read of a set of pages."""

    pages: Sequence[TruePage]
    texts: Sequence[str]
    seconds: float

    def text_error(self) -> float:
        """CER of the text alone, mean over the pages."""
        return statistics.mean(
            offline_teacher.error_rate(_for_peers(page), text)
            for page, text in zip(self.pages, self.texts, strict=True)
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--material", type=Path, required=True)
    parser.add_argument("--pages", type=int, default=16, help="of each set of cards")
    parser.add_argument("--max-tokens", type=int, help="of an answer; for rehearsals")
    parser.add_argument("--peers", default="tesseract,rapidocr")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(_CORES)
    try:
        with tempfile.TemporaryDirectory() as folder:
            found = measure(options, Path(folder))
    except OcrStudioError as error:
        print(error, file=sys.stderr)
        return 1
    report(found)
    if options.json is not None:
        options.json.write_text(json.dumps(found, ensure_ascii=False, indent=1), "utf-8")
    return 0


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    model = options.model
    if is_checkpoint(model):
        model = folder / "model"
        export(options.model, model, options.material / "tokenizer")
    # 16-bit arithmetic is slow on most CPUs; so small a model has room for 32.
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    student = load_student(str(model), READER_IMAGE, device=device, dtype=torch.float32)
    pictures = folder / "pages"
    pictures.mkdir()
    sets = cards(options.material, student.processor.tokenizer, max(2, options.pages), pictures)
    sets["demo"] = demo_pages(pictures, options.pages)
    prompt = student_prompt(get_task(load_tasks(), "markdown"))
    decoding = load_train_config().evaluation
    if options.max_tokens:
        decoding = decoding.model_copy(update={"max_tokens": options.max_tokens})
    generator = Generator(student.model, student.processor, decoding)
    readings, reports = {}, {}
    for name, pages in sets.items():
        readings[name], reports[name] = read(generator, pages, prompt)
    swap = swap_cost(student, sets["clean"], prompt)
    speed, picture = tokens_per_second(student, generator, sets["clean"][:_SPEED_PAGES], prompt)
    size = sum(file.stat().st_size for file in model.glob("*.safetensors")) / 1e6
    gates = [
        Gate("CER, clean cards", reports["clean"].overall.cer.corpus, 0.02, True, "share"),
        Gate("CER, degraded cards", reports["degraded"].overall.cer.corpus, 0.06, True, "share"),
        Gate("CER, random strings", reports["random"].overall.cer.corpus, 0.05, True, "share"),
        Gate("CER, demo document", reports["demo"].overall.cer.corpus, 0.10, True, "share"),
        Gate("TEDS, tables", reports["tables"].overall.teds, 0.80, False, ""),
        Gate("headings and lists kept", structure(readings["clean"]), 0.90, False, "share"),
        Gate("another page's picture costs", swap, 3.0, False, "nats a token"),
        Gate("generation, 2 cores, batch 1", speed, 100.0, False, "tokens/s"),
        Gate("weights", size, 40.0, True, "MB"),
    ]
    names = [name for name in options.peers.split(",") if name]
    peers = {name: peer(name, sets) for name in names if name != "tesseract" or shutil.which("tesseract")}
    return {
        "model": str(options.model),
        "pages": {name: len(pages) for name, pages in sets.items()},
        "gates": [{**asdict(gate), "passed": gate.passed} for gate in gates],
        "picture_seconds": picture,
        "truncated": {name: found.overall.truncated_rate for name, found in reports.items()},
        "text_cer": {name: found.text_error() for name, found in readings.items()},
        "seconds_a_page": {name: found.seconds for name, found in readings.items()},
        "peers": {
            name: {"text_cer": {key: found.text_error() for key, found in read_by.items()}}
            | {"seconds_a_page": {key: found.seconds for key, found in read_by.items()}}
            for name, read_by in peers.items()
        },
        "examples": {
            name: {"truth": found.pages[0].label, "answer": found.texts[0]}
            for name, found in readings.items()
        },
    }


def read(generator: Generator, pages: Sequence[TruePage], prompt: str) -> tuple[Reading, EvaluationReport]:
    """Answers of a set of pages, and what evaluation makes of them."""
    print(f"reader: {pages[0].name} and {len(pages) - 1} more", file=sys.stderr, flush=True)
    begun = time.monotonic()
    answers = generator.answer([PageRequest(page.file, prompt) for page in pages])
    seconds = (time.monotonic() - begun) / len(pages)
    pairs = [_pair(page, answer) for page, answer in zip(pages, answers, strict=True)]
    return Reading(pages, [answer.text for answer in answers], seconds), build_report(pairs)


def _pair(page: TruePage, answer: PageAnswer) -> Pair:
    return Pair.of_picture(
        page.file.name, page.label, answer.text, key=page.name, truncated=TRUNCATED in answer.flags
    )


def structure(reading: Reading) -> float:
    """How alike the sequences of blocks are, headings with their level: 1 minus the normalised distance."""
    return statistics.mean(
        Levenshtein.normalized_similarity(_kinds(page.label), _kinds(text))
        for page, text in zip(reading.pages, reading.texts, strict=True)
    )


def _kinds(text: str) -> list[str]:
    kinds = []
    for block in split_blocks(text):
        marks = _HEADING.match(block.text) if block.kind is BlockKind.HEADING else None
        kinds.append(f"{block.kind}{len(marks[0]) if marks else ''}")
    return kinds


@torch.inference_mode()
def swap_cost(student: Student, pages: Sequence[TruePage], prompt: str) -> float:
    """Nats a token that the right text costs more when the picture is the next page's."""
    samples = []
    for page in pages:
        with Image.open(page.file) as picture:
            samples.append(student.processor.encode([picture.convert("RGB")], prompt, page.label))
    nats = [0.0, 0.0]
    tokens = 0
    for number, sample in enumerate(samples):
        other = samples[(number + 1) % len(samples)]
        count = len(sample.input_ids) - sample.prompt_length
        tokens += count
        for kind, shown in enumerate((sample, replace(sample, views=other.views))):
            batch = student.processor.collate([shown])
            grids = batch.pop("tile_grids")
            inputs = {name: value.to(student.model.device) for name, value in batch.items()}
            nats[kind] += student.model(**inputs, tile_grids=grids).loss.item() * count
    return (nats[1] - nats[0]) / tokens


def tokens_per_second(
    student: Student, generator: Generator, pages: Sequence[TruePage], prompt: str
) -> tuple[float | None, float]:
    """Tokens a second of single pages once their pictures are read, and the seconds that this takes."""
    first = generator_of(student, 1)
    requests = [PageRequest(page.file, prompt) for page in pages]
    tokens, writing, reading = 0, 0.0, 0.0
    for request in requests:
        begun = time.perf_counter()
        first.answer([request])
        middle = time.perf_counter()
        answer = generator.answer([request])[0]
        # Of the tokens one came with the picture, and the end token does not count among them.
        tokens += answer.tokens
        reading += middle - begun
        writing += (time.perf_counter() - middle) - (middle - begun)
    # On a machine that does other work the difference says nothing.
    return tokens / writing if writing > 0 else None, reading / len(requests)


def generator_of(student: Student, most: int) -> Generator:
    """A generator that ends after so many tokens."""
    decoding = load_train_config().evaluation.model_copy(update={"max_tokens": most})
    return Generator(student.model, student.processor, decoding)


def peer(name: str, sets: Mapping[str, Sequence[TruePage]]) -> dict[str, Reading]:
    """What another reader makes of the same pictures."""
    reader: Callable[[offline_teacher.Page], str] = offline_teacher.READERS[name]
    readings = {}
    for key, pages in sets.items():
        print(f"{name}: {pages[0].name} and {len(pages) - 1} more", file=sys.stderr, flush=True)
        begun = time.monotonic()
        texts = [reader(_for_peers(page)) for page in pages]
        readings[key] = Reading(pages, texts, (time.monotonic() - begun) / len(pages))
    return readings


def _for_peers(page: TruePage) -> offline_teacher.Page:
    return offline_teacher.Page(page.name, page.file, page.label, "eng")


def report(found: Mapping[str, Any]) -> None:
    print(f"{'gate':32}{'figure':>10}{'bar':>10}  unit")
    for gate in found["gates"]:
        figure = "none" if gate["figure"] is None else f"{gate['figure']:.3f}"
        sign = "<=" if gate["lower"] else ">="
        verdict = "pass" if gate["passed"] else "MISS"
        print(
            f"{gate['name']:32}{figure:>10}{sign + format(gate['bar'], 'g'):>10}  {gate['unit']:14}{verdict}"
        )
    print(f"a picture is read in {found['picture_seconds']:.2f} s (2 cores)")
    names = list(found["peers"])
    heads = "".join(f"{name:>12}{'ratio':>8}{'s/page':>8}" for name in names)
    print(f"\n{'CER of the text alone':24}{'reader':>10}{'s/page':>8}{heads}")
    for key, rate in found["text_cer"].items():
        row = f"{key:24}{rate:10.3f}{found['seconds_a_page'][key]:8.2f}"
        for name in names:
            other = found["peers"][name]["text_cer"][key]
            ratio = f"{rate / other:.2f}" if other else "-"
            row += f"{other:12.3f}{ratio:>8}{found['peers'][name]['seconds_a_page'][key]:8.2f}"
        print(row)


if __name__ == "__main__":
    sys.exit(main())
