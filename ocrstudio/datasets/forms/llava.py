"""LLaVA's conversations: one picture under ``image``.

https://github.com/haotian-liu/LLaVA/blob/main/docs/Finetune_Custom_Data.md
"""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from ocrstudio.datasets.conversation import Conversation, Turn, converse
from ocrstudio.datasets.forms.form import Row, RowForm
from ocrstudio.datasets.forms.sharegpt import conversations_of, written
from ocrstudio.datasets.pictures import read_pictures


def _matches(row: Row) -> bool:
    return isinstance(row.get("conversations"), list) and bool(row.get("image"))


def _read(row: Row) -> Conversation:
    return converse(conversations_of(row["conversations"]), read_pictures(row["image"]))


def _write(turns: Sequence[Turn], names: Sequence[str], files: Sequence[Path]) -> dict[str, Any]:
    del files
    image: str | list[str] = names[0] if len(names) == 1 else list(names)
    return {"id": PurePosixPath(names[0]).stem, "image": image, "conversations": written(turns)}


FORM = RowForm(
    word="llava",
    name="LLaVA conversations",
    example='[{"id": "1", "image": "p.png", "conversations": [{"from": "human", "value": '
    '"<image>\\nFree OCR."}, {"from": "gpt", "value": "# Title"}]}]',
    matches=_matches,
    read=_read,
    write=_write,
    array=True,
)
