"""``ocrstudio workspace``: create, fill, label, count and export workspaces."""

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ocrstudio.cli.bar import cancelled_by_ctrl_c, progress_bar
from ocrstudio.cli.main import EXIT_ERROR, EXIT_INTERRUPTED_BY_USER, EXIT_OK
from ocrstudio.cli.notices import NoticeLines
from ocrstudio.cli.options import columns_of, columns_options, training_settings
from ocrstudio.cli.output import echo_error, echo_warning, training_arguments
from ocrstudio.cli.workspace_output import (
    echo_errors,
    echo_some,
    print_draft_quality,
    print_import,
    print_status,
    status_data,
)
from ocrstudio.domain.document import PageStatus
from ocrstudio.domain.errors import DatasetError, OcrStudioError
from ocrstudio.domain.wording import count_of
from ocrstudio.services import workspaces
from ocrstudio.settings.app import load_app_settings
from ocrstudio.settings.teacher import TeacherConfig
from ocrstudio.store import Workspace
from ocrstudio.tasks import Task

if TYPE_CHECKING:
    from ocrstudio.datasets import Columns

_NAMES_SHOWN = 20

_PAGES_TO_LABEL = {
    "unlabelled": (PageStatus.UNLABELLED,),
    "failed": (PageStatus.FAILED,),
    "all": tuple(status for status in PageStatus if status is not PageStatus.EXCLUDED),
}

_folder = click.argument("workspace", type=click.Path(path_type=Path))


@click.group()
def command() -> None:
    """Create, fill, label and export labelling workspaces.

    The window and the command line may work on the same workspace at the same time.
    """


@command.command()
@_folder
@click.argument("sources", nargs=-1, type=click.Path(path_type=Path))
@click.pass_context
def new(context: click.Context, workspace: Path, sources: tuple[Path, ...]) -> None:
    """Make a WORKSPACE in a new or empty folder, and import SOURCES if any are given."""
    with workspaces.create_workspace(workspace) as ws:
        click.echo(f"Created the workspace {ws.root}.")
        if sources and not _import_all(ws, sources, None, accepted=False):
            context.exit(EXIT_ERROR)


@command.command("import")
@_folder
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--password", help="Of encrypted PDFs. Their copies are stored without encryption.")
@click.option("--accepted", is_flag=True, help="Accept the labels of a dataset; without it they are drafts.")
@columns_options
@click.pass_context
def import_(
    context: click.Context,
    workspace: Path,
    sources: tuple[Path, ...],
    password: str | None,
    accepted: bool,
    image_key: str | None,
    text_key: str | None,
) -> None:
    """Copy SOURCES into a WORKSPACE.

    PDF and image files, folders of them, or datasets with their labels: .jsonl files and every other form of
    `ocrstudio dataset forms`, folders of pages included. A file that cannot be read is reported and the
    others go on; the exit status is then 1.
    """
    columns = columns_of(image_key, text_key)
    with Workspace.open(workspace) as ws:
        if not _import_all(ws, sources, password, accepted=accepted, columns=columns):
            context.exit(EXIT_ERROR)


@command.command()
@_folder
@click.option(
    "--teacher",
    "config",
    type=click.Path(path_type=Path, dir_okay=False),
    show_default="the settings' teacher, or the offline one",
    help="Configuration of the teacher (YAML).",
)
@click.option("--task", "task_id", show_default="the settings' default task", help="Key of prompts.yaml.")
@click.option(
    "--pages",
    type=click.Choice(list(_PAGES_TO_LABEL)),
    default="unlabelled",
    show_default=True,
    help="Which pages; an accepted or edited one keeps its label and gets the draft beside it.",
)
@click.option("--document", help="Only the pages of the document of this name.")
@click.pass_context
def label(
    context: click.Context,
    workspace: Path,
    config: Path | None,
    task_id: str | None,
    pages: str,
    document: str | None,
) -> None:
    """Let a teacher draft labels for the pages of a WORKSPACE.

    Each draft is saved when it arrives. Ctrl+C stops; running the command again goes on.
    """
    from ocrstudio.services.drafting import select_pages

    with Workspace.open(workspace) as ws:
        teacher_config, task = _teacher_and_task(config, task_id)
        document_id = None if document is None else _document_id(ws, document)
        page_ids = select_pages(ws, _PAGES_TO_LABEL[pages], document_id)
        if not page_ids:
            click.echo(f"There is nothing to label: no page is to be taken with --pages {pages}.")
            return
        context.exit(_draft(ws, page_ids, teacher_config, task))


