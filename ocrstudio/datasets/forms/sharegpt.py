"""ShareGPT's conversations, as LLaMA-Factory (``conversations``) and ms-swift (``conversation``) read them.

https://github.com/hiyouga/LLaMA-Factory/blob/main/data/README.md
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ocrstudio.datasets.conversation import Conversation, Message, Role, Turn, converse
from ocrstudio.datasets.forms.chat import messages_of, tagged
from ocrstudio.datasets.forms.form import Row, RowForm, texts
from ocrstudio.datasets.pictures import read_pictures
from ocrstudio.datasets.record import ProblemKind, RecordError


def conversations_of(entries: object) -> list[Message]:
    """The messages of a list with ``from`` and ``value``, or ``role`` and ``content``."""
    if isinstance(entries, list) and any(isinstance(entry, dict) and "from" in entry for entry in entries):
        return messages_of(entries, role="from", content="value")
    return messages_of(entries)


def written(turns: Sequence[Turn]) -> list[dict[str, str]]:
    """The turns as a list with ``from`` and ``value``."""
    return tagged(turns, ("human", "gpt"), role="from", content="value")


def _matches(row: Row) -> bool:
    return isinstance(row.get("conversations"), list) or isinstance(row.get("conversation"), list)


def _read(row: Row) -> Conversation:
    if isinstance(row.get("conversations"), list):
        messages = conversations_of(row["conversations"])
    else:
        messages = _pairs(row["conversation"])
    system = texts(row, ("system",))
    if system:
        messages = [Message(Role.SYSTEM, system), *messages]
    return converse(messages, read_pictures(row.get("images")))


def _pairs(entries: Sequence[object]) -> list[Message]:
    """The messages of a list with ``human`` and ``assistant`` in each object."""
    messages = []
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("human"), str):
            raise RecordError(ProblemKind.NO_MESSAGES, "a turn of the conversation has no text of human")
        if not isinstance(entry.get("assistant"), str):
            raise RecordError(ProblemKind.NO_MESSAGES, "a turn of the conversation has no text of assistant")
        messages.append(Message(Role.USER, entry["human"]))
        messages.append(Message(Role.ASSISTANT, entry["assistant"]))
    return messages


def _write(turns: Sequence[Turn], names: Sequence[str], files: Sequence[Path]) -> dict[str, Any]:
    del files
    return {"conversations": written(turns), "images": list(names)}


FORM = RowForm(
    word="sharegpt",
    name="ShareGPT conversations",
    example='{"conversations": [{"from": "human", "value": "<image>\\nFree OCR."}, '
    '{"from": "gpt", "value": "# Title"}], "images": ["p.png"]}',
    matches=_matches,
    read=_read,
    write=_write,
)
