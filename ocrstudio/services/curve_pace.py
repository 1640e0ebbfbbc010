"""How long a learning curve will take, from trainings and evaluations of the same kind that were finished."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ocrstudio.domain.errors import RunError
from ocrstudio.domain.run import RunKind, RunState
from ocrstudio.domain.wording import count_of, duration
from ocrstudio.jobs.events import EventType, newest_first
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.services.runs import find_run_folders
from ocrstudio.settings.train import TrainConfig

_MINUTE = 60.0
_NUMBERS = {1: "One", 2: "Two", 3: "Three", 4: "Four"}


@dataclass(frozen=True)
class Pace:
    """What earlier runs of the same kind took.

    Attributes:
        step: Seconds of a training step, loading included; None where no such training is known.
        page: Seconds of an evaluated page, loading included; None where no such evaluation is known.
    """

    step: float | None = None
    page: float | None = None


def measured_pace(places: Iterable[Path], model: str, mode: str, config: TrainConfig) -> Pace:
    """Look for the newest training and evaluation with the same model, pictures and batch.

    Args:
        places: Folders of runs, or folders that have one.
        model: As `run_requests.resolve_model` has it.
        mode: Which part is adapted.
        config: The configuration.
    """
    wanted = config.model_dump(mode="json")
    step = page = None
    for folder in find_run_folders(places)[0]:
        spec = folder.spec
        if spec.base_model != model or spec.config.get("image") != wanted["image"]:
            continue
        if spec.kind is RunKind.TRAIN and step is None:
            if spec.request.get("mode") == mode and _same_batch(spec.config, wanted):
                step = _seconds_each(folder, "steps")
        elif spec.kind is RunKind.EVALUATE and page is None and _same_answers(spec.config, wanted):
            page = _seconds_each(folder, "pages")
        if step is not None and page is not None:
            break
    return Pace(step, page)


def plan_in_words(pages: Sequence[int], steps: int, held_out: int, pace: Pace) -> str:
    """What will be done and how long it may take.

    ``Three trainings of 120 steps, on 10, 20 and 40 pages, about 3 x 4 min; after each, and before the
    first, 12 held-out pages are read, about 4 x 1 min.``
    """
    several = _NUMBERS.get(len(pages), str(len(pages)))
    numbers = [f"{number:,}" for number in pages]
    listed = f"{', '.join(numbers[:-1])} and {numbers[-1]}" if len(numbers) > 1 else numbers[0]
    times = [
        f", {times_in_words(count, each * amount)}" if each is not None else ""
        for count, each, amount in ((len(pages), pace.step, steps), (len(pages) + 1, pace.page, held_out))
    ]
    words = (
        f"{several} training{'s' if len(pages) > 1 else ''} of {count_of(steps, 'step')}, on {listed} pages"
        f"{times[0]}; after each, and before the first, {count_of(held_out, 'held-out page')} "
        f"{'is' if held_out == 1 else 'are'} read{times[1]}."
    )
    return words if pace.step is not None else f"{words} The first training shows how long the others take."


def times_in_words(count: int, seconds: float) -> str:
    """An estimate of something that is done several times."""
    return f"about {count} \N{MULTIPLICATION SIGN} {_rounded(seconds)}"


def _same_batch(config: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    keys = ("per_device_train_batch_size", "gradient_accumulation_steps", "num_processes")
    theirs = config.get("training") or {}
    return bool(all(theirs.get(key) == wanted["training"][key] for key in keys))


def _same_answers(config: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return bool(config.get("evaluation") == wanted["evaluation"])


def working_seconds(folder: RunFolder) -> float:
    """How long a run had the device, loading included, over all attempts; 0 for one that never had it."""
    total, end = 0.0, None
    for event in newest_first(folder.events_path):
        end = event.time if end is None else end
        if event.type == EventType.PHASE and event.data.get("name") == "loading":
            total += end - event.time
        elif event.type == EventType.STARTED:
            end = None  # what comes now is the attempt before
    return total


def _seconds_each(folder: RunFolder, unit: str) -> float | None:
    """Seconds by steps or pages of a finished run."""
    with suppress(RunError):
        count = (folder.summary() or {}).get(unit)
        if folder.state() is RunState.FINISHED and count:
            return working_seconds(folder) / float(count)
    return None


def _rounded(seconds: float) -> str:
    if seconds < 2 * _MINUTE:
        return duration(max(1, seconds))
    return duration(round(seconds / _MINUTE) * _MINUTE).removesuffix(" 00 s")
