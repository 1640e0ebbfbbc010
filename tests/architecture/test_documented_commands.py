"""Every command that a document or a message shows exists, with its options and the keys that it sets."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from ocrstudio.cli.main import cli
from ocrstudio.settings.loader import read_value
from ocrstudio.settings.train import load_train_config

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
SOURCES = sorted((ROOT / "ocrstudio").rglob("*.py"))
_BLOCK = re.compile(r"^```bash\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")


def shown(path: Path) -> Iterator[str]:
    """Everything in a file that is set as code."""
    text = path.read_text(encoding="utf-8")
    blocks = _BLOCK.findall(text)
    yield from (line for block in blocks for line in block.splitlines())
    yield from _SPAN.findall(_BLOCK.sub("", text))


def commands() -> set[tuple[str, str]]:
    """(file, command) of all that begins with the program's name, also behind ``uv run``."""
    pattern = re.compile(r"^(?:.*\buv run .*?)?\bocrstudio ([^#]+)")
    found = ((path, pattern.match(code)) for path in [*DOCUMENTS, *SOURCES] for code in shown(path))
    return {(path.relative_to(ROOT).as_posix(), match[1].strip()) for path, match in found if match}


def chosen_values() -> set[tuple[str, str]]:
    """(file, code) of all that sets a key of the training configuration."""
    found = ((path.relative_to(ROOT).as_posix(), code) for path in DOCUMENTS for code in shown(path))
    return {(path, code) for path, code in found if re.search(r"--set \w+\.", code)}


@pytest.mark.parametrize(("path", "command"), sorted(commands()))
def test_a_shown_command_exists_with_its_options(path: str, command: str) -> None:
    words = shlex.split(command)
    found: click.Command = cli
    while words and isinstance(found, click.Group) and words[0].islower() and "." not in words[0]:
        if words[0].startswith("-"):
            break
        context = click.Context(found)
        inner = found.get_command(context, words[0])
        assert inner is not None, f"{path}: there is no {words[0]!r} in {command!r}"
        found, words = inner, words[1:]
    known = {option for parameter in found.params for option in (*parameter.opts, *parameter.secondary_opts)}
    given = {word.split("=")[0] for word in words if word.startswith("--")}
    assert given <= known | {"--help"}, f"{path}: {command!r} has unknown options"


@pytest.mark.parametrize(("path", "code"), sorted(chosen_values()))
def test_shown_values_can_be_set(path: str, code: str) -> None:
    pairs = re.findall(r"--set ([\w.]+)=(\S+)", code)
    assert pairs, f"{path}: {code!r} sets nothing"
    load_train_config(None, {key: read_value(value) for key, value in pairs})
