"""Why a draft should be looked at first, in words for the user."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from ocrstudio.postprocess import FLAG_TEXTS
from ocrstudio.teachers.base import DOUBTFUL, INCOMPLETE, REFUSAL, RUNAWAY, TALK, TRUNCATED, UNFOUNDED
from ocrstudio.teachers.draft_check import CHECK, FLAGS

_TEXTS: Mapping[str, str] = MappingProxyType(
    {
        **FLAG_TEXTS,
        TRUNCATED: "The output was cut off at the token limit.",
        RUNAWAY: "The output repeats itself.",
        REFUSAL: "The model seems to have refused instead of transcribing.",
        TALK: "The model may have talked around the text; compare its first and last lines with the page.",
        DOUBTFUL: "Parts of the page were hard to read; some text may be wrong or missing.",
        INCOMPLETE: "Text of the page may be missing.",
        UNFOUNDED: "Some of the text may be invented, or belong to another page.",
    }
)


def describe_flags(flags: Iterable[str], parameters: Mapping[str, Any] = MappingProxyType({})) -> str:
    """One sentence for each flag; empty when there is none.

    Args:
        flags: The flags of a draft.
        parameters: Those of the draft; its check tells its flag in numbers.
    """
    check = parameters.get(CHECK)
    told = {FLAGS[verdict]: check["sentence"] for verdict in FLAGS if check and check["verdict"] == verdict}
    return " ".join(told.get(flag) or _TEXTS.get(flag, f"{flag}.") for flag in flags)
