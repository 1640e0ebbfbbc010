import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner

from ocrstudio.cli.pdf2img import command
from tests.fakes import pdfs


def run(*arguments):
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_a_new_user_converts_a_document_with_one_option(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run("--source", pdfs.text_pdf(tmp_path / "report.pdf", pages=2))
    assert done.exit_code == 0
    assert done.stdout == "2 images written to output_images.\n"
    assert done.stderr == ""
    assert sorted(path.name for path in Path("output_images").iterdir()) == ["report_p1.png", "report_p2.png"]


def test_a_folder_is_converted_with_its_sub_folders_and_says_what_it_left_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    pdfs.text_pdf(tmp_path / "report.pdf")
    pdfs.text_pdf(tmp_path / "sub" / "report.pdf")
    (tmp_path / "sub" / "notes.txt").touch()
    for left_out in ("(.txt)", "(output_images)"):  # what it wrote itself is not converted again
        done = run("--source", ".", "--dpi", 40)
        assert done.stdout.startswith("2 images written to output_images")
        assert ".: 2 files taken. Left out: 1 file that is neither PDF nor image (.txt)" in done.stderr
        assert left_out in done.stderr
    assert sorted(path.name for path in Path("output_images").iterdir()) == [
        "report_p1.png",
        "sub_report_p1.png",
    ]


def test_failures_are_sentences_and_the_exit_status_is_one(tmp_path):
    good, locked = pdfs.text_pdf(tmp_path / "good.pdf"), pdfs.encrypted_pdf(tmp_path / "locked.pdf")
    done = run("--source", good, "--source", locked, "--output", tmp_path / "out", "--dpi", 40)
    assert done.exit_code == 1
    assert done.stdout.startswith("1 image written to")
    lines = done.stderr.splitlines()
    assert len(lines) == 2
    assert (
        "locked.pdf is encrypted and needs a password. Give its password (command line: --password)."
        in lines[0]
    )
    assert lines[1] == "1 source failed."
    assert run("--source", locked, "--output", tmp_path / "out", "--password", "sesame").exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--source", "a.pdf", "--format", "gif"),
        ("--source", "a.pdf", "--start-page", "0"),
        ("--source", "a.pdf", "--start-page", "5", "--end-page", "2"),
        ("--source", "a.pdf", "--dpi", "0"),
    ],
)
def test_wrong_usage_has_exit_status_two(arguments):
    assert run(*arguments).exit_code == 2


def test_help_names_every_option_with_its_default():
    text = run("--help").stdout
    for expected in (
        "--source",
        "./output_images",
        "200",
        "[png|jpg]",
        "--start-page",
        "--end-page",
        "--password",
    ):
        assert expected in text


def test_on_a_terminal_the_password_is_asked_for_and_not_echoed(tmp_path):
    source = pdfs.encrypted_pdf(tmp_path / "locked.pdf", "sesame")
    master, slave = pty.openpty()
    arguments = ["pdf2img", "--source", str(source), "--output", str(tmp_path / "out"), "--dpi", "40"]
    child = subprocess.Popen(
        [sys.executable, "-m", "ocrstudio", *arguments],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    shown = b""
    while b"Password" not in shown:
        shown += os.read(master, 1024)
    os.write(master, b"sesame\n")
    try:
        while block := os.read(master, 1024):
            shown += block
    except OSError:  # Linux says so when the other side has closed
        pass
    os.close(master)
    assert child.wait(30) == 0
    assert b"1 image written" in shown
    assert b"sesame" not in shown


def test_ctrl_c_leaves_no_half_file_and_no_process(tmp_path):
    source = pdfs.text_pdf(tmp_path / "long.pdf", pages=250)
    out = tmp_path / "out"
    child = subprocess.Popen(
        [sys.executable, "-m", "ocrstudio", "pdf2img", "--source", str(source), "--output", str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    deadline = time.monotonic() + 30
    while not (out.is_dir() and any(out.glob("*.png"))) and time.monotonic() < deadline:
        os.sched_yield()
    family = psutil.Process(child.pid).children(recursive=True)
    os.killpg(child.pid, signal.SIGINT)
    _, said = child.communicate(timeout=30)
    assert child.returncode == 130
    assert said.strip() == "Interrupted."
    assert psutil.wait_procs(family, timeout=10)[1] == []
    written = list(out.iterdir())
    assert 0 < len(written) < 250
    assert all(path.suffix == ".png" and path.read_bytes().endswith(b"IEND\xaeB`\x82") for path in written)