@command.command()
@_folder
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--teachers", is_flag=True, help="Measure the drafts of each teacher against accepted labels.")
@click.option("--check", is_flag=True, help="Read the whole database and verify it.")
@click.pass_context
def status(context: click.Context, workspace: Path, as_json: bool, teachers: bool, check: bool) -> None:
    """Count the documents, pages and labels of a WORKSPACE."""
    with Workspace.open(workspace) as ws:
        found = workspaces.workspace_status(ws)
        quality = None
        if teachers:
            from ocrstudio.services.draft_quality import measure_drafts

            quality = measure_drafts(ws)
        damage = ws.check_integrity() if check else []
    if as_json:
        data = status_data(found, damage if check else None, quality)
        click.echo(json.dumps(data, ensure_ascii=False, indent=2))
    else:
        print_status(found)
        if quality is not None:
            print_draft_quality(quality)
        if check and not damage:
            click.echo("The database is intact.")
    for line in damage:
        echo_warning(f"The database is damaged: {line}.")
    if damage:
        context.exit(EXIT_ERROR)


@command.command()
@_folder
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    show_default="WORKSPACE/exports/<task>",
    help="Folder of the dataset: missing, empty or an earlier export.",
)
@click.option(
    "--task", "task_id", show_default="the settings' default task", help="Its prompt is the question."
)
@click.option(
    "--eval-fraction",
    type=click.FloatRange(0, 1, max_open=True),
    show_default="the settings' value",
    help="Share of the pages for eval.jsonl.",
)
@click.option(
    "--seed",
    type=int,
    show_default="training.seed of the configuration",
    help="Changes which documents are for eval.",
)
@click.option(
    "--status",
    "statuses",
    type=click.Choice([status.value for status in PageStatus if status is not PageStatus.EXCLUDED]),
    multiple=True,
    default=[PageStatus.ACCEPTED.value],
    show_default=True,
    help="Which pages; may be given several times.",
)
@click.option(
    "--dpi", type=click.IntRange(36, 1200), show_default="the settings' value", help="Of the pictures."
)
def export(
    workspace: Path,
    output: Path | None,
    task_id: str | None,
    eval_fraction: float | None,
    seed: int | None,
    statuses: tuple[str, ...],
    dpi: int | None,
) -> None:
    """Write the accepted labels of a WORKSPACE as a dataset.

    The folder gets train.jsonl, eval.jsonl, images/ and manifest.json. All pages of a document are
    on one side of the split.
    """
    from ocrstudio.services.dataset_export import export_workspace
    from ocrstudio.services.document_copy import free_name

    settings = load_app_settings()
    task = _dataset_task(task_id)
    with Workspace.open(workspace) as ws, progress_bar("Writing") as bar:
        report = export_workspace(
            ws,
            output or ws.exports_folder / free_name(task.id, ()),
            task,
            settings.eval_fraction if eval_fraction is None else eval_fraction,
            statuses=frozenset(map(PageStatus, statuses)),
            seed=training_settings(None, {}).training.seed if seed is None else seed,
            dpi=dpi,
            progress=lambda done, total: bar.show(done, total, ""),
        )
    for remark in report.remarks:
        echo_warning(remark)
    echo_some(report.notes)
    click.echo(f"{count_of(report.train_samples, 'sample')} for training: {report.train}")
    if report.evaluation is not None:
        click.echo(f"{count_of(report.evaluation_samples, 'sample')} for evaluation: {report.evaluation}")
    click.echo(f"Train on it: ocrstudio {training_arguments(report.train, report.evaluation)}")


def _import_all(
    ws: Workspace,
    sources: tuple[Path, ...],
    password: str | None,
    *,
    accepted: bool,
    columns: "Columns | None" = None,
) -> bool:
    """Import documents, then datasets; one that fails stops no other. Whether all of them could be."""
    from ocrstudio.datasets.reader import file_form_of, is_dataset

    datasets = [source for source in sources if is_dataset(source) or (columns and source.is_file())]
    # The pictures of a folder are pages whether they have a text or not; the texts find them afterwards.
    folders = [source for source in datasets if source.is_dir() and file_form_of(source)]
    documents = tuple(source for source in sources if source not in datasets or source in folders)
    complete = [_import_documents(ws, documents, password)] if documents else []
    for dataset in datasets:
        try:
            complete.append(_import_dataset(ws, dataset, accepted=accepted, columns=columns))
        except DatasetError as error:
            echo_error(error)
            complete.append(False)
    return all(complete)


