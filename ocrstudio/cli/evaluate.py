"""``ocrstudio evaluate``: measure the student, or any other predictions, on a dataset."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from ocrstudio.cli.figures import figure_in_words
from ocrstudio.cli.options import (
    columns_of,
    columns_options,
    dataset_option,
    parse_overrides,
    run_options,
    training_settings,
)
from ocrstudio.cli.output import echo_warning, table
from ocrstudio.cli.watch import launch_and_watch
from ocrstudio.domain.embedded import is_embedded
from ocrstudio.domain.profile_names import PROFILE_HELP
from ocrstudio.domain.wording import count_of

if TYPE_CHECKING:
    from ocrstudio.datasets import Columns
    from ocrstudio.evaluation.bootstrap import Interval
    from ocrstudio.settings.scoring import ScoringConfig

_OPTIONS_OF_PREDICTIONS = (
    "dataset",
    "image_key",
    "text_key",
    "predictions",
    "output",
    "strict",
    "profile",
    "config",
    "overrides",
)
_SCORING = "scoring."
_MODEL = "model.base_model_path"


@click.command()
@dataset_option(
    "--dataset",
    required=True,
    help="Pages with reference answers: JSONL, or any form of `ocrstudio dataset forms`.",
)
@columns_options
@click.option(
    "--predictions",
    type=click.Path(path_type=Path, exists=True),
    help="Measure these, not the student: what infer wrote, or a folder of Markdown named like the pictures.",
)
@click.option(
    "--profile",
    type=click.Choice(list(PROFILE_HELP)),
    help="What counts as equal: the Markdown as written, its text, or as a benchmark has it. "
    "[default: scoring.profile]",
)
@click.option("--task", help="Ask the prompt of this task. [default: the prompt of each line]")
@click.option(
    "--model",
    help="Model folder, or reader. [default: the adapter's, if built in; else model.base_model_path]",
)
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
@click.pass_context
def command(  # noqa: PLR0913 - the options of the command
    context: click.Context,
    *,
    dataset: Path,
    predictions: Path | None,
    profile: str | None,
    task: str | None,
    model: str | None,
    adapter: Path | None,
    output: Path,
    config: Path | None,
    overrides: tuple[str, ...],
    strict: bool,
    detach: bool,
    image_key: str | None,
    text_key: str | None,
) -> int:
    """Measure the student on a dataset: error rates, and text, order, tables and formulas block by block.

    The evaluation runs in a process of its own: closing the terminal does not end it. With --predictions
    nothing is run: what another program or teacher has written is measured in the same way. An empty answer
    in the dataset is a blank page: text that is invented there counts.
    """
    changes = parse_overrides(overrides)
    if profile is not None:
        changes["scoring.profile"] = profile
    if predictions is not None:
        _refuse_options_of_the_student(context, changes)
    if model is None and adapter is not None and config is None and _MODEL not in changes:
        model = _embedded_base(adapter)
    settings = training_settings(config, changes, model)
    columns = columns_of(image_key, text_key)
    if predictions is not None:
        return _measure(dataset, predictions, output, settings.scoring, columns, strict=strict)
    from ocrstudio.services.evaluation import EvaluationRequest, create_evaluation_run
    from ocrstudio.services.runs import RUNS_FOLDER
    from ocrstudio.settings.app import load_app_settings
    from ocrstudio.tasks import load_tasks

    request = EvaluationRequest(
        dataset=dataset,
        output=output,
        task=task,
        model=model,
        adapter=adapter,
        strict=strict,
        columns=columns,
    )
    tasks = load_tasks(load_app_settings().prompts_file)
    folder = create_evaluation_run(output.parent / RUNS_FOLDER, request, settings, tasks)
    click.echo(f"Dataset: {folder.spec.request['dataset_summary']}")
    return launch_and_watch(folder, detach=detach)


def _refuse_options_of_the_student(context: click.Context, changes: Mapping[str, object]) -> None:
    given = [
        parameter.opts[0]
        for parameter in context.command.params
        if parameter.name not in _OPTIONS_OF_PREDICTIONS
        and context.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE
    ]
    given += [f"--set {key}" for key in changes if not key.startswith(_SCORING)]
    if given:
        raise click.UsageError(f"With --predictions no student is run; leave out {', '.join(given)}.")


def _embedded_base(adapter: Path) -> str | None:
    """The built-in student that an adapter was trained on; None for a folder, which may have moved."""
    from ocrstudio.services.adapters import open_adapter

    base = open_adapter(adapter).base_model
    return base if is_embedded(base) else None


def _measure(
    dataset: Path,
    predictions: Path,
    output: Path,
    scoring: "ScoringConfig",
    columns: "Columns | None",
    *,
    strict: bool,
) -> int:
    from ocrstudio.evaluation.report import block_figures
    from ocrstudio.services.foreign_predictions import evaluate_predictions

    measured = evaluate_predictions(dataset, predictions, output, scoring, strict=strict, columns=columns)
    for remark in measured.remarks:
        echo_warning(remark)
    overall = measured.report.overall
    missing = f", {overall.missing} of them without a prediction" if overall.missing else ""
    profile = measured.report.profile.describe()
    click.echo(f"{count_of(overall.pages, 'page')}{missing}, compared under the profile {profile}.")
    rows = [
        (*figure_in_words("cer", overall.cer.corpus), _between(overall.cer.interval)),
        (*figure_in_words("wer", overall.wer.corpus), _between(overall.wer.interval)),
        (*figure_in_words("ned", overall.ned), ""),
        *((*figure_in_words(name, value), "") for name, value in block_figures(overall).items()),
        (*figure_in_words("runaway_rate", overall.runaway_rate), ""),
    ]
    click.echo(table(rows, ("FIGURE", "ALL PAGES", "95 % INTERVAL")))
    click.echo(f"Report: {output}")
    return 0


def _between(interval: "Interval | None") -> str:
    return f"{interval.low:.2%} to {interval.high:.2%}" if interval is not None else ""
