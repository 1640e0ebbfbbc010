"""Step time of the micro student on a CPU: ``python benchmarks/train_cpu.py [--threads 2] [--steps 10]``.

Uses config/examples/train_micro.example.yaml on synthetic pages with about 300 answer tokens each, so that a
step costs what a step of the demo costs. Prints seconds a step, tokens a second, and the loss at both ends.
"""

import argparse
import json
import random
import statistics
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageDraw

from ocrstudio.domain.run import RunKind
from ocrstudio.jobs.events import EventWriter, read_events
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.jobs.spec import RunSpec
from ocrstudio.paths import config_dir
from ocrstudio.settings.train import TrainConfig, load_train_config
from ocrstudio.student.recipe import train
from ocrstudio.worker.context import WorkerContext

_CONFIG = "examples/train_micro.example.yaml"
_WORDS = ("page", "order", "total", "paper", "winter", "north", "street", "bank", "music", "table")
_WORDS_PER_PAGE = 220
_PAGES = 8


def write_pages(folder: Path) -> Path:
    """A dataset of pages of random words."""
    source = random.Random(1)
    lines = []
    for number in range(1, _PAGES + 1):
        words = source.choices(_WORDS, k=_WORDS_PER_PAGE)
        text = "\n".join(" ".join(words[start : start + 10]) for start in range(0, _WORDS_PER_PAGE, 10))
        picture = Image.new("RGB", (850, 1100), "white")
        ImageDraw.Draw(picture).multiline_text((60, 60), text, fill="black", spacing=12)
        picture.save(folder / f"page_p{number}.png")
        user = {
            "role": "<|User|>",
            "content": "<image>\nConvert this document to markdown.",
            "images": [f"page_p{number}.png"],
        }
        lines.append(json.dumps({"messages": [user, {"role": "<|Assistant|>", "content": text}]}))
    path = folder / "data.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def run(folder: Path, config: TrainConfig) -> tuple[dict[str, Any], list[float], list[float]]:
    """Train; returns the summary, and seconds and tokens a second of every step after the first."""
    request = {"dataset": str(write_pages(folder)), "mode": "both", "model": "micro"}
    spec = RunSpec(RunKind.TRAIN, "benchmark", time.time(), request, config.model_dump(mode="json"))
    run_folder = RunFolder.create(folder / "runs", spec)
    with EventWriter(run_folder.events_path) as writer:
        summary = train(WorkerContext(run_folder, writer))
    events = read_events(run_folder.events_path)
    times = [event.time for event in events if event.type == "progress"]
    speeds = [event.data["values"]["tokens_per_second"] for event in events if event.type == "metric"]
    return summary, [after - before for before, after in pairwise(times[1:])], speeds[1:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=10)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    overrides = {
        "training.max_steps": options.steps,
        "training.eval_fraction": 0.0,
        "training.check_pictures": False,
        "training.save_steps": options.steps,
    }
    config = load_train_config(config_dir() / _CONFIG, overrides)
    with tempfile.TemporaryDirectory(prefix="ocrstudio-benchmark-") as folder:
        summary, seconds, speeds = run(Path(folder), config)
    step = statistics.median(seconds)
    print(
        f"{summary['trainable_parameters']:,} trainable parameters, {options.threads} threads\n"
        f"step: median {step:.2f} s, slowest {max(seconds):.2f} s; 60 steps: {60 * step:.0f} s\n"
        f"throughput: median {statistics.median(speeds):.0f} tokens/s\n"
        f"loss: {summary['first_loss']:.2f} -> {summary['last_loss']:.2f} in {summary['steps']} steps"
    )


if __name__ == "__main__":
    main()
