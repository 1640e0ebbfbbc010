"""Read a YAML file with the line of every key; write a configuration as YAML."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import BaseModel

from ocrstudio.domain.errors import ConfigError
from ocrstudio.settings.yaml_schema import (
    MAPPING,
    SEQUENCE,
    SchemaDumper,
    SchemaLoader,
    YamlValue,
    plain_tag,
    scalar_value,
)

KeyPath = tuple[str | int, ...]

_KINDS: Mapping[type, str] = {list: "a list", str: "a text"}
_MAX_BYTES = 1 << 20
_REFERENCE = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


@dataclass(frozen=True)
class LineMap:
    """Where the keys of a file stand.

    Attributes:
        name: The file as shown to the user.
        lines: Line (from 1) of each key path.
        references: Key paths whose text came, at least in part, from an environment variable.
    """

    name: str
    lines: Mapping[KeyPath, int] = field(default_factory=dict)
    references: frozenset[KeyPath] = frozenset()

    def line(self, path: KeyPath) -> int | None:
        """The line of a key, or of the nearest key above it; None for a path the file does not touch."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return None


def read_yaml(path: Path, *, substitute: bool = True) -> tuple[dict[str, Any], LineMap]:
    """Read a configuration file.

    Args:
        path: The file; an empty one gives no keys.
        substitute: Replace ``${NAME}`` and ``${NAME:-text}`` by environment variables (``$${`` stands for
            ``${``).

    Returns:
        The data and the line of every key.

    Raises:
        ConfigError: The file cannot be read, is not YAML, repeats a key, or names an unset variable; the
            message names the file, line and column, and lists all problems of the last two kinds.
    """
    root = _compose(str(path), _read_text(path))
    reader = _NodeReader(substitute)
    data = {} if root is None else reader.read(root, ())
    if data is None:
        data = {}
    if not isinstance(data, dict):
        raise ConfigError(
            f"{path} must hold keys with values at its top level, not {_KINDS.get(type(data), 'a value')}.",
            "See config/examples for complete files.",
        )
    if reader.problems:
        raise ConfigError(problem_list(str(path), reader.problems))
    return data, LineMap(str(path), reader.lines, frozenset(reader.references))


def read_value(text: str) -> YamlValue:
    """One value, by the rules of a file.

    Raises:
        ConfigError: It is not YAML.
    """
    root = _compose("The value", text)
    reader = _NodeReader(substitute=False)
    value = None if root is None else reader.read(root, ())
    if reader.problems:
        raise ConfigError(problem_list("The value", reader.problems))
    return value


def dump_yaml(model: BaseModel) -> str:
    """A configuration as YAML that loads back equal, except that secrets are written as ``null``."""
    return dump_data(plain_items(model.model_dump()))


def dump_data(data: Mapping[str, Any]) -> str:
    """Plain data as YAML, in the order of its keys."""
    return yaml.dump(dict(data), Dumper=SchemaDumper, sort_keys=False, allow_unicode=True, width=110)


def plain_items(values: Mapping[str, object]) -> dict[str, YamlValue]:
    """Tuples as lists and secrets as None, at any depth: what YAML and JSON can hold."""
    return {key: _plain(value) for key, value in values.items()}


