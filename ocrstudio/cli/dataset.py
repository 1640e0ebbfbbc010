"""``ocrstudio dataset``: the forms of dataset that are read, and writing one in another form."""

from pathlib import Path

import click

from ocrstudio.cli.options import columns_of, columns_options
from ocrstudio.cli.workspace_output import echo_some
from ocrstudio.datasets.convert import WRITTEN
from ocrstudio.domain.wording import count_of


@click.group()
def command() -> None:
    """Datasets of other programs: which forms are read, and conversion between them."""


@command.command()
def forms() -> None:
    """List the forms that train, evaluate, inspect and workspace import read, each with an example."""
    from ocrstudio.datasets.forms import all_forms

    for form in all_forms():
        written = f" (convert --to {form.word})" if form.word in WRITTEN else ""
        click.echo(f"{form.name}{written}\n    {form.example}")
    click.echo(
        "Lines may also be entries of a JSON array, or rows of CSV, of Parquet, or of a folder that the "
        "library datasets has saved; .gz is read as it is."
    )


@command.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True))
@click.argument("target", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--to",
    "word",
    type=click.Choice(list(WRITTEN)),
    default="toolkit",
    show_default=True,
    help="Form to write.",
)
@click.option("--strict", is_flag=True, help="Stop at the first sample that cannot be read.")
@columns_options
def convert(
    *, source: Path, target: Path, word: str, strict: bool, image_key: str | None, text_key: str | None
) -> int:
    """Write the dataset SOURCE into the new folder TARGET, with copies of its pictures.

    SOURCE is not changed. Samples that cannot be used or that the form cannot hold are named, and the exit
    status is then 1.
    """
    from ocrstudio.datasets import read_dataset
    from ocrstudio.datasets.convert import convert_dataset

    dataset = read_dataset(source, strict=strict, blank_pages=True, columns=columns_of(image_key, text_key))
    click.echo(f"{source}: {dataset.summary()}.")
    done = convert_dataset(dataset, target, word)
    echo_some([*map(str, dataset.problems), *(f"{place}: {reason}." for place, reason in done.left_out)])
    click.echo(f"Wrote {count_of(done.samples, 'sample')} as {WRITTEN[word]}: {done.file}")
    return 1 if dataset.skipped or done.left_out else 0
