"""How a model writes its answer: the same settings wherever one decodes."""

from pydantic import Field

from ocrstudio.settings.base import Integers, Section


class DecodingConfig(Section):
    """Token budget, randomness and the rule against repetitions."""

    temperature: float = Field(ge=0, le=2, description="Randomness; 0 always takes the likeliest token.")
    max_tokens: int = Field(
        ge=1,
        le=131072,
        description="Longest answer in tokens. DeepSeek-OCR has 8192 for picture and answer together.",
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
