"""A scripted student: what a worker runs in tests in place of torch.

A test sets ``OCRSTUDIO_WORKER_BODIES=tests.fakes.worker`` and writes the script into the run's request:
``{"script": [["metric", 1, 0.9], ["wait", "/tmp/go"], ["fail", "message", "hint"]]}``, or into the variable
``FAKE_STUDENT_SCRIPT``.
"""

import json
import os
import time
from pathlib import Path
from typing import Any

from ocrstudio.domain.errors import ModelError
from ocrstudio.jobs.context import RunContext

BODIES = {
    "train": "tests.fakes.worker:play",
    "evaluate": "tests.fakes.worker:play",
    "serve": "tests.fakes.worker:Server",
}

_WAIT_LIMIT = 60.0


def play(context: RunContext) -> dict[str, Any]:
    """Follow the script; end early, with a checkpoint, when asked to stop."""
    request = context.folder.spec.request
    done = 0
    summary: dict[str, Any] = {}
    if request.get("resume_from"):
        done = int(Path(request["resume_from"]).name.rpartition("-")[2])
        context.emit("phase", name="resuming", message=f"Going on after step {done}")
    script = request.get("script") or json.loads(os.environ["FAKE_STUDENT_SCRIPT"])
    for action, *arguments in script:
        if context.should_stop():
            _save(context, done)
            break
        if action == "summary":
            summary |= arguments[0]
            continue
        if action == "metric" and arguments[0] <= done:
            continue
        _ACTIONS[action](context, *arguments)
        done = arguments[0] if action == "metric" else done
    if request.get("output"):
        Path(request["output"]).write_text('{"cer": 0.5}', encoding="utf-8")
    return {"steps": done, **summary}


def _save(context: RunContext, step: int) -> None:
    path = context.folder.checkpoints / f"checkpoint-{step}"
    path.mkdir(exist_ok=True)
    (path / "trainer_state.json").touch()
    context.emit("checkpoint", step=step, path=str(path.relative_to(context.folder.path)))


def _metric(context: RunContext, step: int, loss: float) -> None:
    context.emit("metric", step=step, values={"loss": loss})
    context.emit("progress", done=step, total=10, unit="steps")


def _wait(context: RunContext, flag: str) -> None:
    """Until a file exists or the run is to stop."""
    deadline = time.monotonic() + _WAIT_LIMIT
    while not Path(flag).exists() and not context.should_stop():
        if time.monotonic() > deadline:
            raise TimeoutError(flag)
        time.sleep(0.01)


def _hang(context: RunContext, flag: str) -> None:
    """Until a file exists, deaf to every request."""
    deadline = time.monotonic() + _WAIT_LIMIT
    while not Path(flag).exists():
        if time.monotonic() > deadline:
            raise TimeoutError(flag)
        time.sleep(0.01)


def _fail(context: RunContext, message: str, hint: str) -> None:
    raise ModelError(message, hint)


def _crash(context: RunContext, text: str) -> None:
    raise ZeroDivisionError(text)


def _die(context: RunContext) -> None:
    os.kill(os.getpid(), 9)


def _print(context: RunContext, text: str) -> None:
    print(text)  # noqa: T201 - what libraries do
    os.write(1, f"native {text}\n".encode())


def _adapter(context: RunContext) -> None:
    context.folder.adapter.mkdir()
    (context.folder.adapter / "adapter_config.json").write_text("{}", encoding="utf-8")


def _in_process(context: RunContext, rank: int, action: str, *arguments: Any) -> None:
    """An action of one process of several only."""
    if int(os.environ.get("RANK", "0")) == rank:
        _ACTIONS[action](context, *arguments)


_ACTIONS = {
    "in process": _in_process,
    "metric": _metric,
    "checkpoint": _save,
    "wait": _wait,
    "hang": _hang,
    "fail": _fail,
    "crash": _crash,
    "die": _die,
    "print": _print,
    "adapter": _adapter,
}


ADAPTED = {
    "image": {"base_size": 256, "image_size": 256, "crop_mode": False, "max_tiles": 6},
    "remarks": ["The image settings of the adapter are used.", "the answer was cut off after 9 tokens"],
    "flags": ["truncated"],
    "truncated": True,
}
"""What a real student adds to an answer when it has an adapter with other image settings."""

DAMAGED = "damaged.png"
"""A page of this name is not answered."""


class Server:
    """A student server that reads nothing and prints what real libraries print."""

    def __init__(self, model: str, adapter: str | None, load_in_4bit: bool) -> None:
        if model == "absent":
            raise ModelError("The folder absent does not exist.", "Download the model.")
        print("Loading weights: 100%")  # noqa: T201
        os.write(1, b"native noise\n")
        self._model = model
        self._extras = {} if adapter is None else ADAPTED

    def predict(
        self, images: list[Path], prompts: list[str], generation: dict[str, Any]
    ) -> list[dict[str, Any]]:
        print("generating")  # noqa: T201
        return [
            {"error": "The picture is damaged.", "hint": "Scan it again."}
            if image.name == DAMAGED
            else {"text": f"{self._model}:{image.name}:{prompt}", **self._extras}
            for image, prompt in zip(images, prompts, strict=True)
        ]
