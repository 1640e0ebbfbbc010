"""How much of a training is padding, with the pages of a step sorted by length and without.

    python -m benchmarks.padding [--dataset FILE.jsonl] [--model FOLDER] [--batch 2] [--accumulation 4]

Nothing is trained: the positions of every micro-batch are counted over ten epochs, with the image settings of
config/train_config.yaml. Of the model folder only the tokenizer and the configuration are read.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.overfit import DEMO, make_dataset
from ocrstudio.datasets import read_dataset
from ocrstudio.settings.train import load_train_config
from ocrstudio.student.collator import Collator
from ocrstudio.student.examples import Example
from ocrstudio.student.loading import load_processor
from ocrstudio.student.sampler import StepSampler

_EPOCHS = 10


def measure(dataset: Path, model: str) -> list[int]:
    """Positions of every page."""
    config = load_train_config()
    collator = Collator(load_processor(model, config.image, max_length=config.training.max_length))
    return [collator.measure(Example.of(sample)).total for sample in read_dataset(dataset).samples]


def padded(order: Sequence[int], lengths: Sequence[int], batch: int) -> int:
    """Positions of an epoch with every micro-batch padded to its longest page."""
    parts = [order[start : start + batch] for start in range(0, len(order), batch)]
    return sum(len(part) * max(lengths[index] for index in part) for part in parts)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", type=Path, help="default: the demo's document, drafted offline")
    parser.add_argument("--model", default="micro", help="whose tokenizer counts (default: micro)")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--accumulation", type=int, default=4)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        dataset = options.dataset or make_dataset([DEMO], 1000, Path(folder))
        lengths = measure(dataset, options.model)
    rows = {}
    for name, step in (("sorted", options.batch * options.accumulation), ("unsorted", 1)):
        sampler = StepSampler(lengths, step, shuffle=True, seed=0)
        rows[name] = 0
        for epoch in range(_EPOCHS):
            sampler.set_epoch(epoch)
            rows[name] += padded([turn.sample for turn in sampler], lengths, options.batch)
    needed = sum(lengths) * _EPOCHS
    shares = {f"{name}_padding": round(count / needed - 1, 3) for name, count in rows.items()}
    ratio = round(rows["unsorted"] / rows["sorted"], 3)
    print(json.dumps({"pages": len(lengths), "positions": sum(lengths), **shares, "ratio": ratio}))


if __name__ == "__main__":
    main()
