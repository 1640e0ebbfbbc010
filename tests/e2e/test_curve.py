"""A learning curve with the real micro student: seven workers one after another, a few steps each."""

import json
import re

import pytest

from tests.fakes.labelled import pages_of, write_dataset

SMALL = (
    "--set", "training.warmup_steps=0", "--set", "training.save_steps=1", "--set", "training.eval_steps=1",
    "--set", "evaluation.max_tokens=4",
)  # fmt: skip


@pytest.mark.timeout(900)
def test_the_micro_student_is_measured_at_four_sizes(ocrstudio, folder):
    write_dataset(folder / "train.jsonl", pages_of(4, 2), side=256)
    write_dataset(folder / "eval.jsonl", pages_of(4, 2, first=50), side=256)
    micro = folder / "micro.yaml"
    micro.write_text(
        "model: {base_model_path: micro, engine: transformers, use_gradient_checkpointing: false}\n"
        "image: {preset: custom, image_size: 256, base_size: 256, crop_mode: false}\n",
        encoding="utf-8",
    )
    done = ocrstudio(
        "train", "--curve", "--dataset", "train.jsonl", "--eval-dataset", "eval.jsonl", "--mode", "both",
        "--config", micro, "--max-steps", 2, *SMALL, "--output", "out", timeout=800,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Three trainings of 2 steps, on 2, 4 and 8 pages" in done.stdout
    rows = re.findall(r"^(\d+) +\d+\.\d+% +\S+% to \S+% +(\S+) +", done.stdout, re.MULTILINE)
    assert [int(pages) for pages, _ in rows] == [0, 2, 4, 8]
    losses = [float(loss) for _, loss in rows[1:]]
    assert all(loss > 0 for loss in losses)
    (record,) = (folder / "out" / "runs").glob("*/curve.json")
    curve = json.loads(record.read_text(encoding="utf-8"))
    for part in curve["parts"][1:]:
        run = json.loads((record.parents[1] / part["training"] / "summary.json").read_text(encoding="utf-8"))
        assert (run["steps"], run["samples"]) == (2, part["pages"]), "the same steps, on so many pages"
    assert curve["outlook"]["sentence"] in done.stdout
    assert (folder / "out" / "adapter_config.json").is_file()
