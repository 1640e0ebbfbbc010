"""``ocrstudio inspect``: is this machine ready, in one screen."""

import dataclasses
import json
import textwrap
from collections.abc import Sequence
from pathlib import Path

import click

from ocrstudio.cli.options import (
    columns_of,
    columns_options,
    dataset_option,
    file_option,
    training_settings,
)
from ocrstudio.domain.wording import size_of
from ocrstudio.services.dataset_statistics import COUNTED, Bucket, DatasetCheck, check_dataset_file
from ocrstudio.services.environment import (
    Environment,
    ModelCheck,
    Verdict,
    advice,
    check_model,
    look_around,
)

_SHOWN_LINES = 4
_WIDTH = 80
_BARS = " \u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"
_MARKS = {
    Verdict.OK: "ok",
    Verdict.DIFFERS: "DIFFERS",
    Verdict.MISSING: "MISSING",
    Verdict.PROBLEM: "PROBLEM",
}


@click.command()
@dataset_option("--dataset", help="Also check a dataset: JSONL, or any form of `ocrstudio dataset forms`.")
@dataset_option("--eval-dataset", help="Look for pages of the dataset in this one, too.")
@columns_options
@click.option("--model", help="Model folder to look at, or reader. [default: model.base_model_path]")
@file_option("--config", help="Configuration YAML that names the model.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of text.")
def command(
    *,
    dataset: Path | None,
    eval_dataset: Path | None,
    image_key: str | None,
    text_key: str | None,
    model: str | None,
    config: Path | None,
    as_json: bool,
) -> None:
    """Check this machine, the model and a dataset. Nothing is loaded, changed or downloaded."""
    if eval_dataset and not dataset:
        raise click.UsageError("--eval-dataset is compared with --dataset: give both.")
    environment = look_around(Path())
    settings = training_settings(config, {}, model)
    model = model or settings.model.base_model_path
    found_model = check_model(model)
    found_dataset = None
    if dataset:
        found_dataset = check_dataset_file(
            dataset,
            model=model,
            image=settings.image,
            max_length=settings.training.max_length,
            evaluation=eval_dataset,
            columns=columns_of(image_key, text_key),
        )
    todo = advice(environment, found_model)
    if as_json:
        _print_json(environment, found_model, found_dataset, todo)
        return
    _print_machine(environment)
    _print_packages(environment)
    click.echo(f"{'Model':<12}{found_model.name}: {_mark(found_model.verdict)}, {found_model.detail}")
    if found_dataset:
        _print_dataset(found_dataset)
    for sentence in todo:
        click.echo(f"{'To do':<12}{sentence}")


def _print_json(
    environment: Environment, model: ModelCheck, dataset: DatasetCheck | None, todo: list[str]
) -> None:
    data = dataclasses.asdict(environment)
    data["packages"] = [
        {**dataclasses.asdict(check), "verdict": check.verdict.value} for check in environment.packages
    ]
    data |= {
        "model": dataclasses.asdict(model),
        "dataset": dataclasses.asdict(dataset) if dataset else None,
        "advice": todo,
    }
    click.echo(json.dumps(data, ensure_ascii=False, indent=2))


def _print_machine(environment: Environment) -> None:
    click.echo(
        f"{'OCR Studio':<12}{environment.ocrstudio}, Python {environment.python}, {environment.platform}"
    )
    click.echo(
        f"{'Machine':<12}{environment.processors} cores, {size_of(environment.memory_available)} of "
        f"{size_of(environment.memory_total)} memory available, "
        f"{size_of(environment.disk_free)} free on this disk"
    )
    for gpu in environment.gpus:
        click.echo(f"{'GPU':<12}{gpu.in_words()}")
    if not environment.gpus:
        click.echo(f"{'GPU':<12}none: {environment.gpu_problem or 'the driver lists none'}")


def _print_packages(environment: Environment) -> None:
    """What is as it was tried, in a few lines; what is not, with a line of its own."""
    known = [
        f"{check.name} {check.installed}" for check in environment.packages if check.verdict is Verdict.OK
    ]
    others = [
        f"{check.name} {check.installed or '-'} {_mark(check.verdict)} (known to work: {check.known})"
        for check in environment.packages
        if check.verdict is not Verdict.OK
    ]
    lines = textwrap.wrap(f"{', '.join(known)}: ok", _WIDTH - 12, break_on_hyphens=False) if known else []
    for number, line in enumerate([*lines, *others]):
        click.echo(f"{'' if number else 'Packages':<12}{line}")


def _print_dataset(check: DatasetCheck) -> None:
    click.echo(f"{'Dataset':<12}{check.path}: {check.summary}")
    if check.lengths:
        lengths = check.lengths
        click.echo(
            f"{'':<12}answers of {lengths.shortest} to {lengths.longest} {lengths.unit} "
            f"(median {lengths.median}, 95 % up to {lengths.p95}) {_sparkline(lengths.histogram)}"
        )
    found = ", ".join(
        f"{words}: {check.counts[name]}" for name, words in COUNTED.items() if name in check.counts
    )
    for line in textwrap.wrap(f"documents: {check.documents}, {found}", _WIDTH - 12):
        click.echo(f"{'':<12}{line}")
    for lines in (check.problems, check.findings):
        for line in lines[:_SHOWN_LINES]:
            click.echo(f"{'':<12}{line}")
        if len(lines) > _SHOWN_LINES:
            click.echo(f"{'':<12}… and {len(lines) - _SHOWN_LINES} more (all with --json)")


def _sparkline(histogram: Sequence[Bucket]) -> str:
    """A bar of eight heights for each bucket; a blank for none."""
    most = max(bucket.count for bucket in histogram)
    return "".join(_BARS[-(-(len(_BARS) - 1) * bucket.count // most)] for bucket in histogram)


def _mark(verdict: Verdict) -> str:
    return _MARKS[verdict]
