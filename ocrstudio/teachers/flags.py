"""Why a draft should be looked at first, in words for the user."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from ocrstudio.postprocess import FLAG_TEXTS
from ocrstudio.teachers.base import DOUBTFUL, REFUSAL, RUNAWAY, TALK, TRUNCATED

_TEXTS: Mapping[str, str] = MappingProxyType(
    {
        **FLAG_TEXTS,
        TRUNCATED: "The output was cut off at the token limit.",
        RUNAWAY: "The output repeats itself.",
        REFUSAL: "The model seems to have refused instead of transcribing.",
        TALK: "The model may have talked around the text; compare its first and last lines with the page.",
        DOUBTFUL: "Parts of the page were hard to read; some text may be wrong or missing.",
    }
)


def describe_flags(flags: Iterable[str]) -> str:
    """One sentence for each flag; empty when there is none."""
    return " ".join(_TEXTS.get(flag, f"{flag}.") for flag in flags)
