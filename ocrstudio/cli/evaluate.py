"""``ocrstudio evaluate``: measure the student on a dataset."""

from pathlib import Path

import click

from ocrstudio.cli.options import file_option, parse_overrides, run_options, training_settings
from ocrstudio.cli.watch import launch_and_watch


@click.command()
@file_option("--dataset", required=True, help="Pages with reference answers, JSONL.")
@click.option("--task", help="Ask the prompt of this task. [default: the prompt of each line]")
@click.option("--model", help="Model folder, or micro. [default: model.base_model_path]")
@click.option(
    "--adapter",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Adapter folder or training run. [default: the model alone]",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path("results.json"),
    show_default=True,
    help="Report file; replaced only when the evaluation succeeds.",
)
@run_options
def command(  # noqa: PLR0913 - the options of the command
    *,
    dataset: Path,
    task: str | None,
    model: str | None,
    adapter: Path | None,
    output: Path,
    config: Path | None,
    overrides: tuple[str, ...],
    strict: bool,
    detach: bool,
) -> int:
    """Measure the student on a dataset: character and word error rates, page by page.

    The evaluation runs in a process of its own: closing the terminal does not end it.
    """
    from ocrstudio.services.evaluation import EvaluationRequest, create_evaluation_run
    from ocrstudio.services.runs import RUNS_FOLDER
    from ocrstudio.settings.app import load_app_settings
    from ocrstudio.tasks import load_tasks

    request = EvaluationRequest(
        dataset=dataset, output=output, task=task, model=model, adapter=adapter, strict=strict
    )
    settings = training_settings(config, parse_overrides(overrides))
    tasks = load_tasks(load_app_settings().prompts_file)
    folder = create_evaluation_run(output.parent / RUNS_FOLDER, request, settings, tasks)
    click.echo(f"Dataset: {folder.spec.request['dataset_summary']}")
    return launch_and_watch(folder, detach=detach)
