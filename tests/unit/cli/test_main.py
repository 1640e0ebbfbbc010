import os
import struct
import subprocess
import sys

import pytest
from PIL import Image

from ocrstudio import __version__
from ocrstudio.cli.main import COMMANDS, main
from ocrstudio.domain.errors import InputError
from tests.fakes.pdfs import text_pdf
from tests.fakes.runs import REPOSITORY

_HEAVY = ("pydantic", "torch", "pymupdf", "PySide6", "numpy", "PIL", "yaml", "rich", "openai", "psutil")


def _register(monkeypatch, function) -> None:
    import click

    from ocrstudio.cli import main as module

    command = click.command()(function)
    monkeypatch.setitem(COMMANDS, "odd", module.CommandEntry("tests.unit.cli.odd", "Odd."))
    monkeypatch.setattr(
        module.importlib, "import_module", lambda _name: type("Module", (), {"command": command})
    )


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_and_version_come_without_a_heavy_import(argument):
    code = (
        "import sys; from ocrstudio.__main__ import main; status = main();"
        f"heavy = [name for name in {_HEAVY!r} if name in sys.modules];"
        "sys.stderr.write(','.join(heavy)); sys.exit(status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, argument], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    assert done.stderr == ""
    if argument == "--version":
        assert done.stdout == f"ocrstudio {__version__}\n"
    else:
        assert all(name in done.stdout and entry.summary in done.stdout for name, entry in COMMANDS.items())


def test_an_expected_error_is_a_sentence_and_a_hint(monkeypatch, capsys):
    def odd():
        raise InputError("The file x.pdf is empty.", "Choose another one.")

    _register(monkeypatch, odd)
    assert main(["odd"]) == 1
    assert capsys.readouterr().err == "Error: The file x.pdf is empty.\nHint: Choose another one.\n"


def test_an_unexpected_error_is_a_sentence_with_a_log_and_no_traceback(monkeypatch, capsys, tmp_path):
    def odd():
        raise ZeroDivisionError("by zero")

    monkeypatch.setenv("OCRSTUDIO_STATE_DIR", str(tmp_path))
    monkeypatch.delenv("OCRSTUDIO_DEBUG", raising=False)
    _register(monkeypatch, odd)
    assert main(["odd"]) == 1
    error = capsys.readouterr().err
    assert "Traceback" not in error
    assert str(tmp_path / "ocrstudio.log") in error
    assert "ZeroDivisionError: by zero" in (tmp_path / "ocrstudio.log").read_text()


def test_debug_shows_the_traceback(monkeypatch):
    def odd():
        raise ZeroDivisionError("by zero")

    monkeypatch.setenv("OCRSTUDIO_DEBUG", "0")
    _register(monkeypatch, odd)
    with pytest.raises(ZeroDivisionError):
        main(["--debug", "odd"])


def test_control_c_is_130(monkeypatch, capsys):
    def odd():
        raise KeyboardInterrupt

    _register(monkeypatch, odd)
    assert main(["odd"]) == 130
    assert "Interrupted." in capsys.readouterr().err


def test_wrong_usage_is_2_and_names_the_nearest_command(capsys):
    assert main(["trian"]) == 2
    assert "Did you mean 'train'?" in capsys.readouterr().err
    assert main(["--no-such-option"]) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["missing.pdf"], ("There is no file missing.pdf.", "Check its path")),
        (["scans/missing.pdf", "--dpi", "300"], ("There is no file scans/missing.pdf.",)),
        (["invoices"], ("no command, file or folder called invoices.", "ocrstudio workspace new invoices")),
        (["new labels/2026"], ("called new labels/2026.", "ocrstudio workspace new 'new labels/2026'")),
        (["here.pdf", "there.pdf"], ("here.pdf is no command.", "type it alone: ocrstudio here.pdf")),
    ],
)
def test_a_path_that_cannot_be_opened_is_a_sentence(words, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here.pdf").touch()
    assert main(words) == 2
    error = capsys.readouterr().err
    assert all(part in error for part in said)
    assert "No such command" not in error
    assert [path.name for path in tmp_path.iterdir()] == ["here.pdf"]


def test_the_exit_status_of_a_command_is_passed_on(monkeypatch):
    _register(monkeypatch, lambda: 3)
    assert main(["odd"]) == 3


def test_an_argument_too_long_for_a_path_is_a_wrong_command(ocrstudio):
    done = ocrstudio("x" * 300)
    assert done.returncode == 2
    assert "There is no command, file or folder called xxx" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_the_terminal_cannot_show_is_escaped(tmp_path, monkeypatch, ocrstudio):
    text_pdf(tmp_path / "한글.pdf")
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")
    done = ocrstudio("workspace", "new", "ws", "한글.pdf")
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\ud55c\\uae00" in ocrstudio("workspace", "status", "ws").stdout


def test_a_file_name_that_is_no_text_is_a_sentence(tmp_path, ocrstudio):
    text_pdf(tmp_path / "plain.pdf").rename(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff.pdf"))
    done = ocrstudio("pdf2img", "--source", tmp_path)
    assert done.returncode == 1
    assert r"bad\udcff.pdf is not valid Unicode. Rename the file." in done.stderr


def test_warnings_of_libraries_do_not_reach_the_terminal(tmp_path, ocrstudio):
    picture = tmp_path / "odd.tif"
    Image.new("RGB", (30, 20)).save(picture, tiffinfo={270: "a description of some length"})
    data = picture.read_bytes()
    tag = struct.pack("<HHI", 270, 2, 29)
    assert data.count(tag) == 1
    picture.write_bytes(data.replace(tag, struct.pack("<HHI", 270, 2, 10**6)))
    for arguments in (("pdf2img", "--source", picture), ("workspace", "new", "ws", picture)):
        done = ocrstudio(*arguments)
        assert (done.returncode, done.stderr) == (0, "")