def _plain(value: object) -> YamlValue:
    if isinstance(value, Mapping):
        return plain_items(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return str(value)  # the plain text of a StrEnum
    return value if isinstance(value, int | float | bool) else None


def problem_list(name: str, problems: list[tuple[int | None, str]]) -> str:
    """One problem as a sentence, several as a list in the order of the lines.

    Args:
        name: The file as shown to the user.
        problems: Line (None where unknown) and text of each.
    """
    ordered = sorted(set(problems), key=lambda item: (item[0] or 0, item[1]))
    texts = [f"line {line}: {text}" if line else text for line, text in ordered]
    if len(texts) == 1:
        return f"{name}, {texts[0]}" if ordered[0][0] else f"{name}: {texts[0]}"
    return "\n".join([f"{name} has {len(texts)} problems:", *(f"  {text}" for text in texts)])


def _read_text(path: Path) -> str:
    try:
        if path.is_dir():
            raise ConfigError(f"{path} is a folder, not a configuration file.", "Name a .yaml file in it.")
        if path.stat().st_size > _MAX_BYTES:
            raise ConfigError(
                f"{path} is larger than 1 MiB and cannot be a configuration file.", "Name a .yaml file."
            )
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(
            f"The configuration file {path} does not exist.",
            "Check the path; config/examples holds files to copy.",
        ) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError(
            f"{path}, line {line}: this is not UTF-8 text.", "Save the file as UTF-8."
        ) from None
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror or error}.", "Check its permissions."
        ) from error


def _compose(name: str, text: str) -> yaml.Node | None:
    try:
        loader = SchemaLoader(text)
        try:
            return loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        detail = ", ".join(part for part in (error.context, error.problem) if part)
        raise ConfigError(
            f"{name}{place}: this is not valid YAML ({detail}).",
            "Check the indentation, colons and quotes there and in the line above.",
        ) from None
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise ConfigError(
            f"{name}, line {line}: the character U+{ord(text[error.position]):04X} is not allowed in YAML.",
            "Remove it or write it as an escape in double quotes.",
        ) from None
    except RecursionError:
        raise ConfigError(f"{name} is nested too deeply.") from None


class _NodeReader:
    """Turns nodes into data, noting lines, and collects what is wrong instead of stopping at the first."""

    def __init__(self, substitute: bool) -> None:
        self.lines: dict[KeyPath, int] = {}
        self.references: set[KeyPath] = set()
        self.problems: list[tuple[int | None, str]] = []
        self._substitute = substitute

    def read(self, node: yaml.Node, path: KeyPath) -> YamlValue:
        if not isinstance(node, yaml.ScalarNode) and node.tag not in (MAPPING, SEQUENCE):
            self.problems.append((node.start_mark.line + 1, f"the tag {node.tag} is not supported."))
            return None
        if isinstance(node, yaml.MappingNode):
            return self._read_mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self.lines[(*path, index)] = item.start_mark.line + 1
            return [self.read(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._read_scalar(cast("yaml.ScalarNode", node), path)

    def _read_mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self.problems.append((line, "a key must be a single word."))
                continue
            key = str(key_node.value)
            here = (*path, key)
            if key in data:
                first = self.lines[here]
                self.problems.append(
                    (line, f'the key "{dotted(here)}" is already set in line {first}; keep one.')
                )
                continue
            self.lines[here] = line
            data[key] = self.read(value_node, here)
        return data

    def _read_scalar(self, node: yaml.ScalarNode, path: KeyPath) -> YamlValue:
        line = node.start_mark.line + 1
        text = str(node.value)
        tag = node.tag
        if self._substitute and "${" in text:
            text = _REFERENCE.sub(lambda match: self._variable(match, path, line), text)
            if node.style is None:  # an unquoted reference may stand for a number or a truth value
                tag = plain_tag(text)
        try:
            return scalar_value(tag, text)
        except ValueError as error:
            self.problems.append((line, f'the value of "{dotted(path)}" cannot be used: {error}.'))
            return None

    def _variable(self, match: re.Match[str], path: KeyPath, line: int) -> str:
        name, fallback = match.group(1), match.group(2)
        if name is None:
            return "${"
        self.references.add(path)
        value = os.environ.get(name, "")
        if value:
            return value
        if fallback is not None:
            return fallback
        advice = f"set it, or write ${{{name}:-a default}}, or $${{ for the two characters"
        problem = f'"{dotted(path)}" uses the environment variable {name}, which is not set; {advice}.'
        self.problems.append((line, problem))
        return ""


def dotted(path: KeyPath) -> str:
    """A key path as the user writes it: ``training.max_steps``, ``lora.targets[2]``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
