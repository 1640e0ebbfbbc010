"""``ocrstudio infer``: label images or PDF pages with a teacher."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ocrstudio.cli.bar import cancelled_by_ctrl_c, progress_bar
from ocrstudio.cli.main import EXIT_ERROR, EXIT_INTERRUPTED_BY_USER
from ocrstudio.cli.notices import NoticeLines
from ocrstudio.cli.options import file_option, override_option, page_seconds_option, parse_overrides
from ocrstudio.cli.output import echo_error, echo_warning
from ocrstudio.domain.wording import count_of, duration

if TYPE_CHECKING:
    from ocrstudio.services.inference.journal import Earlier
    from ocrstudio.services.inference.output import OutputTarget
    from ocrstudio.services.inference.pages import FoundPages
    from ocrstudio.services.inference.run import InferenceProgress, InferenceReport
    from ocrstudio.settings.app import AppSettings
    from ocrstudio.settings.teacher import TeacherConfig
    from ocrstudio.tasks import Task

_existing = click.Path(path_type=Path, exists=True)


@click.command()
@click.option("--images", type=_existing, help="Image file, or a folder of images.")
@click.option("--pdf", type=_existing, help="PDF file, or a folder of PDFs.")
@click.option(
    "--dpi", type=click.IntRange(36, 1200), default=200, show_default=True, help="Resolution of PDF pages."
)
@file_option(
    "--config", help="Teacher configuration YAML. [default: the settings' teacher, or the offline one]"
)
@click.option("--model", help="Draft with a student on this machine: its folder, or reader.")
@click.option(
    "--task",
    "task_id",
    show_default="the settings' default task",
    help="Task, a key of the prompts; see --list-prompts.",
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
@page_seconds_option
@override_option("generation.max_tokens=8192")
@click.pass_context
def command(  # noqa: PLR0913, PLR0917 - one argument for each option
    context: click.Context,
    images: Path | None,
    pdf: Path | None,
    dpi: int,
    config: Path | None,
    model: str | None,
    task_id: str | None,
    output: Path,
    output_format: str | None,
    list_prompts: bool,
    resume: bool,
    overwrite: bool,
    password: str | None,
    max_page_seconds: int | None,
    overrides: tuple[str, ...],
) -> None:
    """Label images or PDF pages with a teacher, as Markdown, JSON or a training dataset.

    Each document is written as soon as it is complete. A page that fails is reported and the others go on;
    the exit status is then 1. Ctrl+C keeps what is done, and --resume goes on from there.
    """
    from ocrstudio.settings.app import load_app_settings

    if resume and overwrite:
        raise click.UsageError("--resume and --overwrite exclude each other.")
    settings = load_app_settings()
    values = parse_overrides(overrides)
    if model is not None:
        values |= {"type": "local", "local.model_path": model}
    own = settings.teacher_file if model is None else None
    teacher_config = _teacher_config(config or own, output, output_format, values)
    if teacher_config.offline is not None and _is_given(context, "dpi"):
        section = teacher_config.offline.model_copy(update={"dpi": dpi})
        teacher_config = teacher_config.model_copy(update={"offline": section})
    from ocrstudio.tasks import get_task, load_tasks

    tasks = load_tasks(settings.prompts_file, teacher_config.prompts)
    if list_prompts:
        _list_prompts(tasks)
        return
    if images is None and pdf is None:
        raise click.UsageError("Give --images or --pdf: a file or a folder.")
    task = get_task(tasks, task_id or settings.default_task)
    shared = load_tasks(settings.prompts_file)
    # Dataset lines carry the student's wording of a task, not the one that this teacher was given.
    asked = get_task(shared, task.id) if task.id in shared else task
    target = _target(output, teacher_config, asked)
    report = _label(
        teacher_config,
        task,
        target,
        _found(images, pdf, password, dpi, settings, max_page_seconds, target),
        _earlier(resume=resume, overwrite=overwrite),
    )
    if report.cancelled:
        context.exit(EXIT_INTERRUPTED_BY_USER)
    if not report.is_complete:
        context.exit(EXIT_ERROR)


def _target(output: Path, config: "TeacherConfig", asked: "Task") -> "OutputTarget":
    from ocrstudio.services.inference.output import output_target
    from ocrstudio.tasks import student_prompt

    return output_target(
        output, config.output.format, save_images=config.output.save_images, prompt=student_prompt(asked)
    )


def _found(
    images: Path | None,
    pdf: Path | None,
    password: str | None,
    dpi: int,
    settings: "AppSettings",
    max_page_seconds: int | None,
    target: "OutputTarget",
) -> "FoundPages":
    from ocrstudio.services.inference.output import IMAGES
    from ocrstudio.services.inference.pages import find_pages

    found = find_pages(
        images,
        pdf,
        password=password,
        dpi=dpi,
        max_pixels=settings.max_image_pixels,
        max_seconds=max_page_seconds or settings.max_page_seconds,
        skip=[target.folder, target.folder / IMAGES] if target.journal.exists() else [target.folder],
    )
    for remark in found.remarks:
        echo_warning(remark)
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
        with cancelled_by_ctrl_c() as cancel:
            return await infer(
                found,
                create_teacher(config, progress=NoticeLines().show),
                task,
                target,
                config=config,
                earlier=earlier,
                on_progress=on_progress,
                cancel=cancel,
            )

    remarks: set[str] = set()
    with progress_bar("Labelling") as bar:

        def show(progress: "InferenceProgress") -> None:
            bar.show(progress.done + progress.failed, progress.total, progress.key)
            for remark in set(progress.remarks) - remarks:  # one about the model comes with every page
                echo_warning(remark)
            remarks.update(progress.remarks)
            _show_line(progress)

        report = asyncio.run(label(show))
    _print_report(report, target.results)
    return report


def _teacher_config(
    config: Path | None, output: Path, output_format: str | None, values: dict[str, Any]
) -> "TeacherConfig":
    """The teacher's configuration; the name of an output file says the format where no option does."""
    from ocrstudio.services.inference.output import format_of
    from ocrstudio.settings.teacher import load_teacher_config

    chosen = output_format or format_of(output)
    if chosen is not None:
        values["output.format"] = chosen
    return load_teacher_config(config, values)


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


def _show_line(progress: "InferenceProgress") -> None:
    from ocrstudio.teachers.flags import describe_flags

    if progress.error is not None:
        echo_error(progress.error)
    if progress.flags:
        echo_warning(f"{progress.key}: {describe_flags(progress.flags, progress.parameters)}")
    if progress.written is not None:
        click.echo(f"{progress.written}")


def _print_report(report: "InferenceReport", results: Path) -> None:
    left = report.pages - report.labelled - report.blank - report.resumed - report.failed
    if report.stopped_by is not None:
        from ocrstudio.teachers.batch import stopped_early

        echo_error(stopped_early(report.stopped_by, report.labelled + report.blank + report.failed, left))
    parts = [f"{report.labelled} of {report.pages} pages labelled in {duration(report.seconds)}"]
    if report.resumed:
        parts.append(f"{report.resumed} were done before")
    if report.failed:
        parts.append(f"{report.failed} failed")
    if report.blank:
        parts.append(f"{report.blank} blank")
    if left:
        parts.append(f"{left} not done: go on with --resume")
    click.echo(f"{'; '.join(parts)}. Results are in {results}.")
    if report.unfit:
        echo_warning(
            f"The dataset leaves out {count_of(report.unfit, 'label')} "
            "(cut off, endlessly repeating, refusals, or not the text of the page)."
        )
    if report.problems:
        click.echo(f"Files that could not be opened: {len(report.problems)}.", err=True)
