"""A scripted student that learns by a law: its errors fall with the number of pages it was trained on.

A test sets ``OCRSTUDIO_WORKER_BODIES=tests.fakes.curve_student``. The run of the curve itself is real.
``FAKE_CURVE`` names a JSON file that a test may change meanwhile: ``{"wait": 4}`` lets the training on four
pages wait until it is told to stop (true: every training), and with ``"deaf": true`` for ever;
``{"fail": 4}`` lets it fail.
"""

import json
import os
import time
from pathlib import Path
from typing import Any

from ocrstudio.datasets import read_dataset
from ocrstudio.domain.errors import ModelError
from ocrstudio.evaluation.report import Pair, build_report, write
from ocrstudio.jobs.context import RunContext

BODIES = {
    "train": "tests.fakes.curve_student:train",
    "evaluate": "tests.fakes.curve_student:evaluate",
    "curve": "ocrstudio.services.curve_run:run_curve",
}

_WAIT_LIMIT = 60.0
_LENGTH = 400


def _script() -> dict[str, Any]:
    path = Path(os.environ["FAKE_CURVE"])
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def train(context: RunContext) -> dict[str, Any]:
    """Count steps; write an adapter that knows how many pages it has seen."""
    request = context.folder.spec.request
    pages = len(read_dataset(Path(request["dataset"])).samples)
    steps = context.folder.spec.config["training"]["max_steps"]
    first = 0
    if request.get("resume_from"):
        first = int(Path(request["resume_from"]).name.rpartition("-")[2])
        context.emit("phase", name="resuming", message=f"Going on after step {first}")
    context.emit("warning", message="Said by every training.")
    for step in range(first + 1, steps + 1):
        if _script().get("fail") == pages:
            raise ModelError("The GPU ran out of memory.", "Lower the batch size.")
        context.emit("progress", done=step, total=steps, unit="steps", seconds_left=float(steps - step))
        deadline = time.monotonic() + _WAIT_LIMIT
        while _script().get("wait") in (pages, True) and (_script().get("deaf") or not context.should_stop()):
            if time.monotonic() > deadline:
                raise TimeoutError("nobody stopped the training")
            time.sleep(0.01)
        if context.should_stop():
            path = context.folder.checkpoints / f"checkpoint-{step}"
            path.mkdir(exist_ok=True)
            context.emit("checkpoint", step=step, path=str(path.relative_to(context.folder.path)))
            return {"steps": step}
    context.folder.adapter.mkdir()
    (context.folder.adapter / "adapter_config.json").write_text(
        json.dumps({"pages": pages}), encoding="utf-8"
    )
    losses = [[steps, 1.0 / pages]]
    return {"steps": steps, "seconds": 2.0, "eval_losses": losses, "adapter_step": steps, "resumed_at": first}


def evaluate(context: RunContext) -> dict[str, Any]:
    """Answer each page with as many errors as the law has, a little more on some pages than on others."""
    request = context.folder.spec.request
    adapter = request.get("adapter")
    seen = json.loads((Path(adapter) / "adapter_config.json").read_text())["pages"] if adapter else 0
    rate = 0.3 * seen**-0.4 if seen else 0.5
    pairs = []
    for number, sample in enumerate(read_dataset(Path(request["dataset"]), blank_pages=True).samples):
        wrong = round(rate * _LENGTH * (0.8 + 0.1 * (number % 5)))
        truth = "abcdefgh" * (_LENGTH // 8)
        pairs.append(Pair.of_picture(sample.image_name, truth, "?" * wrong + truth[wrong:], key=str(number)))
        context.emit("progress", done=number + 1, total=0, unit="pages", seconds_left=0.0)
    system = {"model": request["model"], "adapter": adapter}
    report = build_report(pairs, system=system)
    write(report, Path(request["output"]))
    return {"pages": len(pairs), "cer": report.overall.cer.corpus, "seconds": 1.0}
