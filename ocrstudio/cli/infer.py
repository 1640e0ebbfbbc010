"""``ocrstudio infer``: label images or PDF pages with a teacher."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ocrstudio.cli.options import file_option, parse_overrides
from ocrstudio.cli.output import echo_error, echo_warning
from ocrstudio.domain.wording import duration

if TYPE_CHECKING:
    from ocrstudio.services.inference.journal import Earlier
    from ocrstudio.services.inference.output import OutputTarget
    from ocrstudio.services.inference.pages import FoundPages
    from ocrstudio.services.inference.run import InferenceProgress, InferenceReport
    from ocrstudio.settings.teacher import TeacherConfig
    from ocrstudio.tasks import Task

_FAILED = 1
_INTERRUPTED = 130

_existing = click.Path(path_type=Path, exists=True)


@click.command()
@click.option("--images", type=_existing, help="Image file, or a folder of images.")
@click.option("--pdf", type=_existing, help="PDF file, or a folder of PDFs.")
@click.option(
    "--dpi", type=click.IntRange(36, 1200), default=200, show_default=True, help="Resolution of PDF pages."
)
@file_option("--config", help="Teacher configuration YAML.  [default: the offline teacher]")
@click.option(
    "--task", "task_id", help="Task, a key of the prompts; see --list-prompts.  [default: markdown]"
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path("output"),
    show_default="./output",
    help="Folder for the results, or a .jsonl or .json file.",
)
@click.option(
    "--format", "output_format", type=click.Choice(["md", "json", "jsonl"]), help="Instead of output.format."
)
@click.option("--list-prompts", is_flag=True, help="List the tasks with their exact prompts.")
@click.option("--resume", is_flag=True, help="Go on with an earlier run: skip the pages it labelled.")
@click.option("--overwrite", is_flag=True, help="Replace the results of an earlier run.")
@click.option("--password", help="For encrypted PDFs.")
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override one key of the configuration."
)
@click.pass_context
def command(  # noqa: PLR0913, PLR0917 - one argument for each option
    context: click.Context,
    images: Path | None,
    pdf: Path | None,
    dpi: int,
    config: Path | None,
    task_id: str | None,
    output: Path,
    output_format: str | None,
    list_prompts: bool,
    resume: bool,
    overwrite: bool,
    password: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Label images or PDF pages with a teacher, as Markdown, JSON or a training dataset.

    Each document is written as soon as it is complete. A page that fails is reported and the others go on;
    the exit status is then 1. Ctrl+C keeps what is done, and --resume goes on from there.
    """
    if resume and overwrite:
        raise click.UsageError("--resume and --overwrite exclude each other.")
    teacher_config, default_task, prompts_file = _settings(config, output_format, overrides)
    if teacher_config.offline is not None and _is_given(context, "dpi"):
        section = teacher_config.offline.model_copy(update={"dpi": dpi})
        teacher_config = teacher_config.model_copy(update={"offline": section})
    from ocrstudio.tasks import get_task, load_tasks

    tasks = load_tasks(prompts_file, teacher_config.prompts)
    if list_prompts:
        _list_prompts(tasks)
        return
    if images is None and pdf is None:
        raise click.UsageError("Give --images or --pdf: a file or a folder.")
    task = get_task(tasks, task_id or default_task)
    shared = load_tasks(prompts_file)
    # Dataset lines carry the student's wording of a task, not the one that this teacher was given.
    asked = get_task(shared, task.id) if task.id in shared else task
    report = _label(
        teacher_config,
        task,
        _target(output, teacher_config, asked),
        _found(images, pdf, password, dpi),
        _earlier(resume=resume, overwrite=overwrite),
    )
    if report.cancelled:
        context.exit(_INTERRUPTED)
    if not report.is_complete:
        context.exit(_FAILED)


def _target(output: Path, config: "TeacherConfig", asked: "Task") -> "OutputTarget":
    from ocrstudio.services.inference.output import output_target
    from ocrstudio.tasks import student_prompt

    return output_target(
        output, config.output.format, save_images=config.output.save_images, prompt=student_prompt(asked)
    )


def _found(images: Path | None, pdf: Path | None, password: str | None, dpi: int) -> "FoundPages":
    from ocrstudio.services.inference.pages import find_pages

    found = find_pages(images, pdf, password=password, dpi=dpi)
    for problem in found.problems:
        echo_error(problem)
    return found


def _earlier(*, resume: bool, overwrite: bool) -> "Earlier":
    from ocrstudio.services.inference.journal import Earlier

    if resume:
        return Earlier.RESUME
    return Earlier.OVERWRITE if overwrite else Earlier.REFUSE


