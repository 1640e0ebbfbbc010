"""What each mode is for: the built-in reader learns letters that it does not know, mode by mode.

    python -m benchmarks.modes --material DIR [--face blankenburg-unz1a] [--modes vision,llm,both]
                               [--pages 40] [--unseen 20] [--steps N] [--json FILE]

Cards in a new face are written (`ocrstudio synthesise`) and trained on by the command that a user types, with
the shipped values. Measured before and after: unseen cards of that face, whose text was never trained on, and
cards in faces that the reader was shown before, which is where forgetting shows. DIR is what
`ocrstudio.student.pretraining.material` makes.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.overfit import ocrstudio
from ocrstudio.evaluation import report

_SEED = 5
_OLD_SEED = 6


def write_cards(text: Path, fonts: list[Path], folder: Path, pages: int, unseen: int, seed: int) -> None:
    """A dataset of cards."""
    faces = [part for font in fonts for part in ("--font", font)]
    counts = ("--pages", pages, "--evaluation-pages", unseen, "--seed", seed)
    ocrstudio("synthesise", "--text", text, "--output", folder, *faces, *counts)


def measure(dataset: Path, output: Path, *adapter: object) -> float:
    """Character error rate of the reader on a dataset, as a fraction."""
    ocrstudio("evaluate", "--model", "reader", "--dataset", dataset, "--output", output, *adapter)
    return report.read(output).overall.cer.corpus


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--material", type=Path, required=True)
    parser.add_argument("--face", default="blankenburg-unz1a", help="of new_faces")
    parser.add_argument("--modes", default="vision,llm,both")
    parser.add_argument("--pages", type=int, default=40)
    parser.add_argument("--unseen", type=int, default=20)
    parser.add_argument("--steps", type=int, help="in place of the shipped number")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    (text,) = sorted((options.material / "held_out_texts").glob("*.txt"))
    new = sorted((options.material / "new_faces").glob(f"{options.face}.*"))
    folder = Path(tempfile.mkdtemp(prefix="modes-"))
    rows = []
    try:
        write_cards(text, new, folder / "new", options.pages, options.unseen, _SEED)
        old_faces = [options.material / "held_out_fonts"]
        write_cards(text, old_faces, folder / "old", 1, options.unseen, _OLD_SEED)
        sets = {name: folder / name / "eval.jsonl" for name in ("new", "old")}
        before = {name: measure(file, folder / f"before-{name}.json") for name, file in sets.items()}
        length = () if options.steps is None else ("--max-steps", options.steps)
        for mode in options.modes.split(","):
            adapter = folder / f"adapter-{mode}"
            data = ("--dataset", folder / "new" / "train.jsonl", "--eval-dataset", sets["new"])
            begun = time.monotonic()
            ocrstudio("train", "--model", "reader", "--mode", mode, *data, "--output", adapter, *length)
            minutes = (time.monotonic() - begun) / 60
            after = {
                name: measure(file, folder / f"{mode}-{name}.json", "--adapter", adapter)
                for name, file in sets.items()
            }
            rows.append({"mode": mode, "minutes": minutes, "before": before, "after": after})
            print(json.dumps(rows[-1]), flush=True)
    except subprocess.CalledProcessError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"\n{options.face}: {options.pages} pages to learn from, {options.unseen} unseen ones")
    print(f"{'mode':8} {'new face':>17} {'ratio':>7} {'known faces':>17} {'minutes':>8}")
    for row in rows:
        new_face, known = ((row["before"][name], row["after"][name]) for name in ("new", "old"))
        print(
            f"{row['mode']:8} {_percent(*new_face):>17} {new_face[1] / new_face[0]:7.2f} "
            f"{_percent(*known):>17} {row['minutes']:8.1f}"
        )
    if options.json is not None:
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    return 0


def _percent(before: float, after: float) -> str:
    return f"{100 * before:.1f} -> {100 * after:.1f} %"


if __name__ == "__main__":
    sys.exit(main())
