"""Nothing leaves the computer unasked: a look at what was written and whom a process spoke to."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from ocrstudio.privacy import SWITCHES, keep_to_ourselves
from tests.fakes.runs import REPOSITORY

# A look-up or a connection: whatever goes to an address of the internet protocols. Pipes are of AF_UNIX.
_OUTWARD = re.compile(r"(?:connect|sendto|sendmsg|sendmmsg)\([^\n]*AF_INET6?\b[^\n]*")
_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "TEMP", "TMP")


def tracer(log: Path) -> list[str]:
    """The command that watches the network calls of a process and its children; empty where there is none."""
    strace = shutil.which("strace")
    if strace is None:
        return []
    command = [strace, "-f", "-e", "trace=network", "-o", str(log)]
    tried = subprocess.run([*command, "true"], capture_output=True, check=False)
    return command if tried.returncode == 0 else []  # some containers forbid tracing


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """The environment of somebody who has set nothing, with an empty home."""
    home = tmp_path / "home"
    home.mkdir()
    kept = {name: os.environ[name] for name in _VARIABLES if name in os.environ}
    return kept | {"HOME": str(home), "USERPROFILE": str(home), "PYTHONPATH": str(REPOSITORY)}


def test_reading_a_scan_writes_nothing_in_the_home_and_asks_no_other_computer(tmp_path, bare) -> None:
    picture = tmp_path / "page.png"
    page = Image.new("RGB", (900, 300), "white")
    pen = ImageDraw.Draw(page)
    pen.text((40, 60), "Plain words on a page", fill="black", font_size=48)
    pen.text((40, 160), "and a second line of text", fill="black", font_size=48)
    page.save(picture)
    log = tmp_path / "network.log"
    watched = tracer(log)
    done = subprocess.run(
        [*watched, sys.executable, "-m", "ocrstudio", "infer", "--images", str(picture), "--output", "out"],
        cwd=tmp_path,
        env=bare,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Plain words" in (tmp_path / "out" / "page.md").read_text()  # onnxruntime was at work
    home = tmp_path / "home"
    assert [path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()] == []
    if watched:
        assert _OUTWARD.findall(log.read_text()) == []


def test_whatever_is_imported_first_everything_is_switched_off_before(bare) -> None:
    """No module of the program can be imported before the package itself, whichever process it is in."""
    code = "import os, sys, ocrstudio.domain.text; print(os.environ.keys() >= set(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, *SWITCHES],
        env=bare,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == "True"


def test_what_the_user_has_set_stays() -> None:
    environment = {"HF_HUB_DISABLE_TELEMETRY": "0"}
    keep_to_ourselves(environment)
    assert environment == {**SWITCHES, "HF_HUB_DISABLE_TELEMETRY": "0"}


def test_the_switches_are_those_that_the_installed_libraries_know() -> None:
    """A library that renames its variable is noticed here, not by its users."""
    assert b"ORT_DISABLE_TELEMETRY" in _binary_of("onnxruntime")
    hub = pytest.importorskip("huggingface_hub.constants")
    assert hub.HF_HUB_DISABLE_TELEMETRY
    assert hub.HF_HUB_DISABLE_UPDATE_CHECK


def _binary_of(package: str) -> bytes:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    capi = Path(spec.origin).parent / "capi"
    binary = next(iter(sorted(capi.glob("onnxruntime_pybind11_state*"))), None)
    assert binary is not None
    return binary.read_bytes()
