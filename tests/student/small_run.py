"""Small real runs: pictures of a few letters, a JSONL file, a run folder, the worker's own context."""

import json
import time
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageDraw

from ocrstudio.domain.run import RunKind
from ocrstudio.jobs.events import EventWriter, read_events
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.jobs.spec import RunSpec
from ocrstudio.settings.train import TrainConfig, load_train_config
from ocrstudio.worker.context import WorkerContext

PROMPT = "<image>\nFree OCR."
WORDS = ("total amount", "page number", "north street", "winter", "blue paper", "old bank")

FAST = {
    "model.base_model_path": "micro",
    "model.engine": "transformers",
    "model.use_gradient_checkpointing": False,
    "lora.r": 4,
    "training.max_steps": 6,
    "training.per_device_train_batch_size": 2,
    "training.gradient_accumulation_steps": 1,
    "training.learning_rate": 0.01,
    "training.warmup_steps": 0,
    "training.optim": "adamw_torch",
    "training.save_steps": 3,
    "training.eval_fraction": 0.0,
    "training.eval_steps": None,
    "image.image_size": 64,
    "image.base_size": 64,
    "image.crop_mode": False,
    "evaluation.max_tokens": 24,
}


def fast_config(**overrides) -> TrainConfig:
    dotted = {name.replace("__", "."): value for name, value in overrides.items()}
    return load_train_config(overrides={**FAST, **dotted})


def draw(path: Path, text: str, size=(96, 40)) -> Path:
    picture = Image.new("RGB", size, "white")
    ImageDraw.Draw(picture).text((4, 8), text, fill="black")
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)
    return path


def record(image: str, answer: str, prompt: str = PROMPT) -> str:
    user = {"role": "<|User|>", "content": prompt, "images": [image]}
    return json.dumps({"messages": [user, {"role": "<|Assistant|>", "content": answer}]})


def write_dataset(folder: Path, answers=WORDS, name="data.jsonl", extra_lines=()) -> Path:
    lines = []
    for number, answer in enumerate(answers, start=1):
        draw(folder / f"letter_p{number}.png", answer)
        lines.append(record(f"letter_p{number}.png", answer))
    path = folder / name
    path.write_text("\n".join([*lines, *extra_lines]) + "\n", encoding="utf-8")
    return path


def training_folder(parent: Path, dataset: Path, config: TrainConfig, **request) -> RunFolder:
    fields = {"dataset": str(dataset), "mode": "both", "model": "micro", **request}
    return _folder(parent, RunKind.TRAIN, fields, config)


def evaluation_folder(parent: Path, dataset: Path, config: TrainConfig, **request) -> RunFolder:
    fields = {"dataset": str(dataset), "model": "micro", "adapter": None, "output": None, **request}
    return _folder(parent, RunKind.EVALUATE, fields, config)


def _folder(parent: Path, kind: RunKind, request, config: TrainConfig) -> RunFolder:
    spec = RunSpec(
        kind=kind,
        title="a small run",
        created=time.time(),
        request=request,
        config=config.model_dump(mode="json"),
    )
    return RunFolder.create(parent, spec)


class StoppingContext(WorkerContext):
    """Asks to stop after a number of progress events, as a user would at that moment."""

    def __init__(self, folder: RunFolder, writer: EventWriter, stop_after: int | None) -> None:
        super().__init__(folder, writer)
        self._left = stop_after

    def emit(self, type, **data):  # noqa: A002
        super().emit(type, **data)
        if type == "progress" and data["done"] and self._left is not None:
            self._left -= 1
            if self._left == 0:
                self.request_stop()


@contextmanager
def context_of(folder: RunFolder, *, stop_after: int | None = None):
    with EventWriter(folder.events_path) as writer:
        yield StoppingContext(folder, writer, stop_after)


def events(folder: RunFolder, type: str) -> list[dict]:  # noqa: A002
    return [
        dict(event.data) for event in read_events(folder.events_path) if getattr(event, "type", "") == type
    ]


def losses(folder: RunFolder) -> dict[int, float]:
    return {
        event["step"]: event["values"]["loss"]
        for event in events(folder, "metric")
        if "loss" in event["values"]
    }
