"""The shape of prompts in a configuration: a mapping of task ids to texts."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import Field

from ocrstudio.paths import config_dir
from ocrstudio.settings.base import Section
from ocrstudio.settings.layers import Layer, check, file_layer
from ocrstudio.settings.yaml_schema import YamlValue

SHIPPED_FILE = "prompts.yaml"
_OPTIONAL_TEXTS = ("system", "description")


class PromptConfig(Section):
    """One prompt. Only `user` is required: a text that is left out is empty."""

    system: str = Field(description="System message, for servers that take one; empty sends none.")
    user: str = Field(
        min_length=1, description="What the model is asked; {target} stands for text given by the user."
    )
    description: str = Field(description="One line for lists of tasks.")
    whole_page: bool | None = Field(
        description="Whether the answer is all text of the page; drafts are then held against the page. "
        "Empty: as the shipped task of that name, no for a new one.",
    )


class PromptsFile(Section):
    """A file of prompts."""

    prompts: dict[str, PromptConfig] = Field(description="Prompts by task id.")


def load_prompts(path: Path | None = None) -> tuple[dict[str, PromptConfig], Layer]:
    """Load a file of prompts.

    Args:
        path: The user's file, with or without ``prompts:`` at its top; None for the shipped one.

    Returns:
        The prompts and the layer they came from, for messages about them.

    Raises:
        ConfigError: The file cannot be used.
    """
    layer = file_layer(path or config_dir() / SHIPPED_FILE)
    if not _is_wrapped(layer.data):
        layer = _wrapped(layer)
    given = layer.data["prompts"]
    prompts = complete_prompts(given) if given is not None else {}
    return check(PromptsFile, {"prompts": prompts}, [layer]).prompts, layer


def complete_prompts(prompts: YamlValue) -> YamlValue:
    """Fill the texts that a prompt leaves out; what is not a mapping is left for the model to report."""
    if not isinstance(prompts, Mapping):
        return prompts
    return {
        task: {
            "system": "",
            "description": "",
            "whole_page": None,
            **{key: _text(key, value) for key, value in entry.items()},
        }
        if isinstance(entry, Mapping)
        else entry
        for task, entry in prompts.items()
    }


def _text(key: str, value: YamlValue) -> YamlValue:
    return "" if value is None and key in _OPTIONAL_TEXTS else value


def _wrapped(layer: Layer) -> Layer:
    """The layer as if ``prompts:`` stood above its tasks; every key stays on its line."""
    lines = {("prompts", *path): line for path, line in layer.lines.lines.items()}
    return Layer({"prompts": layer.data}, replace(layer.lines, lines=lines))


def _is_wrapped(data: Mapping[str, Any]) -> bool:
    prompts = data.get("prompts")
    if set(data) != {"prompts"}:
        return False
    return prompts is None or not isinstance(prompts, Mapping) or "user" not in prompts
