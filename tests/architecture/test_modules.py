"""The shape of the source tree: sizes, docstrings, walls between the layers, nothing of one machine."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "ocrstudio"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "_data" not in path.parts)
FOLDERS = sorted({path.parent for path in MODULES})
MOST_LINES = 400
MOST_LINES_OF = {"ocrstudio/ui/main_window.py": 250}
MOST_FUNCTION_LINES = 60


def name(path):
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_modules_are_small(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES_OF.get(name(path), MOST_LINES)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= MOST_FUNCTION_LINES, f"{node.name} has {lines} lines"


@pytest.mark.parametrize("path", FOLDERS, ids=name)
def test_every_package_says_what_it_is_for(path):
    source = path / "__init__.py"
    assert source.exists(), "a folder of modules needs an __init__.py"
    assert ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))), (
        "its docstring says what it is for"
    )


def test_layers_and_walls_hold():
    # The script stands beside the interpreter; import-linter cannot be run as a module.
    command = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    assert command is not None
    done = subprocess.run([command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def tracked_texts():
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    done = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for entry in done.stdout.decode().split("\0"):
        path = ROOT / entry
        if entry and path.is_file():
            data = path.read_bytes()
            if b"\0" not in data:
                yield entry, data.decode("utf-8", errors="replace")


# Written so that this file does not match itself.
FOREIGN = re.compile(
    r"/wor[k]/(?:main|shared|notes)|/hom[e]/[a-z]+/|/Users/[A-Za-z]+/|/roo[t]/|/tm[p]/bash_jobs"
    r"|artifactor[y]|pypi\.interna[l]|index-ur[l]\s*=|registr[y]\s*=\s*\"http(?!s://pypi\.org/)"
)


def test_no_path_of_a_machine_and_no_registry_is_in_the_repository():
    found = [
        f"{entry}: {match.group()}"
        for entry, text in tracked_texts()
        for match in [FOREIGN.search(text)]
        if match
    ]
    assert found == []