def _label(
    config: "TeacherConfig", task: "Task", target: "OutputTarget", found: "FoundPages", earlier: "Earlier"
) -> "InferenceReport":
    """Label the pages with progress on the screen, and print what came of it."""
    from ocrstudio.services.inference.run import infer
    from ocrstudio.teachers.registry import create_teacher

    async def label(on_progress: "Callable[[InferenceProgress], None]") -> "InferenceReport":
        cancel = asyncio.Event()
        with _ctrl_c(cancel):
            return await infer(
                found,
                create_teacher(config, progress=_show_notice),
                task,
                target,
                config=config,
                earlier=earlier,
                on_progress=on_progress,
                cancel=cancel,
            )

    with _progress(len(found.pages)) as on_progress:
        report = asyncio.run(label(on_progress))
    _print_report(report, target.folder)
    return report


def _settings(
    config: Path | None, output_format: str | None, overrides: tuple[str, ...]
) -> "tuple[TeacherConfig, str, Path | None]":
    """The teacher's configuration, the default task and the user's prompts, from options and settings."""
    from ocrstudio.settings.app import load_app_settings
    from ocrstudio.settings.teacher import load_teacher_config

    settings = load_app_settings()
    if config is None and settings.teacher_config:
        config = Path(settings.teacher_config)
    values = parse_overrides(overrides)
    if output_format is not None:
        values["output.format"] = output_format
    prompts_file = Path(settings.prompts_file) if settings.prompts_file else None
    return load_teacher_config(config, values), settings.default_task, prompts_file


def _is_given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE


def _list_prompts(tasks: "dict[str, Task]") -> None:
    from ocrstudio.tasks import list_tasks

    for entry in list_tasks(tasks.values()):
        task = tasks[entry.id]
        kind = "protected: a prompt of DeepSeek-OCR's training" if task.protected else "custom"
        click.echo(f"{task.id}  ({kind})")
        if task.description:
            click.echo(f"    {task.description}")
        if task.system:
            click.echo(f"    system: {_indented(task.system)}")
        click.echo(f"    user:   {_indented(task.user)}")


def _indented(text: str) -> str:
    return text.replace("\n", "\n            ")


@contextlib.contextmanager
def _ctrl_c(cancel: asyncio.Event) -> Iterator[None]:
    """The first Ctrl+C stops the batch and keeps what is done; a second one ends the program."""
    loop = asyncio.get_running_loop()

    def stop(number: int, frame: object) -> None:
        del number, frame
        signal.signal(signal.SIGINT, signal.default_int_handler)
        loop.call_soon_threadsafe(cancel.set)

    previous = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


@contextlib.contextmanager
def _progress(total: int) -> "Iterator[Callable[[InferenceProgress], None]]":
    """A progress bar on a terminal; documents and failures are lines in any case."""
    if not sys.stderr.isatty():
        yield _show_line
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Labelling", total=total)

        def show(progress: "InferenceProgress") -> None:
            bar.update(
                task,
                description=progress.key,
                completed=progress.done + progress.failed,
                total=progress.total,
            )
            _show_line(progress)

        yield show


def _show_line(progress: "InferenceProgress") -> None:
    from ocrstudio.teachers.flags import describe_flags

    if progress.error is not None:
        echo_error(progress.error)
    if progress.flags:
        echo_warning(f"{progress.key}: {describe_flags(progress.flags)}")
    if progress.written is not None:
        click.echo(f"{progress.written}")


def _show_notice(notice: dict[str, object]) -> None:
    if notice.get("message"):
        click.echo(f"{notice['message']} …", err=True)


def _print_report(report: "InferenceReport", folder: Path) -> None:
    if report.stopped_by is not None:
        echo_error(report.stopped_by)
    parts = [f"{report.labelled} of {report.pages} pages labelled in {duration(report.seconds)}"]
    if report.resumed:
        parts.append(f"{report.resumed} were done before")
    if report.failed:
        parts.append(f"{report.failed} failed")
    left = report.pages - report.labelled - report.resumed - report.failed
    if left:
        parts.append(f"{left} not done: go on with --resume")
    click.echo(f"{'; '.join(parts)}. Results are in {folder}.")
    if report.unfit:
        echo_warning(
            f"The dataset leaves out {report.unfit} labels (cut off, endlessly repeating, or refusals)."
        )
    if report.problems:
        click.echo(f"Files that could not be opened: {len(report.problems)}.", err=True)
