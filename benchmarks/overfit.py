"""Does the student learn real pages by heart? Error rates on the very pages that it was trained on, by mode.

    python -m benchmarks.overfit [--pdf FILE …] [--pages 16] [--modes full,both,llm,vision] [--steps 600]

The pages are drafted by the offline teacher. The student is the micro student, on whatever device is there:
with random weights, a low error rate after training means that every part that the mode names does learn. All
is done by the commands that a user types.
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DEMO = Path(__file__).resolve().parents[1] / "resources" / "demo" / "labelling-handbook.pdf"
# Rates at which each mode converges; a low-rank change of random weights wants larger steps.
LEARNING_RATES = {"full": 0.0004, "both": 0.005, "llm": 0.005, "vision": 0.005}
SETTINGS = {
    "model.base_model_path": "micro",
    "image.preset": "custom",
    "image.base_size": 256,
    "image.image_size": 256,
    "image.crop_mode": False,
    "training.eval_fraction": 0,
    "training.warmup_steps": 20,
    "training.lr_scheduler_type": "cosine",
    "training.weight_decay": 0,
    "evaluation.max_tokens": 6000,
    "evaluation.no_repeat_ngram_size": 0,
}


def ocrstudio(*arguments: object) -> None:
    """Run a command as a user does; its output goes on as ours."""
    subprocess.run([sys.executable, "-m", "ocrstudio", *map(str, arguments)], check=True)


def make_dataset(pdfs: list[Path], pages: int, folder: Path) -> Path:
    """Draft the pages and keep the first of them."""
    teacher = folder / "teacher.yaml"
    teacher.write_text("type: offline\noutput: {format: jsonl, save_images: true}\n", encoding="utf-8")
    lines: list[str] = []
    for number, pdf in enumerate(pdfs):
        output = folder / f"drafts{number}"
        ocrstudio("infer", "--pdf", pdf, "--config", teacher, "--task", "markdown", "--output", output)
        (dataset,) = output.glob("[!.]*.jsonl")
        for line in dataset.read_text(encoding="utf-8").splitlines():
            sample = json.loads(line)
            images = sample["messages"][0]["images"]
            sample["messages"][0]["images"] = [str((output / image).resolve()) for image in images]
            lines.append(json.dumps(sample))
    target = folder / "pages.jsonl"
    target.write_text("\n".join(lines[:pages]) + "\n", encoding="utf-8")
    print(json.dumps({"pages": len(lines[:pages])}), flush=True)
    return target


def measure(mode: str, dataset: Path, folder: Path, options: argparse.Namespace) -> dict[str, object]:
    """Train and evaluate one mode."""
    settings = SETTINGS | {
        "training.learning_rate": LEARNING_RATES[mode],
        "training.max_steps": options.steps,
        "training.save_steps": max(1, options.steps // 4),
        "training.logging_steps": max(1, options.steps // 20),
        "training.per_device_train_batch_size": options.batch,
        # Every page in every step: which page it is shows in the first words of an answer alone, and steps of
        # one page each push the vision part to and fro until all pages look the same to it.
        "training.gradient_accumulation_steps": math.ceil(options.pages / options.batch),
        "lora.r": options.rank,
    }
    overrides = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    adapter, results = folder / mode, folder / f"{mode}.json"
    started = time.perf_counter()
    ocrstudio("train", "--dataset", dataset, "--mode", mode, "--output", adapter, *overrides)
    seconds = time.perf_counter() - started
    ocrstudio("evaluate", "--dataset", dataset, "--adapter", adapter, "--output", results, *overrides)
    overall = json.loads(results.read_text(encoding="utf-8"))["overall"]
    rates = {name: round(overall[name]["corpus"], 4) for name in ("cer", "wer")}
    return {"mode": mode, "steps": options.steps, "train_s": round(seconds), **rates}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pdf", type=Path, nargs="+", default=[DEMO])
    parser.add_argument("--pages", type=int, default=16)
    parser.add_argument("--modes", default="full,both,llm,vision")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--rank", type=int, default=32)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        dataset = make_dataset(options.pdf, options.pages, folder)
        rows = [measure(mode, dataset, folder, options) for mode in options.modes.split(",")]
    for row in rows:
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
