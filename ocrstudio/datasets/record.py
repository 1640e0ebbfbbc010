"""One line of a dataset: its exact form, and what can be wrong with it."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from ocrstudio.domain.errors import DatasetError
from ocrstudio.domain.text import storable
from ocrstudio.tasks.prompt import IMAGE_PLACEHOLDER

USER: Final = "<|User|>"
ASSISTANT: Final = "<|Assistant|>"


class ProblemKind(StrEnum):
    """Why a line cannot be used (or, for the last two, what was put right)."""

    NOT_JSON = "not JSON"
    NOT_UTF8 = "not UTF-8"
    TOO_LONG = "line too long"
    NO_MESSAGES = "no messages"
    UNKNOWN_ROLE = "unknown role"
    WRONG_TURNS = "not one question and one answer"
    NO_IMAGE_TOKEN = "no <image> in the question"  # noqa: S105
    SEVERAL_IMAGES = "several images"
    NO_IMAGE = "no image named"
    MISSING_IMAGE = "image not found"
    EMPTY_ANSWER = "empty answer"
    BLANK_LINE = "blank line"
    BYTE_ORDER_MARK = "byte order mark"

    @property
    def skips(self) -> bool:
        """Whether a line with this problem is left out."""
        return self not in (ProblemKind.BLANK_LINE, ProblemKind.BYTE_ORDER_MARK)


class RecordError(DatasetError):
    """A line does not hold a record.

    Args:
        kind: What is wrong, for counting.
        message: What is wrong here, as a clause without the line number.
    """

    def __init__(self, kind: ProblemKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class DatasetRecord:
    """A question about one picture, and the answer.

    Conversations of several turns and text without a picture have no place in the format: the student is
    asked one thing about one page, in training as in use. Such lines are refused, named and counted.

    Attributes:
        prompt: The question as the student reads it; holds ``<image>`` exactly once.
        image: Path of the picture as it stands in the file.
        answer: The label.
    """

    prompt: str
    image: str
    answer: str

    def to_json(self) -> str:
        """The line, without its line break."""
        messages = [
            {"role": USER, "content": self.prompt, "images": [self.image]},
            {"role": ASSISTANT, "content": self.answer},
        ]
        return json.dumps({"messages": messages}, ensure_ascii=False)

    @classmethod
    def from_json(cls, line: str, *, blank_pages: bool = False) -> "DatasetRecord":
        """Read a line.

        Args:
            line: The line.
            blank_pages: An empty answer is that of a blank page, to be measured; nothing is learnt from it.

        Raises:
            RecordError: The first thing that is wrong with it.
        """
        try:
            data = json.loads(line)
        except (ValueError, RecursionError) as error:  # ValueError: a number of more than 4,300 digits, too
            where = f" at column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
            raise RecordError(ProblemKind.NOT_JSON, f"the line is not valid JSON{where}") from error
        user, assistant = _turns(data)
        prompt, answer = _content(user), _content(assistant)
        image = _image(user)
        tokens = prompt.count(IMAGE_PLACEHOLDER)
        if tokens == 0:
            raise RecordError(ProblemKind.NO_IMAGE_TOKEN, f"the question has no {IMAGE_PLACEHOLDER}")
        if tokens > 1:
            raise RecordError(
                ProblemKind.SEVERAL_IMAGES, f"the question has {IMAGE_PLACEHOLDER} {tokens} times"
            )
        if not answer.strip() and not blank_pages:
            raise RecordError(ProblemKind.EMPTY_ANSWER, "the answer is empty")
        if any(text != storable(text) for text in (prompt, image, answer)):
            raise RecordError(
                ProblemKind.NOT_UTF8, "a text names half a character (an escape such as \\ud800)"
            )
        return cls(prompt, image, answer)


def _turns(data: Any) -> tuple[dict[str, Any], dict[str, Any]]:  # noqa: ANN401 - whatever JSON holds
    messages = data.get("messages") if isinstance(data, dict) else None
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        raise RecordError(ProblemKind.NO_MESSAGES, 'the line has no list of objects "messages"')
    for message in messages:
        if message.get("role") not in (USER, ASSISTANT):
            raise RecordError(
                ProblemKind.UNKNOWN_ROLE,
                f"the role {message.get('role')!r} is not one of {USER} and {ASSISTANT}",
            )
    if [message["role"] for message in messages] != [USER, ASSISTANT]:
        raise RecordError(ProblemKind.WRONG_TURNS, f"expected one {USER} and then one {ASSISTANT} message")
    return messages[0], messages[1]


def _content(message: dict[str, Any]) -> str:
    content = message.get("content")
    if not isinstance(content, str):
        raise RecordError(ProblemKind.NO_MESSAGES, f'the {message["role"]} message has no text "content"')
    return content


def _image(message: dict[str, Any]) -> str:
    images = message.get("images")
    if (
        not isinstance(images, list)
        or not images
        or not all(isinstance(name, str) and name for name in images)
    ):
        raise RecordError(ProblemKind.NO_IMAGE, 'the question has no list of file names "images"')
    if len(images) > 1:
        raise RecordError(
            ProblemKind.SEVERAL_IMAGES, f"the question names {len(images)} images; one a line can be used"
        )
    return str(images[0])
