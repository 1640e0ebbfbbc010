"""Messages with the pictures of the sample in a list beside them: ms-swift, LLaMA-Factory, TRL.

https://swift.readthedocs.io/en/latest/Customization/Custom-dataset.html
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ocrstudio.datasets.conversation import Conversation, Turn, converse
from ocrstudio.datasets.forms.chat import messages_of, tagged
from ocrstudio.datasets.forms.form import Row, RowForm
from ocrstudio.datasets.pictures import read_pictures


def _matches(row: Row) -> bool:
    return isinstance(row.get("messages"), list) and bool(row.get("images") or row.get("image"))


def _read(row: Row) -> Conversation:
    return converse(messages_of(row["messages"]), read_pictures(row.get("images") or row["image"]))


def _write(turns: Sequence[Turn], names: Sequence[str], files: Sequence[Path]) -> dict[str, Any]:
    del files
    return {"messages": tagged(turns, ("user", "assistant")), "images": list(names)}


FORM = RowForm(
    word="swift",
    name="messages with a list of images (ms-swift, LLaMA-Factory)",
    example='{"messages": [{"role": "user", "content": "<image>\\nFree OCR."}, '
    '{"role": "assistant", "content": "# Title"}], "images": ["p.png"]}',
    matches=_matches,
    read=_read,
    write=_write,
)
