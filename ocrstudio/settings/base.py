"""What all configuration models have in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

# YAML gives lists; the models keep tuples, so that a loaded configuration cannot change.
Strings = Annotated[tuple[str, ...], Field(strict=False)]
Integers = Annotated[tuple[int, ...], Field(strict=False)]


class Section(BaseModel):
    """A part of a configuration file: immutable, no unknown keys, no silent conversions, no infinite numbers.

    Input values stay out of pydantic's own messages, because one of them may be an API key; `problems`
    decides what may be quoted.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
        protected_namespaces=(),
    )
