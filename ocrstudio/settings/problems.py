"""Say what is wrong with a configuration: file, line, key and the nearest valid choice."""

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ocrstudio.domain.errors import ConfigError
from ocrstudio.domain.secret_names import is_secret_name
from ocrstudio.domain.wording import shortened
from ocrstudio.settings.loader import KeyPath, LineMap, dotted, problem_list


def config_error(error: ValidationError, model: type[BaseModel], layers: Sequence[LineMap]) -> ConfigError:
    """One `ConfigError` for everything pydantic found.

    Args:
        error: What pydantic reported.
        model: The model that was checked.
        layers: Where the values came from, weakest first.
    """
    found: dict[str, list[tuple[int | None, str]]] = {}
    for detail in error.errors(include_url=False):
        if _is_echo(detail):
            continue
        path = tuple(part for part in detail["loc"] if _belongs_to_data(part))
        name, line = _origin(path, layers)
        found.setdefault(name, []).append((line, _sentence(detail, path, model)))
    message = "\n".join(problem_list(name, problems) for name, problems in found.items())
    return ConfigError(message, "All keys and their bounds are in docs/settings.md.")


def nearest(word: str, choices: Sequence[str]) -> str:
    """The choice most like a word as ``; did you mean "…"?``, or the list of choices."""
    close = difflib.get_close_matches(word.lower(), [choice.lower() for choice in choices], n=1, cutoff=0.6)
    for choice in choices:
        if close and choice.lower() == close[0]:
            return f'; did you mean "{choice}"?'
    return f"; possible: {', '.join(choices)}." if choices else "."


def _is_echo(detail: ErrorDetails) -> bool:
    # pydantic calls a list too short when it had to leave out wrong items, which it reports by themselves.
    return detail["type"] == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]


def _belongs_to_data(part: str | int) -> bool:
    # pydantic adds the name of a union's member to the location, such as "literal[...]" or "none".
    return isinstance(part, int) or not re.search(r"\[|^(?:str|int|float|bool|none|list|tuple|dict)$", part)


def _origin(path: KeyPath, layers: Sequence[LineMap]) -> tuple[str, int | None]:
    for layer in reversed(layers):
        if path in layer.lines:
            return layer.name, layer.lines[path] or None
    for layer in reversed(layers):
        line = layer.line(path)
        if line is not None:
            return layer.name, line or None
    return layers[-1].name, None


def _sentence(detail: ErrorDetails, path: KeyPath, model: type[BaseModel]) -> str:
    key = f'"{dotted(path)}"'
    kind = detail["type"]
    if kind == "extra_forbidden":
        return _unknown_key(path, model)
    if kind == "missing":
        return f"{key} is missing; it has no default."
    if kind == "value_error":
        text = str(detail["ctx"]["error"])
        return f"{key}: {text}" if path else text
    value = "" if any(is_secret_name(str(part)) for part in path) else f", not {_quoted(detail['input'])}"
    if kind == "literal_error":
        choices = re.findall(r"'([^']*)'|\b(True|False)\b", detail["ctx"]["expected"])
        words = [text or word.lower() for text, word in choices]
        return f"{key} must be one of {', '.join(words)}{value}{_suggestion(detail['input'], words)}"
    phrase = _PHRASES.get(kind)
    wanted = phrase(detail.get("ctx", {})) if phrase else detail["msg"]
    return f"{key} must be {wanted}{value}."


_PHRASES: dict[str, Callable[[dict[str, Any]], str]] = {
    "int_type": lambda _: "a whole number",
    "int_from_float": lambda _: "a whole number",
    "float_type": lambda _: "a number",
    "bool_type": lambda _: "true or false",
    "string_type": lambda _: "text (in quotes where it looks like a number)",
    "tuple_type": lambda _: "a list",
    "list_type": lambda _: "a list",
    "dict_type": lambda _: "keys with values",
    "model_type": lambda _: "a section: keys with values, indented below it",
    "model_attributes_type": lambda _: "a section: keys with values, indented below it",
    "finite_number": lambda _: "a finite number",
    "greater_than_equal": lambda ctx: f"{ctx['ge']} or more",
    "greater_than": lambda ctx: f"more than {ctx['gt']}",
    "less_than_equal": lambda ctx: f"{ctx['le']} or less",
    "less_than": lambda ctx: f"less than {ctx['lt']}",
    "multiple_of": lambda ctx: f"a multiple of {ctx['multiple_of']}",
    "string_too_short": lambda ctx: f"at least {ctx['min_length']} character(s) long",
    "too_short": lambda ctx: f"a list of at least {ctx['min_length']}",
    "too_long": lambda ctx: f"a list of at most {ctx['max_length']}",
}


def _unknown_key(path: KeyPath, model: type[BaseModel]) -> str:
    key = str(path[-1])
    owner = next(_models_at(model, path[:-1]), None)
    fields = list(owner.model_fields) if owner else []
    close = difflib.get_close_matches(key.lower(), fields, n=1, cutoff=0.6)
    if not close:
        elsewhere = [section for section, child in _sections(model) if key in child.model_fields]
        if elsewhere:
            return f'"{dotted(path)}" is not a key; "{key}" belongs under "{elsewhere[0]}".'
    return f'"{dotted(path)}" is not a key{nearest(key, fields)}'


def _sections(model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    for name, info in model.model_fields.items():
        for child in _models_of(info.annotation):
            yield name, child


def _models_at(model: type[BaseModel], path: KeyPath) -> Iterator[type[BaseModel]]:
    if not path:
        yield model
        return
    info = model.model_fields.get(str(path[0]))
    for child in _models_of(info.annotation) if info else ():
        # An open mapping (prompts) has one more level: the name the user chose.
        skip = 2 if info is not None and _is_mapping(info.annotation) else 1
        yield from _models_at(child, path[skip:])


def _is_mapping(annotation: object) -> bool:
    return get_origin(annotation) is dict


def _models_of(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (Union, UnionType, dict):
        return [model for part in get_args(annotation) for model in _models_of(part)]
    return []


def _suggestion(value: object, choices: Sequence[str]) -> str:
    if value in choices:
        return "; write it without quotes."
    if isinstance(value, str) and difflib.get_close_matches(value.lower(), choices, n=1, cutoff=0.6):
        return nearest(value, choices)
    return "."


def _quoted(value: object) -> str:
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a section"
    text = shortened(str(value))
    return f'"{text}"' if isinstance(value, str) else text
