"""The YAML dialect of configuration files: the core schema of YAML 1.2, no aliases, no custom tags.

PyYAML speaks YAML 1.1, in which ``2e-4`` is a text, ``no`` a truth value and ``1:30`` the number 90. The same
rules serve reading and writing, so that what is written reads back equal.
"""

import re
from typing import Any, TypeAlias

import yaml

NULL = "tag:yaml.org,2002:null"
BOOL = "tag:yaml.org,2002:bool"
INT = "tag:yaml.org,2002:int"
FLOAT = "tag:yaml.org,2002:float"
STR = "tag:yaml.org,2002:str"
MAPPING = "tag:yaml.org,2002:map"
SEQUENCE = "tag:yaml.org,2002:seq"

YamlValue: TypeAlias = "str | int | float | bool | list[YamlValue] | dict[str, YamlValue] | None"

_IMPLICIT: tuple[tuple[str, str, list[str]], ...] = (
    (NULL, r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    (BOOL, r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    (INT, r"^[-+]?[0-9][0-9_]*$", list("-+0123456789")),
    (
        FLOAT,
        r"^(?:[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
        list("-+.0123456789"),
    ),
)


class SchemaLoader(yaml.SafeLoader):
    """Composes nodes with the core schema; refuses aliases, which a configuration does not need."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  # declared so by PyYAML

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose one node.

        Raises:
            yaml.composer.ComposerError: The node is an alias.
        """
        if self.check_event(yaml.AliasEvent):
            mark = self.get_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases (*name) are not supported here", mark)
        return super().compose_node(parent, index)


class SchemaDumper(yaml.SafeDumper):
    """Writes block style, quoting whatever the core schema would take for something other than text."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  # declared so by PyYAML

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  # the signature is PyYAML's
        """Repeat shared values instead of writing aliases."""
        return True


for _tag, _pattern, _first in _IMPLICIT:
    SchemaLoader.add_implicit_resolver(_tag, re.compile(_pattern), _first)
    SchemaDumper.add_implicit_resolver(_tag, re.compile(_pattern), _first)


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar(STR, text, style=style)


SchemaDumper.add_representer(str, _represent_text)


def plain_tag(text: str) -> str:
    """The tag of a text that stands unquoted in a file."""
    return next((tag for tag, pattern, _ in _IMPLICIT if re.match(pattern, text)), STR)


def scalar_value(tag: str, text: str) -> YamlValue:
    """The Python value of a scalar whose tag is resolved.

    Raises:
        ValueError: The tag is not one of the core schema, or the text does not fit the tag.
    """
    if tag == STR:
        return text
    if tag == NULL:
        return None
    if tag == BOOL:
        return text.lower() == "true"
    if tag == INT:
        return int(text.replace("_", ""))
    if tag == FLOAT:
        return float(re.sub(r"\.(inf|nan)$", r"\1", text.lower()))
    raise ValueError(f"the tag {tag} is not supported")
