"""The toolkit's own lines: tags as roles, and the pictures in the question's message."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ocrstudio.datasets.conversation import Conversation, Turn, converse
from ocrstudio.datasets.forms.chat import messages_of
from ocrstudio.datasets.forms.form import Row, RowForm
from ocrstudio.datasets.pictures import read_pictures
from ocrstudio.datasets.record import ASSISTANT, USER, turn_messages
from ocrstudio.tasks.prompt import IMAGE_PLACEHOLDER


def _matches(row: Row) -> bool:
    messages = row.get("messages")
    return isinstance(messages, list) and any(
        isinstance(message, dict) and message.get("role") in (USER, ASSISTANT) for message in messages
    )


def _read(row: Row) -> Conversation:
    return converse(messages_of(row["messages"]), read_pictures(row.get("images")))


def write(turns: Sequence[Turn], names: Sequence[str], files: Sequence[Path]) -> dict[str, Any]:
    """A line: each question has the pictures that its ``<image>`` stand for."""
    del files
    left = list(names)
    messages: list[dict[str, Any]] = []
    for turn in turns:
        count = turn.question.count(IMAGE_PLACEHOLDER)
        own, left = left[:count], left[count:]
        messages += turn_messages(turn.question, own, turn.answer)
    return {"messages": messages}


def to_line(turns: Sequence[Turn], names: Sequence[str]) -> str:
    """A line, without its line break."""
    return json.dumps(write(turns, names, ()), ensure_ascii=False)


FORM = RowForm(
    word="toolkit",
    name="OCR Studio's own lines",
    example='{"messages": [{"role": "<|User|>", "content": "<image>\\nFree OCR.", "images": ["p.png"]}, '
    '{"role": "<|Assistant|>", "content": "# Title"}]}',
    matches=_matches,
    read=_read,
    write=write,
)
