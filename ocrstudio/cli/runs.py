"""``ocrstudio runs``: list, show, attach, stop and resume runs; export and merge their adapters."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ocrstudio.cli.notices import NoticeLines
from ocrstudio.cli.output import echo_warning, moment, table
from ocrstudio.cli.watch import go_on, report_outcome, watch
from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.domain.picture_check import look_in_words
from ocrstudio.domain.run import RunState
from ocrstudio.domain.wording import duration
from ocrstudio.jobs.adapter_files import INFO_FILE
from ocrstudio.jobs.relay import EXIT_STATUS, relay_lines
from ocrstudio.jobs.stop import Patience, force_stop, request_stop, wait_until_over
from ocrstudio.services.run_requests import require_checkpoint
from ocrstudio.services.runs import RunOverview, find_run, find_run_folders, overview

if TYPE_CHECKING:
    from ocrstudio.services.adapters import Adapter

_USUAL_PLACES = (Path(), Path("models/finetuned"))

_in_option = click.option(
    "--in",
    "place",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of runs, workspace, or output of train. [default: here, ./runs and ./models/finetuned/runs]",
)
_json_option = click.option("--json", "as_json", is_flag=True, help="JSON instead of text.")
_run_argument = click.argument("run", metavar="RUN")


def _places(place: Path | None) -> tuple[Path, ...]:
    return _USUAL_PLACES if place is None else (place,)


@click.group()
def command() -> None:
    """List, show, attach, stop or resume runs, export or merge their adapters.

    RUN is a run folder, its id, or a part at the beginning or end of the id that fits only one run.
    """


@command.command("list")
@_in_option
@_json_option
def list_runs(place: Path | None, as_json: bool) -> None:
    """List runs, newest first."""
    folders, problems = find_run_folders(_places(place))
    rows = []
    for folder in folders:
        try:
            rows.append(overview(folder))
        except OcrStudioError as error:  # written by another version
            problems.append(f"{folder.path}: {error}")
    for problem in problems:
        echo_warning(problem)
    if as_json:
        click.echo(json.dumps([row.to_json() for row in rows], ensure_ascii=False, indent=2))
    elif rows:
        lines = [
            (row.id, row.kind.value, row.state.value, _position(row), moment(row.created), row.title)
            for row in rows
        ]
        click.echo(table(lines, ("RUN", "KIND", "STATE", "DONE", "CREATED", "TITLE")))
    else:
        click.echo("There are no runs here. `--in FOLDER` looks elsewhere.")


@command.command()
@_run_argument
@_in_option
@_json_option
def show(run: str, place: Path | None, as_json: bool) -> None:
    """Show what a run was asked to do and where it stands."""
    folder = find_run(run, _places(place))
    facts = overview(folder)
    spec = folder.spec
    summary = folder.summary()
    if as_json:
        details = facts.to_json() | {
            "request": dict(spec.request),
            "config": dict(spec.config),
            "versions": dict(spec.versions),
            "dataset_sha256": spec.dataset_sha256,
            "base_model": spec.base_model,
            "base_revision": spec.base_revision,
            "summary": summary,
        }
        click.echo(json.dumps(details, ensure_ascii=False, indent=2))
        return
    click.echo(f"{facts.id}: {facts.title}")
    lines = {
        "state": facts.state.value + (f", {_left(facts)}" if _left(facts) else ""),
        "done": _position(facts),
        "created": moment(facts.created),
        "folder": str(facts.path),
        "dataset SHA-256": spec.dataset_sha256,
        "model revision": spec.base_revision,
        **{name.replace("_", " "): value for name, value in spec.request.items()},
        **{
            f"last {name}": f"{value:.4g}"
            for name, value in (facts.values or {}).items()
            if value is not None
        },
        "versions": ", ".join(f"{name} {version}" for name, version in spec.versions.items()),
        **look_in_words(summary),
        "result": json.dumps(summary, ensure_ascii=False) if summary else None,
    }
    for name, value in lines.items():
        if value not in (None, ""):
            click.echo(f"  {name}: {value}")
    if facts.state.is_over and facts.state is not RunState.FINISHED:
        click.echo(f"Go on with: {folder.command('resume')}")


@command.command()
@_run_argument
@_in_option
@click.option("--after", type=click.IntRange(min=0), default=0, help="Skip events up to this number.")
@click.option("--json", "as_json", is_flag=True, help="The event lines themselves instead of text.")
def attach(run: str, place: Path | None, after: int, as_json: bool) -> int:
    """Watch a run: its whole history, then what happens. Ctrl+C leaves it to itself."""
    folder = find_run(run, _places(place))
    if as_json:
        return EXIT_STATUS[relay_lines(folder, after, click.echo)]
    return watch(folder, after)


@command.command()
@_run_argument
@_in_option
@click.option("--force", is_flag=True, help="Kill the worker when it does not end in time.")
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=Patience.save,
    show_default=True,
    help="Seconds to wait for the worker to save and end.",
)
def stop(run: str, place: Path | None, force: bool, wait: float) -> int:
    """Stop a run: it saves a checkpoint and ends, and can be resumed."""
    folder = find_run(run, _places(place))
    if force:
        return report_outcome(folder, force_stop(folder, Patience(wait, min(wait, Patience.terminate))))
    request_stop(folder)
    click.echo("Asked to stop; waiting for the checkpoint.")
    state = wait_until_over(folder, wait)
    if state is not None:
        report_outcome(folder, state)
        return 0
    click.echo(
        f"The run has not ended after {duration(wait)}; it will once its current step is done.\n"
        f"To end it now (from its last checkpoint it can be resumed): {folder.command('stop --force')}"
    )
    return 1


@command.command()
@_run_argument
@_in_option
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Checkpoint to go on from. [default: the newest]",
)
@click.option("--detach", is_flag=True, help="Start the run and leave it to itself.")
def resume(run: str, place: Path | None, checkpoint: Path | None, detach: bool) -> int:
    """Go on with a run that was stopped, failed or was interrupted."""
    chosen = Path(require_checkpoint(checkpoint)) if checkpoint else None
    return go_on(find_run(run, _places(place)), chosen, detach=detach)


_output_option = click.option(
    "--output", type=click.Path(path_type=Path), required=True, help="New folder that is written."
)
_model_option = click.option("--model", help="Folder of the base model. [default: the one of the training]")


@command.command()
@_run_argument
@_in_option
@_output_option
@click.option(
    "--language-only", is_flag=True, help="Leave out the vision part: for servers that adapt only the rest."
)
@click.option("--gguf", is_flag=True, help="Write GGUF files of the merged model instead, for llama.cpp.")
@click.option(
    "--converter", type=click.Path(path_type=Path), help="With --gguf: convert_hf_to_gguf.py of llama.cpp."
)
@_model_option
def export(
    run: str,
    place: Path | None,
    output: Path,
    language_only: bool,
    gguf: bool,
    converter: Path | None,
    model: str | None,
) -> None:
    """Write the adapter under its public names, for PEFT and vLLM, or with --gguf the model for llama.cpp.

    The names are those of the public checkpoint. RUN can also be an adapter folder.
    """
    from ocrstudio.services.adapters import export_adapter, export_gguf

    if gguf and language_only:
        raise click.UsageError("--gguf writes the whole model: leave --language-only out.")
    if not gguf and (converter or model):
        raise click.UsageError("--converter and --model belong to --gguf.")
    adapter = _find_adapter(run, place)
    if gguf:
        export_gguf(adapter, model, output, converter, NoticeLines().show)
        click.echo(f"GGUF files: {output}")
        _show_image_settings(adapter)
        return
    modules = export_adapter(adapter, output, NoticeLines().show, language_only=language_only)
    click.echo(f"Adapter of {modules} modules: {output}")
    _warn_of_servers(adapter)


@command.command()
@_run_argument
@_in_option
@_output_option
@_model_option
def merge(run: str, place: Path | None, output: Path, model: str | None) -> None:
    """Write base model and adapter as one model folder.

    RUN can also be an adapter folder. It has the public layout, which train, evaluate and infer
    take as a model, and vLLM and converters read.
    """
    from ocrstudio.services.adapters import merge_adapter

    adapter = _find_adapter(run, place)
    merge_adapter(adapter, model, output, NoticeLines().show)
    click.echo(f"Model: {output}")
    _show_image_settings(adapter)
    _warn_of_servers(adapter)


def _show_image_settings(adapter: "Adapter") -> None:
    """A model for other programs has no place for them, and reads badly with others."""
    settings = ", ".join(f"{name}: {json.dumps(value)}" for name, value in adapter.image.items())
    click.echo(f"It was trained with these settings; give it the same ones:\nimage: {{{settings}}}")


def _warn_of_servers(adapter: "Adapter") -> None:
    from ocrstudio.services.adapters import server_remark

    remark = server_remark(adapter)
    if remark:
        echo_warning(remark)


def _find_adapter(run: str, place: Path | None) -> "Adapter":
    from ocrstudio.services.adapters import open_adapter

    path = Path(run)
    if not (path / INFO_FILE).is_file():
        path = find_run(run, _places(place)).path
    return open_adapter(path)


def _position(facts: RunOverview) -> str:
    return f"{facts.done}/{facts.total}" if facts.total else "-"


def _left(facts: RunOverview) -> str:
    if facts.state is not RunState.RUNNING or facts.seconds_left is None:
        return ""
    return f"{duration(facts.seconds_left)} left"
