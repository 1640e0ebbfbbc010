"""Ctrl+C while a child draws or reads a page that MuPDF never finishes, in every command that does so."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from ocrstudio.services.labelling import accept, save_edit
from ocrstudio.services.workspaces import create_workspace, import_sources
from tests.fakes.pdfs import endless_pdf

PATIENCE = 4.0  # two seconds where nothing else runs; tests run beside each other


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    return endless_pdf(tmp_path / "map.pdf")


def accepted_workspace(root: Path, pdf: Path) -> Path:
    with create_workspace(root) as ws:
        import_sources(ws, [pdf])
        for row in ws.pages.list():
            save_edit(ws, row.page.id, "A label")
            accept(ws, row.page.id)
    return root


def arguments(command: str, pdf: Path, folder: Path) -> list[str]:
    if command == "export":
        return ["workspace", "export", str(accepted_workspace(folder / "ws", pdf))]
    source = "--source" if command == "pdf2img" else "--pdf"
    return [command, source, str(pdf), "--output", str(folder / "out")]


def computed(family: list[psutil.Process]) -> float:
    """The seconds that the busiest of them has computed."""
    return max((process.cpu_times().user for process in family if process.is_running()), default=0.0)


@pytest.mark.parametrize(("command", "start"), [("pdf2img", 0.5), ("infer", 3.0), ("export", 0.8)])
def test_ctrl_c_ends_the_command_and_its_children_within_two_seconds(
    command: str, start: float, pdf: Path, tmp_path: Path
) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "ocrstudio", *arguments(command, pdf, tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    try:
        family: list[psutil.Process] = []
        deadline = time.monotonic() + 50
        while computed(family) < start and time.monotonic() < deadline:
            time.sleep(0.1)
            family = psutil.Process(child.pid).children(recursive=True)
        assert computed(family) >= start
        os.killpg(child.pid, signal.SIGINT)
        started = time.monotonic()
        _, said = child.communicate(timeout=30)
        assert time.monotonic() - started < PATIENCE
        assert child.returncode == 130
        assert "Traceback" not in said
        assert psutil.wait_procs(family, timeout=PATIENCE)[1] == []
    finally:
        child.kill()