def _import_documents(ws: Workspace, sources: tuple[Path, ...], password: str | None) -> bool:
    with progress_bar("Importing") as bar:
        report = workspaces.import_sources(
            ws,
            sources,
            password=password,
            progress=lambda done, total, path: bar.show(done, total, path.name),
        )
    print_import(report)
    return not report.problems


def _import_dataset(ws: Workspace, path: Path, *, accepted: bool, columns: "Columns | None") -> bool:
    from ocrstudio.services.dataset_import import import_dataset

    with progress_bar("Importing") as bar:
        report = import_dataset(
            ws,
            path,
            accepted=accepted,
            columns=columns,
            progress=lambda done, total: bar.show(done, total, ""),
        )
    echo_some(f"{path}: {note}" for note in report.notes)
    click.echo(report.in_words(path.name))
    return not report.unusable


def _teacher_and_task(path: Path | None, task_id: str | None) -> tuple[TeacherConfig, Task]:
    """The teacher's configuration, and the task in the words that this teacher wants."""
    from ocrstudio.settings.teacher import load_teacher_config
    from ocrstudio.tasks import get_task, load_tasks

    settings = load_app_settings()
    config = load_teacher_config(path or settings.teacher_file)
    tasks = load_tasks(settings.prompts_file, config.prompts)
    return config, get_task(tasks, task_id or settings.default_task)


def _dataset_task(task_id: str | None) -> Task:
    """A task in the student's words: a teacher's own wording has no place in a dataset."""
    from ocrstudio.tasks import get_task, load_tasks

    settings = load_app_settings()
    return get_task(load_tasks(settings.prompts_file), task_id or settings.default_task)


def _document_id(ws: Workspace, name: str) -> int:
    found = ws.documents.find(name)
    if found is None:
        names = ", ".join(document.name for document in ws.documents.list()[:_NAMES_SHOWN])
        raise click.BadParameter(
            f"there is no document {name!r}. Documents: {names}", param_hint="'--document'"
        )
    return found.id


def _draft(ws: Workspace, page_ids: list[int], config: TeacherConfig, task: Task) -> int:
    """Draft the pages; returns the exit status: 0 when every one of them has a draft now."""
    from ocrstudio.services.drafting import DraftingProgress, draft_pages
    from ocrstudio.teachers.batch import BatchSummary, stopped_early
    from ocrstudio.teachers.registry import create_teacher

    teacher = create_teacher(config, progress=NoticeLines().show)
    if teacher.network:
        where = f" to {config.api.base_url}" if config.api else ""
        click.echo(f"Sending {count_of(len(page_ids), 'page')}{where}.", err=True)
    failures: list[OcrStudioError] = []
    remarks: dict[str, None] = {}

    with progress_bar("Labelling") as bar:

        def note(progress: DraftingProgress) -> None:
            if progress.error is not None:
                failures.append(progress.error)
            remarks.update(dict.fromkeys(progress.remarks))
            bar.show(progress.done + progress.failed, progress.total, "")

        async def run() -> BatchSummary:
            with cancelled_by_ctrl_c() as cancel:
                return await draft_pages(ws, page_ids, teacher, task, on_progress=note, cancel=cancel)

        summary = asyncio.run(run())
    echo_some(remarks)
    echo_errors(failures)
    if summary.stopped_by is not None:
        echo_error(stopped_early(summary.stopped_by, summary.done + summary.failed, summary.untouched))
    rest = f", {summary.untouched} not reached" if summary.untouched else ""
    blank = f", {summary.blank} blank" if summary.blank else ""
    drafted = f"{count_of(summary.done, 'page')} drafted by {teacher.id}"
    click.echo(f"{drafted}{blank}, {summary.failed} failed{rest}.")
    if summary.cancelled:
        return EXIT_INTERRUPTED_BY_USER
    return EXIT_OK if summary.done + summary.blank == summary.total else EXIT_ERROR
