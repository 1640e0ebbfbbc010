"""``ocrstudio train``: fine-tune the student on a dataset."""

from pathlib import Path
from typing import Any

import click

from ocrstudio.cli.options import (
    columns_of,
    columns_options,
    dataset_option,
    parse_overrides,
    run_options,
    training_settings,
)
from ocrstudio.cli.watch import go_on, launch_and_watch
from ocrstudio.domain.run import RunKind, TrainMode
from ocrstudio.jobs.run_folder import SPEC_NAME, RunFolder


@click.command()
@dataset_option(
    "--dataset",
    help="Training data: JSONL, or any form of `ocrstudio dataset forms`. Required unless --resume names a "
    "run.",
)
@dataset_option("--eval-dataset", help="Evaluation data. [default: a part of the documents is held out]")
@columns_options
@click.option(
    "--mode",
    type=click.Choice([mode.value for mode in TrainMode]),
    default=TrainMode.VISION.value,
    show_default=True,
    help="Part of the student that is adapted; full trains every weight.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("models/finetuned"),
    show_default="./models/finetuned",
    help="Folder for the adapter; the run is kept below it, in runs/.",
)
@click.option(
    "--resume",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Checkpoint folder to go on from, or a run folder to continue as it was.",
)
@click.option("--model", help="Base model folder, or reader. [default: model.base_model_path]")
@click.option("--auto-batch", is_flag=True, help="Take the largest batch that fits into memory.")
@click.option(
    "--curve",
    is_flag=True,
    help="Train on a quarter, a half and all pages with the same steps, and say what 100 more would bring.",
)
@click.option("--max-steps", type=click.IntRange(min=1), help="Length in steps; as training.max_steps.")
@run_options
def command(resume: Path | None, detach: bool, **options: Any) -> int:  # noqa: ANN401 - click's values
    """Fine-tune the student on a dataset (LoRA).

    The training runs in a process of its own: closing the terminal does not end it.
    """
    if resume is not None and (resume / SPEC_NAME).is_file():
        folder = RunFolder(resume)
        _refuse_changes(click.get_current_context(), folder)
        return go_on(folder, None, detach=detach)
    if options["dataset"] is None:
        raise click.UsageError("Missing option '--dataset'.")
    return launch_and_watch(_create(resume, **options), detach=detach)


def _refuse_changes(context: click.Context, folder: RunFolder) -> None:
    """A run goes on as it was asked for: an option that would be ignored is an error."""
    same = {"resume", "detach"} | ({"curve"} if folder.spec.kind is RunKind.CURVE else set())
    given = [
        parameter.opts[0]
        for parameter in context.command.params
        if parameter.name not in same
        and context.get_parameter_source(str(parameter.name)) is click.core.ParameterSource.COMMANDLINE
    ]
    if given:
        raise click.UsageError(
            f"A run goes on as it was started: {', '.join(given)} cannot be changed. To train on with other "
            "options, give a checkpoint of the run (RUN/checkpoints/checkpoint-N) as --resume."
        )


def _create(  # noqa: PLR0913 - the options of the command
    checkpoint: Path | None,
    *,
    dataset: Path,
    eval_dataset: Path | None,
    mode: str,
    output: Path,
    model: str | None,
    max_steps: int | None,
    auto_batch: bool,
    curve: bool,
    config: Path | None,
    overrides: tuple[str, ...],
    strict: bool,
    image_key: str | None,
    text_key: str | None,
) -> RunFolder:
    from ocrstudio.services.learning_curve import create_learning_curve
    from ocrstudio.services.runs import RUNS_FOLDER
    from ocrstudio.services.training import TrainingRequest, create_training_run

    values = parse_overrides(overrides)
    if max_steps is not None:
        values["training.max_steps"] = max_steps
    if auto_batch:
        values["training.auto_batch"] = True
    request = TrainingRequest(
        dataset=dataset,
        mode=TrainMode(mode),
        model=model,
        eval_dataset=eval_dataset,
        resume_from=checkpoint,
        export_to=output,
        strict=strict,
        columns=columns_of(image_key, text_key),
    )
    create = create_learning_curve if curve else create_training_run
    folder = create(output / RUNS_FOLDER, request, training_settings(config, values, model, request.mode))
    click.echo(f"Dataset: {folder.spec.request['dataset_summary']}")
    if eval_dataset is not None:
        click.echo(f"Evaluation: {folder.spec.request['eval_dataset_summary']}")
    if curve:
        click.echo(f"Learning curve: {folder.spec.request['plan']}")
    return folder
