"""Put layers of configuration over one another: shipped file, user's file, overrides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ocrstudio.domain.errors import ConfigError
from ocrstudio.settings.loader import KeyPath, LineMap, read_yaml
from ocrstudio.settings.problems import config_error

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Layer:
    """Data from one place and where its keys stand there."""

    data: dict[str, Any]
    lines: LineMap

    @property
    def name(self) -> str:
        """The place as shown to the user."""
        return self.lines.name


def file_layer(path: Path) -> Layer:
    """The layer of a YAML file. Raises ConfigError as `read_yaml` does."""
    return Layer(*read_yaml(path))


def override_layer(values: Mapping[str, Any], name: str = "the settings given") -> Layer:
    """The layer of dotted keys, such as ``{"training.max_steps": 5}``.

    Raises:
        ConfigError: A key is empty or stands below a key that already has a value.
    """
    data: dict[str, Any] = {}
    lines: dict[KeyPath, int] = {}
    for key, value in values.items():
        parts = tuple(key.split("."))
        if not all(parts):
            raise ConfigError(f'"{key}" is not a key.', "Write section.key, for example training.max_steps.")
        target = data
        for part in parts[:-1]:
            target = target.setdefault(part, {})
            if not isinstance(target, dict):
                raise ConfigError(f'"{key}" and "{part}" cannot both be set.', "Keep one of them.")
        target[parts[-1]] = value
        # Known here, but without a line; so are the sections, for rules about several of their keys.
        lines |= {parts[:length]: 0 for length in range(1, len(parts) + 1)}
    return Layer(data, LineMap(name, lines))


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Merge sections key by key; lists and single values are replaced, an empty section changes nothing."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            result[key] = merge(below, value)
        elif not (isinstance(below, Mapping) and value is None):
            result[key] = value
    return result


def check(model: type[M], data: Mapping[str, Any], layers: Sequence[Layer]) -> M:
    """Build the model from merged data.

    Raises:
        ConfigError: All problems at once, each with the file and line it came from.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise config_error(error, model, [layer.lines for layer in layers]) from None


def exclusive(layer: Layer, section: str, first: str, second: str) -> Layer:
    """Let a layer that sets one of two keys that exclude each other clear the other one below it."""
    values = layer.data.get(section)
    if not isinstance(values, dict):
        return layer
    cleared = dict(values)
    for given, other in ((first, second), (second, first)):
        if values.get(given) is not None and other not in values:
            cleared[other] = None
    return Layer({**layer.data, section: cleared}, layer.lines)
