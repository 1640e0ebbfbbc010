"""Seconds a step and memory of training at full size, beside the public notebook's recipe.

    python -m benchmarks.train_gpu --tokenizer models/deepseek_ocr [--rows llm,llm-recorded,vision,both]
                                   [--engines transformers,unsloth] [--steps 12] [--work /dev/shm/ocr]

Every row is a process of its own that runs the product's recipe (dataset, checks, training, adapter) on the
same model folder and pages; `benchmarks.gpu_material` says what they are. A step is 4 x 2 pages of about
1,700 tokens. The first step includes the gradient check and every compilation. One JSON line a row.

``--size micro`` runs the same rows with the built-in student, on any machine.
"""

import argparse
import gc
import itertools
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import yaml
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from benchmarks.gpu_material import NOTEBOOK, make_model, make_pages, say
from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.domain.run import RunKind
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.jobs.spec import RunSpec
from ocrstudio.settings.train import load_train_config
from ocrstudio.student.micro import micro_folder
from ocrstudio.student.recipe import Recipe
from ocrstudio.student.tokenizer import OcrTokenizer

GIB = 2**30
ROWS: dict[str, dict[str, Any]] = {
    "llm": {},
    "llm-recorded": {"model.record_steps": True},
    "llm-recorded-whole": {"model.record_steps": True, "model.use_gradient_checkpointing": False},
    "llm-whole": {"model.use_gradient_checkpointing": False},
    "llm-auto": {"model.use_gradient_checkpointing": "auto"},
    "vision": {},
    "both": {},
    "llm-4bit": {"model.load_in_4bit": True},
}
"""What a row changes in the shipped configuration; "whole" keeps all activations."""

_PROFILED_STEPS = 2


@dataclass
class Recorder:
    """A run context that keeps the time of every event."""

    folder: RunFolder
    events: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)

    def emit(self, type: str, **data: Any) -> None:  # noqa: A002, ANN401
        """Keep an event."""
        self.events.append((time.perf_counter(), type, data))
        if type == "warning":
            print(f"warning: {data['message']}", file=sys.stderr, flush=True)

    def should_stop(self) -> bool:
        """Never."""
        return False

    def times(self, kind: str, **match: object) -> list[float]:
        """When events of a kind came."""
        return [
            at
            for at, type_, data in self.events
            if type_ == kind and all(data.get(key) == value for key, value in match.items())
        ]

    def values(self, name: str) -> list[float]:
        """What was measured step by step."""
        return [
            data["values"][name]
            for _, type_, data in self.events
            if type_ == "metric" and name in data["values"]
        ]


class Profiler(TrainerCallback):
    """Profiles the last steps of a run."""

    def __init__(self, first: int, target: Path) -> None:
        self._first = first
        self._target = target
        self._profile = torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA])

    def on_step_begin(
        self, _args: TrainingArguments, state: TrainerState, _control: TrainerControl, **_: object
    ) -> None:
        """Start when it is time."""
        if state.global_step == self._first:
            self._profile.start()

    def on_step_end(
        self, _args: TrainingArguments, state: TrainerState, _control: TrainerControl, **_: object
    ) -> None:
        """Stop and write when it is time."""
        if state.global_step == self._first + _PROFILED_STEPS:
            torch.cuda.synchronize()
            self._profile.stop()
            table = self._profile.key_averages().table(
                sort_by="self_device_time_total", row_limit=60, max_name_column_width=110
            )
            self._target.write_text(table, encoding="utf-8")


def run_row(args: argparse.Namespace) -> None:
    """Train one row in this process and print its line."""
    row, engine = args.row
    if args.budget_gib:
        _, total = torch.cuda.mem_get_info()
        torch.cuda.set_per_process_memory_fraction(min(1.0, args.budget_gib * GIB / total))
    overrides = {
        "model.base_model_path": str(args.model),
        "model.engine": engine,
        "training.max_steps": args.steps,
        "training.save_steps": args.steps,
        "training.eval_fraction": 0.0,
        "training.check_pictures": False,
        **ROWS[row],
        **{key: yaml.safe_load(value) for key, _, value in (pair.partition("=") for pair in args.set)},
    }
    config = load_train_config(overrides=overrides)
    request = {"dataset": str(args.pages), "mode": row.partition("-")[0], "model": str(args.model)}
    spec = RunSpec(RunKind.TRAIN, row, time.time(), request, config.model_dump(mode="json"))
    recorder = Recorder(RunFolder.create(args.work / "runs", spec))
    began = time.perf_counter()
    recipe = Recipe(recorder)
    recipe.setup_data()
    recipe.estimate()
    recipe.setup_model()
    recipe.check()
    if args.profile:
        recipe.trainer.add_callback(Profiler(args.steps - _PROFILED_STEPS - 1, args.profile))
    recipe.train()
    summary = recipe.save()
    result = figures(row, recorder, summary, began)
    measured = {name: round(value, 3) for name, value in parts(recipe).items()}
    recipe.trainer.end_loaders()  # the next row may begin in this process
    say(**result, **measured)


