"""The command: see docs/reader.md for the packages that fonts and texts come from."""

import argparse
import os
import sys
from pathlib import Path

from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.student.pretraining.loop import PretrainingPlan, pretrain


def _plan() -> PretrainingPlan:
    parser = argparse.ArgumentParser(prog="python -m ocrstudio.student.pretraining", description=__doc__)
    parser.add_argument("--seconds", type=float, required=True, help="length of the training")
    parser.add_argument(
        "--decay-seconds", type=float, default=150.0, help="last part, with a falling learning rate"
    )
    parser.add_argument(
        "--material",
        type=Path,
        required=True,
        help="folder with tokenizer/, texts/, held_out_texts/, fonts/, held_out_fonts/",
    )
    parser.add_argument("--output", type=Path, required=True, help="folder of the checkpoints")
    parser.add_argument("--resume", type=Path, help="folder of the checkpoints to go on from")
    parser.add_argument("--level", type=int, default=0, help="first level")
    parser.add_argument("--learning-rate", type=float, default=1.5e-3)
    parser.add_argument("--views", type=int, default=784, help="tiles and overviews of a step")
    parser.add_argument("--workers", type=int, default=max(0, (os.cpu_count() or 1) - 1))
    parser.add_argument("--gate-pages", type=int, default=32, help="pages of each gate; 0: none")
    parser.add_argument("--log-every", type=int, default=50)
    parser.add_argument("--compiled", action="store_true", help="compile the encoder's layers (CUDA)")
    parser.add_argument("--seed", type=int, default=0, help="of the pages")
    chosen = vars(parser.parse_args())
    material = chosen.pop("material")
    return PretrainingPlan(
        tokenizer=material / "tokenizer",
        texts=tuple(sorted((material / "texts").glob("*.txt"))),
        fonts=material / "fonts",
        held_out_texts=tuple(sorted((material / "held_out_texts").glob("*.txt"))),
        held_out_fonts=material / "held_out_fonts",
        **chosen,
    )


def main() -> int:
    """Train; returns the exit status."""
    try:
        pretrain(_plan())
    except OcrStudioError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    status = main()
    # Worker processes that wait with a full queue would keep the interpreter from ending.
    os._exit(status)
