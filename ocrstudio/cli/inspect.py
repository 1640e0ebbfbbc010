"""``ocrstudio inspect``: is this machine ready, in one screen."""

import dataclasses
import json
from pathlib import Path

import click

from ocrstudio.cli.options import file_option, training_settings
from ocrstudio.cli.output import gibibytes
from ocrstudio.services.environment import (
    DatasetCheck,
    Environment,
    ModelCheck,
    Verdict,
    advice,
    check_dataset_file,
    check_model,
    look_around,
)

_SHOWN_LINES = 5
_MARKS = {
    Verdict.OK: "ok",
    Verdict.DIFFERS: "DIFFERS",
    Verdict.MISSING: "MISSING",
    Verdict.PROBLEM: "PROBLEM",
}


@click.command()
@file_option("--dataset", help="Also check a dataset, JSONL.")
@click.option("--model", help="Model folder to look at, or micro. [default: model.base_model_path]")
@file_option("--config", help="Configuration YAML that names the model.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of text.")
def command(dataset: Path | None, model: str | None, config: Path | None, as_json: bool) -> None:
    """Check this machine, the model and a dataset. Nothing is loaded, changed or downloaded."""
    environment = look_around(Path())
    found_model = check_model(model or training_settings(config, {}).model.base_model_path)
    found_dataset = check_dataset_file(dataset) if dataset else None
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
        f"{'Machine':<12}{environment.processors} cores, {gibibytes(environment.memory_available)} of "
        f"{gibibytes(environment.memory_total)} memory available, "
        f"{gibibytes(environment.disk_free)} free on this disk"
    )
    for gpu in environment.gpus:
        click.echo(
            f"{'GPU':<12}{gpu.name}, {gibibytes(gpu.memory_free)} of {gibibytes(gpu.memory_total)} free, "
            f"driver {gpu.driver}"
        )
    if not environment.gpus:
        click.echo(f"{'GPU':<12}none: {environment.gpu_problem or 'the driver lists none'}")


def _print_packages(environment: Environment) -> None:
    for number, check in enumerate(environment.packages):
        name = "Packages" if number == 0 else ""
        installed = check.installed or "-"
        note = "" if check.verdict is Verdict.OK else f" (known to work: {check.known})"
        click.echo(f"{name:<12}{check.name:<20}{installed:<14}{_mark(check.verdict)}{note}")


def _print_dataset(check: DatasetCheck) -> None:
    click.echo(f"{'Dataset':<12}{check.path}: {check.summary}")
    if check.answer_characters:
        shortest, median, longest = check.answer_characters
        click.echo(f"{'':<12}answers of {shortest} to {longest} characters, median {median}")
    for lines in (check.problems, check.findings):
        for line in lines[:_SHOWN_LINES]:
            click.echo(f"{'':<12}{line}")
        if len(lines) > _SHOWN_LINES:
            click.echo(f"{'':<12}… and {len(lines) - _SHOWN_LINES} more (all with --json)")


def _mark(verdict: Verdict) -> str:
    return _MARKS[verdict]