def parts(recipe: Recipe) -> dict[str, float]:
    """Where a step's time goes, with nothing running beside it: seconds for four micro-batches."""
    trainer = recipe.trainer
    began = time.perf_counter()
    batches = list(trainer.get_train_dataloader())
    pages = sum(int(batch["page_count"]) for batch in batches)
    result = {"supply_pages_per_second": pages / (time.perf_counter() - began)}
    spent = {"forward_s": 0.0, "backward_s": 0.0}
    for batch in batches[:4]:
        started = _now()
        loss = recipe._loss(batch)  # noqa: SLF001 - the step as training takes it
        middle = _now()
        loss.backward()
        spent["forward_s"] += middle - started
        spent["backward_s"] += _now() - middle
    started = _now()
    trainer.optimizer.step()
    recipe.model.zero_grad()
    return {**result, **spent, "optimizer_s": _now() - started}


def _now() -> float:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def figures(row: str, recorder: Recorder, summary: dict[str, Any], began: float) -> dict[str, Any]:
    """The row of results."""
    ends = recorder.times("metric")
    checked = recorder.times("phase", name="check")[0]
    steps = [later - earlier for earlier, later in itertools.pairwise(ends)]
    settled = steps[len(steps) // 2 :]
    step = statistics.median(settled)
    result = {
        "row": row,
        "engine": summary["engine"],
        "first_step_s": round(ends[0] - checked, 2),
        "step_s": round(step, 3),
        "slowest_step_s": round(max(steps), 3),
        "steps_s": [round(value, 3) for value in steps],
        "ready_s": round(checked - began, 2),
        "tokens_per_second": round(statistics.median(recorder.values("tokens_per_second")[-len(settled) :])),
        "loss": [round(value, 4) for value in recorder.values("loss")],
        "grad_norm": [round(value, 4) for value in recorder.values("grad_norm")[:3]],
        "gradients": recorder.events[
            max(i for i, event in enumerate(recorder.events) if event[2].get("name") == "check")
        ][2]["message"],
        "trainable": summary["trainable_parameters"],
    }
    if torch.cuda.is_available():
        peak = torch.cuda.max_memory_allocated() / GIB
        result |= {
            "device": torch.cuda.get_device_name(),
            "peak_gib": round(peak, 2),
            "reserved_gib": round(torch.cuda.max_memory_reserved() / GIB, 2),
            "times_faster_than_notebook": round(NOTEBOOK["step_s"] / step, 1),
            "first_step_times_faster": round(NOTEBOOK["first_step_s"] / result["first_step_s"], 1),
            "memory_of_notebook": round(peak / NOTEBOOK["peak_gib"], 2),
        }
    return result


def prepare(args: argparse.Namespace) -> None:
    """Make what is missing of the model folder and the pages."""
    args.work.mkdir(parents=True, exist_ok=True)
    if args.size == "micro":
        args.model, tokenizer = Path("micro"), micro_folder()
    else:
        args.model, tokenizer = args.work / "model", args.tokenizer
        if not args.model.exists():
            started = time.perf_counter()
            make_model(args.model, tokenizer)
            say(made="model", seconds=round(time.perf_counter() - started, 1))
    args.pages = args.work / "pages" / "pages.jsonl"
    if not args.pages.exists():
        make_pages(args.pages.parent, args.page_count, OcrTokenizer(tokenizer))
        say(made="pages", count=args.page_count)


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tokenizer", type=Path, help="folder of the model's tokenizer")
    parser.add_argument("--work", type=Path, default=Path("/dev/shm/ocrstudio-benchmark"))
    parser.add_argument("--size", choices=("full", "micro"), default="full")
    parser.add_argument("--rows", default="llm,llm-recorded,vision,both,llm-4bit")
    parser.add_argument("--engines", default="transformers,unsloth")
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--page-count", type=int, default=64)
    parser.add_argument("--budget-gib", type=float, help="GPU memory that a row may use")
    parser.add_argument("--profile", type=Path, help="file for the profile of the last steps")
    parser.add_argument("--set", action="append", default=[], help="KEY=VALUE of the training configuration")
    parser.add_argument("--limit", type=float, default=240, help="seconds that a row may take")
    parser.add_argument("--row", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def in_new_interpreter(row: str, engine: str, limit: float) -> str:
    """Run a row where unsloth can be imported before the libraries that it changes."""
    command = [sys.executable, "-m", "benchmarks.train_gpu", *sys.argv[1:], "--row", row, engine]
    try:
        subprocess.run(command, check=True, timeout=limit)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        return type(error).__name__
    return ""


def main() -> None:
    args = parse()
    if args.row is not None:
        prepare(args)
        run_row(args)
        return
    prepare(args)
    for row in args.rows.split(","):
        for engine in args.engines.split(","):
            failed = ""
            if engine == "unsloth":
                failed = in_new_interpreter(row, engine, args.limit)
            else:
                args.row = (row, engine)
                try:
                    run_row(args)
                except (RuntimeError, OcrStudioError) as error:
                    failed = repr(error)[:300]
                gc.collect()
                if torch.cuda.is_available():
                    torch.cuda.empty_cache()
                    torch.cuda.reset_peak_memory_stats()
            if failed:
                say(row=row, engine=engine, failed=failed)


if __name__ == "__main__":
    main()
