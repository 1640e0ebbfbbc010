"""OmniDocBench's pages: blocks with their reading order, text, formulas and tables.

https://github.com/opendatalab/OmniDocBench
"""

from collections.abc import Mapping
from typing import Any

from ocrstudio.datasets.conversation import MARKDOWN_PROMPT, Conversation, page
from ocrstudio.datasets.forms.form import Row, RowForm
from ocrstudio.datasets.pictures import read_picture
from ocrstudio.datasets.record import ProblemKind, RecordError

_LEFT_OUT = frozenset(
    ("abandon", "header", "footer", "page_number", "figure", "need_mask", "text_mask", "table_mask")
)
"""Blocks that are no text of the page, or masked in the benchmark."""

_TITLE, _TABLE, _FORMULA = "title", "table", "equation_isolated"


def _matches(row: Row) -> bool:
    return isinstance(row.get("layout_dets"), list) and isinstance(row.get("page_info"), Mapping)


def _read(row: Row) -> Conversation:
    image = row["page_info"].get("image_path")
    if not isinstance(image, str) or not image:
        raise RecordError(ProblemKind.NO_IMAGE, "its page_info has no image_path")
    blocks = [block for block in row["layout_dets"] if isinstance(block, Mapping) and not _ignored(block)]
    order = {id(block): block.get("order") for block in blocks}
    ordered = sorted(
        (block for block in blocks if _is_number(order[id(block)])), key=lambda block: block["order"]
    )
    return page(read_picture(image), "\n\n".join(filter(None, map(_markdown, ordered))), MARKDOWN_PROMPT)


def _ignored(block: Mapping[str, Any]) -> bool:
    return bool(block.get("ignore")) or block.get("category_type") in _LEFT_OUT


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _markdown(block: Mapping[str, Any]) -> str:
    kind = block.get("category_type")
    if kind == _TABLE:
        return _first(block, "html", "latex", "text")
    if kind == _FORMULA:
        formula = _first(block, "latex", "text")
        return formula if not formula or formula.startswith(("$$", "\\[")) else f"$${formula}$$"
    text = _first(block, "text", "latex", "html")
    return f"# {text}" if kind == _TITLE and text and not text.startswith("#") else text


def _first(block: Mapping[str, Any], *keys: str) -> str:
    found = (block[key].strip() for key in keys if isinstance(block.get(key), str))
    return next(filter(None, found), "")


FORM = RowForm(
    word="omnidocbench",
    name="OmniDocBench pages",
    example='[{"layout_dets": [{"category_type": "text_block", "order": 1, "text": "Title"}], '
    '"page_info": {"image_path": "p.png"}}]',
    matches=_matches,
    read=_read,
)
