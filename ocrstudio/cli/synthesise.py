"""``ocrstudio synthesise``: pages in a vocabulary and fonts of one's own, with labels that are right."""

from pathlib import Path
from typing import Any

import click

from ocrstudio.cli.bar import progress_bar
from ocrstudio.domain.wording import count_of
from ocrstudio.services.synthesis import DEGRADATIONS, PAPERS, SynthesisRequest, synthesise


@click.command()
@click.option(
    "--text",
    "texts",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    multiple=True,
    required=True,
    help="Text, or word list with a word a line, in UTF-8; may be given several times.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("written_pages"),
    show_default="./written_pages",
    help="Folder of the dataset.",
)
@click.option(
    "--pages", type=click.IntRange(1, 1_000_000), default=100, show_default=True, help="For training."
)
@click.option(
    "--evaluation-pages",
    type=click.IntRange(0, 100_000),
    default=20,
    show_default=True,
    help="Further pages, for the evaluation.",
)
@click.option(
    "--font",
    "fonts",
    type=click.Path(path_type=Path, exists=True),
    multiple=True,
    show_default="a built-in serif",
    help="TrueType or OpenType file, or a folder of them; may be given several times.",
)
@click.option("--paper", type=click.Choice(list(PAPERS)), default="a6", show_default=True)
@click.option("--dpi", type=click.IntRange(50, 600), default=200, show_default=True, help="Resolution.")
@click.option(
    "--degrade",
    "degradation",
    type=click.Choice(DEGRADATIONS),
    default="light",
    show_default=True,
    help="How bad half of the pages look: as scans with blur, noise, shading, rotation.",
)
@click.option(
    "--task", "task_id", default="markdown", show_default=True, help="Whose prompt the samples ask."
)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed makes the same pages.")
def command(task_id: str, **chosen: Any) -> None:  # noqa: ANN401 - a value for each option
    """Write pages with exact labels: headings, paragraphs, lists, tables, numbers, formulas.

    The result is a dataset for train and evaluate: train.jsonl, eval.jsonl and images.
    """
    from ocrstudio.tasks import get_task, load_tasks

    request = SynthesisRequest(task=get_task(load_tasks(), task_id), **chosen)
    with progress_bar("Writing pages") as bar:
        report = synthesise(request, lambda done, total: bar.show(done, total, ""))
    fonts = count_of(report.fonts, "font") if report.fonts else "the built-in face"
    click.echo(
        f"{count_of(report.pages, 'page')} with {report.characters:,} characters written to "
        f"{request.output}, from {report.words:,} words in {fonts}."
    )
