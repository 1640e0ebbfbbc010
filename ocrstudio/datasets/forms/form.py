"""What a form of dataset has to bring along."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ocrstudio.datasets.conversation import Conversation, Turn
from ocrstudio.datasets.record import RecordError
from ocrstudio.domain.errors import InputError

Row = Mapping[str, Any]
"""One sample as a file has it: a JSON object, or a row of a table."""


@dataclass(frozen=True)
class Columns:
    """The columns that the user named; with both, no form is looked for.

    Attributes:
        image: Of the picture.
        text: Of its text.
    """

    image: str = ""
    text: str = ""

    def __post_init__(self) -> None:
        if bool(self.image) != bool(self.text):
            raise InputError(
                "Only one column of the dataset was named.",
                "Name both: --image-key for the picture and --text-key for its text.",
            )

    def __bool__(self) -> bool:
        return bool(self.image)

    @classmethod
    def of_request(cls, request: Mapping[str, Any]) -> "Columns | None":
        """What the request of a run says, or None."""
        found = request.get("columns")
        return cls(str(found["image"]), str(found["text"])) if isinstance(found, Mapping) else None

    def to_request(self) -> dict[str, Any]:
        """What the request of a run is to say; nothing without columns."""
        return {"columns": {"image": self.image, "text": self.text}} if self else {}


@dataclass(frozen=True)
class Item:
    """A sample of a folder, or why there is none.

    Attributes:
        place: Where it stands, relative to the dataset: ``page/0003.xml``.
        folder: Where its picture is looked for.
        content: What was read.
    """

    place: str
    folder: Path
    content: Conversation | RecordError


Writing = Callable[[Sequence[Turn], Sequence[str], Sequence[Path]], dict[str, Any]]
"""Makes the row of a sample: its turns, the paths of its pictures in the new dataset, and the files."""


@dataclass(frozen=True)
class RowForm:
    """A form that is told by the keys of a row, whatever file the row stands in.

    Attributes:
        word: What `dataset convert` calls it.
        name: In a sentence, after "read as".
        example: One line.
        matches: Whether a row has its keys.
        read: Makes a sample of such a row; raises RecordError.
        write: Makes a row, where `convert` offers the form.
        array: Whether its file is a JSON array, in place of a line for each sample.
        inside: Whether the pictures stand in the rows that it writes.
    """

    word: str
    name: str
    example: str
    matches: Callable[[Row], bool]
    read: Callable[[Row], Conversation]
    write: Writing | None = None
    array: bool = False
    inside: bool = False


@dataclass(frozen=True)
class FileForm:
    """A form that is told by the files of a folder.

    Attributes:
        word: What `dataset convert` calls it.
        name: In a sentence, after "read as".
        example: One line.
        matches: Whether a path holds it: a folder, or a file of its own.
        read: The samples in their order; raises DatasetError where the whole is useless.
    """

    word: str
    name: str
    example: str
    matches: Callable[[Path], bool]
    read: Callable[[Path], Iterator[Item]]


def texts(row: Row, keys: Sequence[str]) -> str | None:
    """The value of the first of some keys that holds text."""
    return next((row[key] for key in keys if isinstance(row.get(key), str)), None)
