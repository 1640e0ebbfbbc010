"""One line of a dataset as the program writes it, and what can be wrong with one."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from ocrstudio.domain.errors import DatasetError

USER: Final = "<|User|>"
ASSISTANT: Final = "<|Assistant|>"


class ProblemKind(StrEnum):
    """Why a sample cannot be used (or, for the last ones, what was put right)."""

    NOT_JSON = "not JSON"
    NOT_UTF8 = "not UTF-8"
    NOT_XML = "not XML"
    TOO_LONG = "line too long"
    UNKNOWN_FORM = "unknown form"
    NO_MESSAGES = "no messages"
    UNKNOWN_ROLE = "unknown role"
    WRONG_TURNS = "not questions and answers in turn"
    PICTURE_COUNT = "more <image> than pictures"
    SEVERAL_IMAGES = "several images"
    SEVERAL_TURNS = "several turns"
    NO_IMAGE = "no image named"
    MISSING_IMAGE = "image not found"
    BAD_IMAGE = "image that cannot be used"
    TURNED_PAGE = "page that lies on its side"
    NO_TEXT = "no text for the picture"
    EMPTY_ANSWER = "empty answer"
    BLANK_LINE = "blank line"
    BYTE_ORDER_MARK = "byte order mark"
    SYSTEM_MESSAGE = "system message left out"

    @property
    def skips(self) -> bool:
        """Whether a sample with this problem is left out."""
        return self not in (
            ProblemKind.BLANK_LINE,
            ProblemKind.BYTE_ORDER_MARK,
            ProblemKind.SYSTEM_MESSAGE,
        )


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
    """A question about one picture, and the answer: what the program itself writes, a line each.

    What is read may have several pictures and turns; see `ocrstudio.datasets.conversation`.

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
        messages = turn_messages(self.prompt, [self.image], self.answer)
        return json.dumps({"messages": messages}, ensure_ascii=False)


def turn_messages(question: str, images: Sequence[str], answer: str) -> list[dict[str, Any]]:
    """The two messages of a turn in the toolkit's format."""
    asked = {"role": USER, "content": question} | ({"images": list(images)} if images else {})
    return [asked, {"role": ASSISTANT, "content": answer}]
