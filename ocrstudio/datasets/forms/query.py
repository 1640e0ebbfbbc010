"""One question and one answer in columns of their own: ms-swift's query, LLaMA-Factory's Alpaca.

https://swift.readthedocs.io/en/latest/Customization/Custom-dataset.html
https://github.com/hiyouga/LLaMA-Factory/blob/main/data/README.md
"""

from ocrstudio.datasets.conversation import Conversation, Message, Role, converse
from ocrstudio.datasets.forms.form import Row, RowForm, texts
from ocrstudio.datasets.pictures import read_pictures
from ocrstudio.datasets.record import ProblemKind, RecordError

_KEYS = (("query", "response"), ("instruction", "output"))


def _matches(row: Row) -> bool:
    return any(question in row and answer in row for question, answer in _KEYS)


def _read(row: Row) -> Conversation:
    question_key, answer_key = next(keys for keys in _KEYS if keys[0] in row and keys[1] in row)
    question, answer = texts(row, (question_key,)), texts(row, (answer_key,))
    if question is None or answer is None:
        missing = question_key if question is None else answer_key
        raise RecordError(ProblemKind.NO_MESSAGES, f'"{missing}" is no text')
    more = texts(row, ("input",)) if question_key == "instruction" else None
    messages = [Message(Role.SYSTEM, system)] if (system := texts(row, ("system",))) else []
    for turn in row.get("history") or []:
        if not isinstance(turn, list) or [isinstance(text, str) for text in turn] != [True, True]:
            raise RecordError(ProblemKind.NO_MESSAGES, '"history" is no list of pairs of texts')
        messages += [Message(Role.USER, turn[0]), Message(Role.ASSISTANT, turn[1])]
    asked = f"{question}\n{more}" if more else question
    messages += [Message(Role.USER, asked), Message(Role.ASSISTANT, answer)]
    return converse(messages, read_pictures(row.get("images") or row.get("image")))


FORM = RowForm(
    word="query",
    name="query and response (ms-swift, Alpaca)",
    example='{"query": "<image>\\nFree OCR.", "response": "# Title", "images": ["p.png"]}',
    matches=_matches,
    read=_read,
)
