"""What every form of dataset comes down to: questions and answers in turn, about pictures.

A form only finds roles, texts and pictures; here they are put together by the same rules for all of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from ocrstudio.datasets.record import ProblemKind, RecordError
from ocrstudio.domain.text import storable
from ocrstudio.domain.wording import count_of, printable, shortened
from ocrstudio.tasks.prompt import IMAGE_PLACEHOLDER

PLAIN_PROMPT = f"{IMAGE_PLACEHOLDER}\nFree OCR."
"""The question where a form has only text: that of the task ``free_ocr``."""

MARKDOWN_PROMPT = f"{IMAGE_PLACEHOLDER}\nConvert this document to markdown."
"""The question where a form has Markdown: that of the task ``markdown``."""


@dataclass(frozen=True)
class Picture:
    """A picture that a dataset names or holds.

    Attributes:
        name: Its path as it stands in the dataset; of one that is inside, a name or nothing.
        content: The file itself, or None for one that lies on the disk.
    """

    name: str
    content: bytes | None = None


@dataclass(frozen=True)
class Turn:
    """A question, with ``<image>`` at the place of each of its pictures, and the answer."""

    question: str
    answer: str


@dataclass(frozen=True)
class Conversation:
    """A sample of any form.

    Attributes:
        turns: At least one.
        pictures: In the order of the ``<image>`` of all questions; at least one.
        notes: What was left out of it without making it useless.
    """

    turns: tuple[Turn, ...]
    pictures: tuple[Picture, ...]
    notes: tuple[RecordError, ...] = ()


class Role(Enum):
    """Who speaks."""

    SYSTEM = auto()
    USER = auto()
    ASSISTANT = auto()


@dataclass(frozen=True)
class Message:
    """What one side says.

    Attributes:
        role: Which side.
        text: As it stands; ``<image>`` marks pictures.
        pictures: That came with this message.
    """

    role: Role
    text: str
    pictures: tuple[Picture, ...] = ()


ROLES = {
    "<|user|>": Role.USER,
    "user": Role.USER,
    "human": Role.USER,
    "<|assistant|>": Role.ASSISTANT,
    "assistant": Role.ASSISTANT,
    "gpt": Role.ASSISTANT,
    "model": Role.ASSISTANT,
    "system": Role.SYSTEM,
    "<|system|>": Role.SYSTEM,
    "developer": Role.SYSTEM,
}
"""The names that the forms have for the sides, in small letters."""


def role_of(name: object) -> Role:
    """The side that a name stands for.

    Raises:
        RecordError: It is none, such as that of a tool.
    """
    role = ROLES.get(name.lower()) if isinstance(name, str) else None
    if role is None:
        shown = shortened(repr(name))
        raise RecordError(
            ProblemKind.UNKNOWN_ROLE, f"the role {shown} is not one of user, assistant and system"
        )
    return role


def converse(messages: Iterable[Message], pictures: Sequence[Picture] = ()) -> Conversation:
    """Put messages together.

    A system message is left out, with a note: the student has no role for it. Pictures that no ``<image>``
    stands for go before the question that they came with, else before the first.

    Args:
        messages: Of all sides, in their order.
        pictures: Those of the whole sample.

    Raises:
        RecordError: The sides do not take turns, there is no picture, or too few for the ``<image>``.
    """
    said = list(messages)
    notes = tuple(_left_out(message) for message in said if message.role is Role.SYSTEM and message.text)
    spoken = [message for message in said if message.role is not Role.SYSTEM]
    sides = [message.role for message in spoken]
    if not sides or sides != [Role.USER, Role.ASSISTANT] * (len(sides) // 2):
        shown = shortened(", ".join(side.name.lower() for side in sides) or "nobody")
        raise RecordError(ProblemKind.WRONG_TURNS, f"user and assistant do not speak in turn: it has {shown}")
    questions, answers = spoken[::2], [message.text for message in spoken[1::2]]
    if any(message.pictures for message in spoken[1::2]):
        raise RecordError(ProblemKind.BAD_IMAGE, "an answer holds a picture; the student only writes text")
    own = tuple(picture for message in questions for picture in message.pictures)
    if own and pictures:
        raise RecordError(
            ProblemKind.BAD_IMAGE, "it names pictures both in a message and beside them; their order is open"
        )
    shown_pictures = own or tuple(pictures)
    texts = _with_places([_with_own_places(message) for message in questions], shown_pictures)
    turns = tuple(Turn(*turn) for turn in zip(texts, answers, strict=True))
    for text in (*texts, *answers, *(picture.name for picture in shown_pictures)):
        if text != storable(text):
            raise RecordError(
                ProblemKind.NOT_UTF8, "a text names half a character (an escape such as \\ud800)"
            )
    return Conversation(turns, shown_pictures, notes)


def page(picture: Picture, text: str, prompt: str = PLAIN_PROMPT) -> Conversation:
    """A picture and its text, from a form that asks nothing."""
    return converse([Message(Role.USER, prompt, (picture,)), Message(Role.ASSISTANT, text)])


def _left_out(message: Message) -> RecordError:
    return RecordError(
        ProblemKind.SYSTEM_MESSAGE, f"the system message was left out ({_beginning(message.text)})"
    )


def _beginning(text: str) -> str:
    return printable(shortened(" ".join(text.split()), 40))


def _with_own_places(message: Message) -> str:
    """The text of a question with an ``<image>`` for every picture that came with it."""
    missing = len(message.pictures) - message.text.count(IMAGE_PLACEHOLDER)
    return f"{IMAGE_PLACEHOLDER}\n" * missing + message.text


def _with_places(questions: Sequence[str], pictures: Sequence[Picture]) -> list[str]:
    """The questions with an ``<image>`` for every picture."""
    if not pictures:
        raise RecordError(ProblemKind.NO_IMAGE, "it names no picture")
    places = sum(question.count(IMAGE_PLACEHOLDER) for question in questions)
    if places > len(pictures):
        raise RecordError(
            ProblemKind.PICTURE_COUNT,
            f"the questions have {IMAGE_PLACEHOLDER} {places} times for {count_of(len(pictures), 'picture')}",
        )
    missing = f"{IMAGE_PLACEHOLDER}\n" * (len(pictures) - places)
    return [missing + questions[0], *questions[1:]]
