"""Messages of OpenAI and Hugging Face: the pictures are parts of a question.

https://platform.openai.com/docs/guides/vision-fine-tuning
https://huggingface.co/docs/trl/dataset_formats
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ocrstudio.datasets.conversation import Conversation, Turn, converse
from ocrstudio.datasets.forms.chat import messages_of
from ocrstudio.datasets.forms.form import Row, RowForm
from ocrstudio.datasets.pictures import data_url
from ocrstudio.tasks.prompt import IMAGE_PLACEHOLDER


def _matches(row: Row) -> bool:
    return isinstance(row.get("messages"), list)


def _read(row: Row) -> Conversation:
    return converse(messages_of(row["messages"]))


def _write(turns: Sequence[Turn], names: Sequence[str], files: Sequence[Path]) -> dict[str, Any]:
    del names
    urls = iter([data_url(file) for file in files])
    messages: list[dict[str, Any]] = []
    for turn in turns:
        parts: list[dict[str, Any]] = []
        for place, text in enumerate(turn.question.split(IMAGE_PLACEHOLDER)):
            if place:
                parts.append({"type": "image_url", "image_url": {"url": next(urls)}})
            if text.strip():
                parts.append({"type": "text", "text": text.strip()})
        messages.append({"role": "user", "content": parts})
        messages.append({"role": "assistant", "content": turn.answer})
    return {"messages": messages}


FORM = RowForm(
    word="openai",
    name="OpenAI messages",
    example='{"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": '
    '{"url": "data:image/png;base64,…"}}, {"type": "text", "text": "Free OCR."}]}, '
    '{"role": "assistant", "content": "# Title"}]}',
    matches=_matches,
    read=_read,
    write=_write,
    inside=True,
)
