"""Pictures with a metadata file beside them, as the library ``datasets`` loads them.

https://huggingface.co/docs/datasets/image_dataset
"""

from collections.abc import Iterator
from pathlib import Path

from ocrstudio.datasets.conversation import Conversation
from ocrstudio.datasets.forms.form import FileForm, Item, Row
from ocrstudio.datasets.forms.pairs import FORM as PAIRS
from ocrstudio.datasets.record import ProblemKind, RecordError
from ocrstudio.datasets.rows import read_rows

_METADATA = ("metadata.jsonl", "metadata.csv", "metadata.parquet")


def _metadata(folder: Path) -> list[Path]:
    """The metadata files: of the folder itself, else one in each folder of a split."""
    own = [folder / name for name in _METADATA if (folder / name).is_file()]
    if own:
        return own[:1]
    try:
        below = sorted(entry for entry in folder.iterdir() if entry.is_dir())
    except OSError:
        return []
    return [entry / name for entry in below for name in _METADATA if (entry / name).is_file()]


def _read(folder: Path) -> Iterator[Item]:
    for file in _metadata(folder):
        for number, row in read_rows(file):
            place = f"{file.relative_to(folder).as_posix()}, line {number}"
            yield Item(place, file.parent, row if isinstance(row, RecordError) else _content(row))


def _content(row: Row) -> Conversation | RecordError:
    if not PAIRS.matches(row):
        return RecordError(
            ProblemKind.UNKNOWN_FORM,
            "it has no file_name with a column of text beside it (text, label, markdown, …)",
        )
    try:
        return PAIRS.read(row)
    except RecordError as error:
        return error


FORM = FileForm(
    word="imagefolder",
    name="an image folder with metadata",
    example='metadata.jsonl beside the pictures: {"file_name": "p.png", "text": "# Title"}',
    matches=lambda path: path.is_dir() and bool(_metadata(path)),
    read=_read,
)
