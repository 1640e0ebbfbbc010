"""How a model writes its answer: the same settings wherever one decodes."""

from typing import Any, Final

from pydantic import Field

from ocrstudio.settings.base import Integers, Section

_TEMPERATURE: Final[dict[str, Any]] = {"ge": 0, "le": 2}
_MAX_TOKENS: Final[dict[str, Any]] = {"ge": 1, "le": 131072}


class AnswerConfig(Section):
    """Token budget, randomness and the rule against repetitions, for whoever has a choice of its own."""

    temperature: float | None = Field(
        **_TEMPERATURE,
        description="Randomness; 0 always takes the likeliest token. Empty, for a server: not sent, its own.",
    )
    max_tokens: int | None = Field(
        **_MAX_TOKENS,
        description="Longest answer in tokens. DeepSeek-OCR has 8192 for picture and answer together. Empty, "
        "for a server: not sent, its own.",
    )
    no_repeat_ngram_size: int = Field(
        ge=0,
        le=1000,
        description="A run of so many tokens may not occur twice in the window; 0 switches the rule off.",
    )
    no_repeat_ngram_window: int = Field(
        ge=1, le=8192, description="Tokens that the no-repeat rule looks back on."
    )
    whitelist_token_ids: Integers = Field(
        description="Tokens the no-repeat rule never forbids; 128821 and 128822 are the cell tags of tables."
    )


class DecodingConfig(AnswerConfig):
    """Token budget, randomness and the rule against repetitions, for a model that is decoded here."""

    temperature: float = Field(**_TEMPERATURE, description="Randomness; 0 always takes the likeliest token.")
    max_tokens: int = Field(
        **_MAX_TOKENS,
        description="Longest answer in tokens. DeepSeek-OCR has 8192 for picture and answer together.",
    )
