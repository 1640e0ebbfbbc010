"""Markdown files, a JSON list or a dataset, from labelled pages."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ocrstudio.datasets.record import DatasetRecord
from ocrstudio.domain.errors import InputError, OcrStudioError
from ocrstudio.domain.page_files import page_file_name
from ocrstudio.services.inference.journal import JOURNAL_NAME, LabelledPage
from ocrstudio.services.inference.pages import InputPage
from ocrstudio.settings.files import write_text
from ocrstudio.teachers.base import INCOMPLETE, REFUSAL, RUNAWAY, TRUNCATED, UNFOUNDED

Format = Literal["md", "json", "jsonl"]
IMAGES = "images"
_UNFIT = frozenset({RUNAWAY, REFUSAL, TRUNCATED, INCOMPLETE, UNFOUNDED})


@dataclass(frozen=True)
class PageOutcome:
    """A page and what became of it; neither label nor error means that it was not reached."""

    page: InputPage
    label: LabelledPage | None = None
    error: OcrStudioError | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it in this run."""
        return self.label is not None or self.error is not None


@dataclass(frozen=True)
class OutputTarget:
    """Where results go.

    Attributes:
        folder: The output folder.
        format: ``md``, ``json`` or ``jsonl``.
        file: The JSON or JSONL file.
        journal: What is known of each page, while and after the run; see `journal`.
        save_images: Whether page pictures are kept in ``images/``.
        prompt: The question of dataset lines.
    """

    folder: Path
    format: Format
    file: Path
    journal: Path
    save_images: bool
    prompt: str

    @property
    def results(self) -> Path:
        """What the user opens: the folder of Markdown files, or the one file."""
        return self.folder if self.format == "md" else self.file

    def image_file(self, page: InputPage) -> Path | None:
        """Where the picture of a page has to be written; None when there is one already or none is wanted.

        A dataset needs a picture for each line; pages of a PDF have none until they are rendered.
        """
        if self.save_images or (self.format == "jsonl" and not page.is_picture):
            return self.folder / IMAGES / page_file_name(page.document, page.number)
        return None


def output_target(output: Path, output_format: Format, *, save_images: bool, prompt: str) -> OutputTarget:
    """Read ``--output``: a folder, or the JSON or JSONL file itself.

    Raises:
        InputError: It has the name of a file of another format.
    """
    named = format_of(output)
    if named is None:
        file, journal = output / f"results.{output_format}", output / JOURNAL_NAME
        return OutputTarget(output, output_format, file, journal, save_images, prompt)
    if named != output_format:
        raise InputError(
            f"{output} is the name of a {named} file, but the format is {output_format}.",
            f"Use --format {named}, or give a folder.",
        )
    journal = output.with_name(f".{output.name}{JOURNAL_NAME}")
    return OutputTarget(output.parent, output_format, output, journal, save_images, prompt)


def format_of(output: Path) -> Format | None:
    """The format that the name of an output file stands for; None for a folder."""
    suffix = output.suffix.lower().removeprefix(".")
    return None if output.is_dir() else next((name for name in WRITERS if name == suffix), None)


def write_document(target: OutputTarget, outcomes: Sequence[PageOutcome]) -> Path:
    """Write the Markdown file of one document, pages in numeric order; a missing page leaves a comment.

    Raises:
        InputError: The file cannot be written.
    """
    path = target.folder / f"{outcomes[0].page.document}.md"
    parts = [_markdown(outcome) for outcome in sorted(outcomes, key=lambda item: item.page.number)]
    _write(path, "\n\n".join(part for part in parts if part) + "\n")
    return path


def write_json(target: OutputTarget, outcomes: Sequence[PageOutcome]) -> int:
    """Write one list of all pages that were reached; returns their number."""
    records = [_record(target, outcome) for outcome in outcomes if outcome.is_over]
    _write(target.file, json.dumps(records, ensure_ascii=False, indent=2) + "\n")
    return len(records)


def write_jsonl(target: OutputTarget, outcomes: Sequence[PageOutcome]) -> int:
    """Write the dataset lines of all labels fit for training; returns their number."""
    lines = [dataset_line(target, outcome) for outcome in outcomes]
    _write(target.file, "".join(f"{line}\n" for line in lines if line is not None))
    return sum(line is not None for line in lines)


def dataset_line(target: OutputTarget, outcome: PageOutcome) -> str | None:
    """The dataset line of a page; None without a label, or with one that must not be trained on."""
    label = outcome.label
    if label is None or not label.text.strip() or is_unfit(label):
        return None
    return DatasetRecord(target.prompt, _image_path(target, outcome.page), label.text.strip()).to_json()


def is_unfit(label: LabelledPage) -> bool:
    """Whether a label was cut off, repeats itself, is a refusal or not the text of its page.

    That is nothing to train a student on.
    """
    return bool(_UNFIT.intersection(label.flags))


WRITERS: Mapping[Format, Callable[[OutputTarget, Sequence[PageOutcome]], int]] = {
    "json": write_json,
    "jsonl": write_jsonl,
}


def refuse_foreign_files(target: OutputTarget, documents: Sequence[str], *, ours: bool) -> None:
    """Stop before a file is replaced that no run of ours wrote.

    Args:
        target: Where results go.
        documents: Names of all documents.
        ours: Whether the folder is known to hold results of ours, or the user wants it overwritten.

    Raises:
        InputError: There is such a file.
    """
    if ours:
        return
    files = [target.folder / f"{name}.md" for name in documents] if target.format == "md" else [target.file]
    for file in files:
        if file.exists() and file.stat().st_size > 0:
            raise InputError(f"{file} exists already.", "Choose another --output, or use --overwrite.")


def append_line(target: OutputTarget, line: str) -> None:
    """Add a line to the JSONL file.

    Raises:
        InputError: The file cannot be written.
    """
    try:
        with target.file.open("a", encoding="utf-8", newline="\n") as stream:
            stream.write(f"{line}\n")
    except OSError as error:
        raise _unwritable(target.file, error) from error


def _write(path: Path, text: str) -> None:
    try:
        write_text(path, text)
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"{path} cannot be written: {error.strerror or error}.", "Choose another --output, or free space."
    )


def _markdown(outcome: PageOutcome) -> str:
    if outcome.label is not None:
        return outcome.label.text.strip()
    reason = outcome.error.message if outcome.error is not None else "not done yet"
    return f"<!-- Page {outcome.page.number}: {reason.replace('--', '- -')} -->"


def _record(target: OutputTarget, outcome: PageOutcome) -> dict[str, object]:
    page, label, error = outcome.page, outcome.label, outcome.error
    record: dict[str, object] = {
        "document": page.document,
        "page": page.number,
        "source": page.path.name,
        "image": _image_path(target, page) if page.is_picture or target.image_file(page) else None,
        "text": label.text if label else None,
    }
    if label is not None:
        record |= {
            "raw": label.raw,
            "prompt": label.prompt,
            "flags": list(label.flags),
            "parameters": dict(label.parameters),
        }
    if error is not None:
        record["error"] = {"message": error.message, "hint": error.hint}
    return record


def _image_path(target: OutputTarget, page: InputPage) -> str:
    """Path of the page's picture relative to the results file, with forward slashes."""
    image = target.image_file(page) or page.path
    try:
        return Path(os.path.relpath(image.absolute(), target.file.parent.absolute())).as_posix()
    except ValueError:  # another drive on Windows
        return image.absolute().as_posix()
