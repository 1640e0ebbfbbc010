import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.fakes.runs import fake_environment


@pytest.fixture
def fake_student(tmp_path_factory, monkeypatch):
    """Workers started by the test run the scripted student and keep their locks to themselves."""
    for name, value in fake_environment(tmp_path_factory.mktemp("state")).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))

    def script(*lines: list) -> None:
        monkeypatch.setenv("FAKE_STUDENT_SCRIPT", json.dumps(lines))

    return script


@pytest.fixture
def ocrstudio(tmp_path, monkeypatch) -> Callable[..., subprocess.CompletedProcess]:
    """Run the command line as a user does, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, timeout: float = 60) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "ocrstudio", *map(str, arguments)]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=timeout, check=False, stdin=subprocess.DEVNULL
        )

    return run


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Three good lines and one whose picture is missing."""
    lines = []
    for number in range(1, 5):
        if number < 4:
            Image.new("RGB", (20, 20), (number, 0, 0)).save(tmp_path / f"page_p{number}.png")
        question = {
            "role": "<|User|>",
            "content": "<image>\nConvert this document to markdown.",
            "images": [f"page_p{number}.png"],
        }
        answer = {"role": "<|Assistant|>", "content": f"# Page {number}"}
        lines.append(json.dumps({"messages": [question, answer]}))
    path = tmp_path / "data.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
