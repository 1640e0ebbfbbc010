"""``ocrstudio pdf2img``: convert documents to page images."""

import sys
from pathlib import Path

import click

from ocrstudio.cli.bar import progress_bar
from ocrstudio.cli.main import EXIT_ERROR
from ocrstudio.cli.options import page_seconds_option
from ocrstudio.cli.output import echo_warning
from ocrstudio.domain.wording import count_of
from ocrstudio.services.conversion import (
    ConversionProgress,
    ConversionRequest,
    ConversionResult,
    available_cores,
    convert,
)
from ocrstudio.services.conversion_pool import warm_up


@click.command()
@click.option(
    "--source",
    "sources",
    type=click.Path(path_type=Path),
    multiple=True,
    required=True,
    help="PDF or image file, or a folder of them; may be given several times.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("output_images"),
    show_default="./output_images",
    help="Folder for the images; made when missing.",
)
@click.option("--dpi", type=click.IntRange(1, 2400), default=200, show_default=True, help="Resolution.")
@click.option(
    "--format",
    "image_format",
    type=click.Choice(["png", "jpg"]),
    default="png",
    show_default=True,
    help="png is lossless; jpg has quality 90.",
)
@click.option("--start-page", type=click.IntRange(min=1), default=1, show_default=True, help="First page.")
@click.option("--end-page", type=click.IntRange(min=1), show_default="all", help="Last page.")
@click.option("--password", help="For encrypted documents; asked for on a terminal when missing.")
@click.option("--jobs", type=click.IntRange(1, 256), show_default="all cores", help="Number of processes.")
@page_seconds_option
@click.pass_context
def command(  # noqa: PLR0913, PLR0917 - one argument for each option
    context: click.Context,
    sources: tuple[Path, ...],
    output: Path,
    dpi: int,
    image_format: str,
    start_page: int,
    end_page: int | None,
    password: str | None,
    jobs: int | None,
    max_page_seconds: int | None,
) -> None:
    """Convert PDF pages to images named {name}_p{page}.png.

    A document that cannot be read is reported and the others go on; the exit status is then 1.
    """
    if end_page is not None and end_page < start_page:
        raise click.BadParameter(
            f"page {end_page} lies before --start-page {start_page}.", param_hint="'--end-page'"
        )
    warm_up()
    from ocrstudio.settings.app import load_app_settings  # takes as long as the processes need to start

    settings = load_app_settings()
    request = ConversionRequest(
        sources=sources,
        output=output,
        dpi=dpi,
        format=image_format,
        start_page=start_page,
        end_page=end_page,
        password=password,
        jobs=jobs or available_cores(),
        max_pixels=settings.max_image_pixels,
        page_seconds=max_page_seconds or settings.max_page_seconds,
    )
    result = _convert_on_terminal(request) if _is_terminal() else convert(request)
    _print_result(result, output)
    if result.problems:
        context.exit(EXIT_ERROR)


def _is_terminal() -> bool:
    return sys.stderr.isatty() and sys.stdin.isatty()


def _convert_on_terminal(request: ConversionRequest) -> ConversionResult:
    """Convert with a progress bar, and ask for passwords."""
    with progress_bar("Opening") as bar:

        def show(progress: ConversionProgress) -> None:
            bar.show(progress.done, progress.total, progress.document)

        def ask_password(source: Path, reason: str) -> str | None:
            del source  # the reason names it
            with bar.paused():
                click.echo(reason, err=True)
                typed = click.prompt("Password (empty to skip)", default="", hide_input=True, err=True)
            return str(typed) or None

        return convert(request, on_progress=show, ask_password=ask_password)


def _print_result(result: ConversionResult, output: Path) -> None:
    for warning in result.warnings:
        echo_warning(warning)
    for problem in result.problems:
        click.echo(f"Error: {problem.message}", err=True)
    replaced = f" ({result.replaced} existing files replaced)" if result.replaced else ""
    click.echo(f"{count_of(len(result.written), 'image')} written to {output}{replaced}.")
    if result.problems:
        click.echo(f"{count_of(len(result.problems), 'source')} failed.", err=True)
