"""The command: see docs/reader.md for the packages that fonts and texts come from."""

import argparse
import os
import sys
from pathlib import Path

from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.student.pretraining.loop import evaluate_only, pretrain
from ocrstudio.student.pretraining.plan import PretrainingPlan
from ocrstudio.student.tokenizer import TOKENIZER_FILE


def _plan() -> tuple[PretrainingPlan, bool]:
    """The plan, and whether nothing is trained."""
    parser = argparse.ArgumentParser(prog="python -m ocrstudio.student.pretraining", description=__doc__)
    parser.add_argument("--seconds", type=float, help="length of the training")
    parser.add_argument(
        "--decay-seconds", type=float, default=150.0, help="last part, with a falling learning rate"
    )
    parser.add_argument(
        "--material",
        type=Path,
        required=True,
        help="folder with tokenizer/, texts/, held_out_texts/, fonts/, held_out_fonts/",
    )
    parser.add_argument("--output", type=Path, help="folder of the checkpoints")
    parser.add_argument("--resume", type=Path, help="folder of the checkpoints to go on from")
    parser.add_argument(
        "--evaluate-only", action="store_true", help="measure the gates of the checkpoint in --resume"
    )
    parser.add_argument("--level", type=int, default=0, help="first level")
    parser.add_argument(
        "--target", type=float, default=0.85, help="share of right tokens at which the next level begins"
    )
    parser.add_argument("--learning-rate", type=float, default=1.5e-3)
    parser.add_argument("--views", type=int, default=784, help="tiles and overviews of a step")
    parser.add_argument("--workers", type=int, default=max(0, (os.cpu_count() or 1) - 1))
    parser.add_argument("--gate-pages", type=int, default=32, help="pages of each gate; 0: none")
    parser.add_argument("--gate-seconds", type=float, default=200.0, help="between two looks at the gates")
    parser.add_argument("--checkpoint-seconds", type=float, default=120.0, help="between two checkpoints")
    parser.add_argument("--log-every", type=int, default=50)
    parser.add_argument(
        "--echo", type=int, default=0, help="batches kept to be trained once more when pages run short"
    )
    parser.add_argument("--compiled", action="store_true", help="compile layers and losses (CUDA)")
    parser.add_argument("--seed", type=int, default=0, help="of the pages")
    options = parser.parse_args()
    if options.evaluate_only and options.resume is None:
        parser.error("--evaluate-only needs --resume, the folder of the checkpoint")
    if not options.evaluate_only and (options.seconds is None or options.output is None):
        parser.error("a training needs --seconds and --output")
    if options.decay_seconds <= 0:
        parser.error("--decay-seconds must be more than 0")
    chosen = vars(options)
    only = chosen.pop("evaluate_only")
    material = chosen.pop("material")
    chosen["seconds"] = chosen["seconds"] or 0.0
    chosen["output"] = chosen["output"] or chosen["resume"]
    plan = PretrainingPlan(
        # What goes on keeps its tokens; another version of the packages may give others.
        tokenizer=options.resume if _has_tokenizer(options.resume) else material / "tokenizer",
        texts=tuple(sorted((material / "texts").glob("*.txt"))),
        fonts=material / "fonts",
        held_out_texts=tuple(sorted((material / "held_out_texts").glob("*.txt"))),
        held_out_fonts=material / "held_out_fonts",
        **chosen,
    )
    return plan, only


def _has_tokenizer(folder: Path | None) -> bool:
    return folder is not None and (folder / TOKENIZER_FILE).is_file()


def main() -> int:
    """Train; returns the exit status."""
    try:
        plan, only = _plan()
        evaluate_only(plan) if only else pretrain(plan)
    except OcrStudioError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    status = main()
    # Worker processes that wait with a full queue would keep the interpreter from ending.
    os._exit(status)
