"""A picture and its text in two columns, of whatever name."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ocrstudio.datasets.conversation import PLAIN_PROMPT, Conversation, Message, Role, Turn, converse
from ocrstudio.datasets.forms.form import Columns, Row, RowForm, texts
from ocrstudio.datasets.forms.front_matter import text_of_page
from ocrstudio.datasets.pictures import read_pictures
from ocrstudio.datasets.record import ProblemKind, RecordError
from ocrstudio.domain.wording import printable, shortened

IMAGE_KEYS = (
    "image",
    "images",
    "image_path",
    "image_file",
    "img",
    "img_path",
    "picture",
    "file_name",
    "path",
)
TEXT_KEYS = (
    "text",
    "label",
    "markdown",
    "md",
    "ground_truth",
    "transcription",
    "transcript",
    "natural_text",
    "ocr",
    "answer",
    "output",
    "content",
    "caption",
)
"""Names that are understood without being asked for, the likeliest first."""

_PROMPT_KEYS = ("prompt", "question", "instruction")


def columns_of(row: Row) -> Columns | None:
    """The columns that hold picture and text, as far as their names tell, or None."""
    image = next((key for key in IMAGE_KEYS if row.get(key)), None)
    text = next((key for key in TEXT_KEYS if isinstance(row.get(key), str)), None)
    return Columns(image, text) if image and text else None


def read_columns(row: Row, columns: Columns) -> Conversation:
    """A picture and its text.

    Raises:
        RecordError: A column is missing or holds something else.
    """
    for key in (columns.image, columns.text):
        if key not in row:
            there = printable(shortened(", ".join(map(str, row)) or "none"))
            raise RecordError(
                ProblemKind.UNKNOWN_FORM, f"there is no column {printable(key)}; there is {there}"
            )
    text = row[columns.text]
    if not isinstance(text, str):
        raise RecordError(ProblemKind.NO_TEXT, f"the column {printable(columns.text)} holds no text")
    answer = text_of_page(text)
    question = texts(row, [key for key in _PROMPT_KEYS if key not in (columns.image, columns.text)])
    messages = [Message(Role.USER, question or PLAIN_PROMPT), Message(Role.ASSISTANT, answer)]
    return converse(messages, read_pictures(row[columns.image]))


def _read(row: Row) -> Conversation:
    columns = columns_of(row)
    if columns is None:
        raise RecordError(ProblemKind.UNKNOWN_FORM, "the columns of picture and text have no known names")
    return read_columns(row, columns)


def _write(turns: Sequence[Turn], names: Sequence[str], files: Sequence[Path]) -> dict[str, Any]:
    del files
    if len(turns) > 1:
        raise RecordError(ProblemKind.SEVERAL_TURNS, f"it has {len(turns)} turns, and this form holds one")
    if len(names) > 1:
        raise RecordError(
            ProblemKind.SEVERAL_IMAGES, f"it has {len(names)} pictures, and this form holds one"
        )
    return {"file_name": names[0], "text": turns[0].answer, "prompt": turns[0].question}


FORM = RowForm(
    word="imagefolder",
    name="pictures and texts in columns",
    example='{"file_name": "p.png", "text": "# Title"}',
    matches=lambda row: columns_of(row) is not None,
    read=_read,
    write=_write,
)
