"""Lists of messages, as several forms have them under different names."""

from collections.abc import Mapping, Sequence
from typing import Any

from ocrstudio.datasets.conversation import Message, Turn, role_of
from ocrstudio.datasets.pictures import read_picture, read_pictures
from ocrstudio.datasets.record import ProblemKind, RecordError
from ocrstudio.tasks.prompt import IMAGE_PLACEHOLDER

_PICTURE_PARTS = ("image", "image_url", "input_image")
_TEXT_PARTS = ("text", "input_text", "output_text")


def messages_of(entries: object, *, role: str = "role", content: str = "content") -> list[Message]:
    """The messages of a list of objects.

    The content is text or, as OpenAI and Hugging Face have it, a list of parts; pictures also stand under
    ``images`` of a message, as in the program's own form.

    Args:
        entries: The list.
        role: Key of the side.
        content: Key of the text.

    Raises:
        RecordError: It is no such list, or a part is of a kind that the student cannot take.
    """
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise RecordError(ProblemKind.NO_MESSAGES, "the messages are no list of objects")
    return [_message(entry, role, content) for entry in entries]


def tagged(
    turns: Sequence[Turn], sides: tuple[str, str], *, role: str = "role", content: str = "content"
) -> list[dict[str, str]]:
    """The opposite of `messages_of`, for forms that have the pictures elsewhere.

    Args:
        turns: Of a sample.
        sides: What the form calls the one who asks and the one who answers.
        role: Key of the side.
        content: Key of the text.
    """
    return [
        {role: side, content: text}
        for turn in turns
        for side, text in zip(sides, (turn.question, turn.answer), strict=True)
    ]


def _message(entry: Mapping[str, Any], role: str, content: str) -> Message:
    side = role_of(entry.get(role))
    pictures = list(read_pictures(entry.get("images")))
    value = entry.get(content)
    if isinstance(value, str):
        return Message(side, value, tuple(pictures))
    if not isinstance(value, list):
        raise RecordError(
            ProblemKind.NO_MESSAGES, f'the message of {side.name.lower()} has no text "{content}"'
        )
    written: list[str] = []
    for part in value:
        kind = part.get("type") if isinstance(part, Mapping) else None
        if isinstance(part, str):
            written.append(part)
        elif kind in _TEXT_PARTS:
            written.append(_text(part))
        elif kind in _PICTURE_PARTS:
            written.append(IMAGE_PLACEHOLDER)
            # A part without a picture of its own stands for one of the sample's list.
            found = next((part[key] for key in ("image", "image_url", "url", "path") if part.get(key)), None)
            if found is not None:
                pictures.append(read_picture(found))
        else:
            raise RecordError(
                ProblemKind.NO_MESSAGES, f"a part of a message is of the type {kind!r}, not text or image"
            )
    return Message(side, "\n".join(written), tuple(pictures))


def _text(part: Mapping[str, Any]) -> str:
    text = part.get("text")
    if not isinstance(text, str):
        raise RecordError(ProblemKind.NO_MESSAGES, "a text part of a message has no text")
    return text
