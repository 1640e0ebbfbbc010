import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from ocrstudio.cli.main import main
from ocrstudio.datasets import read_dataset
from ocrstudio.domain.document import PageStatus
from ocrstudio.domain.label import NewRevision
from ocrstudio.services import labelling
from ocrstudio.store import Workspace
from tests.fakes.openai_server import OpenAiServer
from tests.fakes.pdfs import short_pdf

TEXT = "A line of text that is long enough for a text layer to be trusted, twice over."


@pytest.fixture(autouse=True)
def no_settings_of_the_user(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path_factory.mktemp(name.lower())))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace with one PDF of two pages, made by the command."""
    short_pdf(tmp_path / "report.pdf", [TEXT[:38], TEXT[38:]])
    assert main(["workspace", "new", str(tmp_path / "ws"), str(tmp_path / "report.pdf")]) == 0
    return tmp_path / "ws"


def test_new_imports_and_says_what_it_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = short_pdf(tmp_path / "report.pdf", ["one", "two"])
    assert main(["workspace", "new", str(tmp_path / "ws"), str(source)]) == 0
    out = capsys.readouterr().out
    assert f"Created the workspace {tmp_path / 'ws'}." in out
    assert "Imported 1 document with 2 pages." in out


def test_new_refuses_a_folder_in_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "thesis.tex").touch()
    assert main(["workspace", "new", str(tmp_path)]) == 1
    assert "is not empty" in capsys.readouterr().err


def test_import_goes_on_after_a_bad_file_and_exits_with_1(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.pdf").write_bytes(b"%PDF- nothing")
    Image.new("RGB", (20, 20)).save(tmp_path / "scan.png")
    files = [str(tmp_path / name) for name in ("bad.pdf", "report.pdf", "scan.png")]
    capsys.readouterr()
    assert main(["workspace", "import", str(root), *files]) == 1
    out, err = capsys.readouterr()
    assert "report.pdf is in the workspace already, as report." in out
    assert "Imported 1 document with 1 page." in out
    assert "bad.pdf cannot be opened" in err


def dataset_line(image: str, answer: str) -> str:
    question = {"role": "<|User|>", "content": "<image>\nFree OCR.", "images": [image]}
    return json.dumps({"messages": [question, {"role": "<|Assistant|>", "content": answer}]}) + "\n"


def test_a_source_that_fails_stops_no_other_of_whatever_kind(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.pdf").write_bytes(b"%PDF- nothing")
    for number in (1, 2):
        Image.new("RGB", (20, 20), (number, 0, 0)).save(tmp_path / f"scan{number}.png")
        (tmp_path / f"data{number}.jsonl").write_text(dataset_line(f"scan{number}.png", f"label {number}"))
    (tmp_path / "empty.jsonl").touch()
    names = ("bad.pdf", "data1.jsonl", "empty.jsonl", "data2.jsonl")
    capsys.readouterr()
    assert main(["workspace", "import", str(root), *(str(tmp_path / name) for name in names)]) == 1
    out, err = capsys.readouterr()
    assert "Imported 1 label from data1.jsonl; 1 with new pictures." in out
    assert "Imported 1 label from data2.jsonl; 1 with new pictures." in out
    assert "bad.pdf cannot be opened" in err
    assert "empty.jsonl is empty." in err


def test_labels_that_came_as_drafts_can_be_accepted_by_importing_them_again(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", (20, 20)).save(tmp_path / "scan.png")
    (tmp_path / "data.jsonl").write_text(dataset_line("scan.png", "a label"))
    command = ["workspace", "import", str(root), str(tmp_path / "data.jsonl")]
    assert main(command) == 0
    assert main([*command, "--accepted"]) == 0
    assert "1 page had the same label already; 1 of them accepted now." in capsys.readouterr().out
    with Workspace.open(root) as ws:
        assert ws.pages.counts()[PageStatus.ACCEPTED] == 1


def test_two_processes_may_import_the_same_files_at_once(root: Path, tmp_path: Path) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    for number in range(40):
        Image.new("RGB", (20, 20), (number, 0, 0)).save(folder / f"scan{number}.png")
    command = [sys.executable, "-m", "ocrstudio", "workspace", "import", str(root), str(folder)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    ended = [(*child.communicate(timeout=120), child.returncode) for child in both]
    assert [(err, status) for _, err, status in ended] == [(b"", 0), (b"", 0)]
    with Workspace.open(root) as ws:
        assert len(ws.documents.list()) == 41
        assert len(list(ws.documents_folder.iterdir())) == 41


def test_import_takes_a_password(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secret = str(short_pdf(tmp_path / "secret.pdf", ["x"], password="1234"))
    assert main(["workspace", "import", str(root), secret]) == 1
    assert main(["workspace", "import", str(root), secret, "--password", "1234"]) == 0
    assert "its copy in the workspace is not" in capsys.readouterr().err


def test_status_for_people_and_for_programs(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Workspace.open(root) as ws:
        labelling.save_edit(ws, 1, "text")
        labelling.accept(ws, 1)
    capsys.readouterr()
    assert main(["workspace", "status", str(root), "--check"]) == 0
    out = capsys.readouterr().out
    assert "1 document, 2 pages" in out
    assert "accepted    1" in out
    assert "The database is intact." in out
    assert main(["workspace", "status", str(root), "--json", "--check"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["statuses"]["accepted"] == data["statuses"]["unlabelled"] == 1
    assert data["documents"][0]["name"] == "report"
    assert data["revisions"] == {"human": 1}
    assert data["damage"] == []


def test_status_of_something_else_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["workspace", "status", str(tmp_path)]) == 1
    assert "is not a workspace" in capsys.readouterr().err


def test_label_then_export_then_import_again(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["workspace", "label", str(root)]) == 0
    assert "2 pages drafted by offline, 0 failed." in capsys.readouterr().out
    with Workspace.open(root) as ws:
        assert ws.pages.counts()[PageStatus.DRAFT] == 2
        done = labelling.accept_many(ws, [1, 2])
        assert done.skipped == ()
    assert main(["workspace", "label", str(root)]) == 0
    assert "nothing to label" in capsys.readouterr().out
    assert main(["workspace", "export", str(root), "--eval-fraction", "0.5", "--dpi", "72"]) == 0
    out, err = capsys.readouterr()
    assert "1 sample for training" in out
    assert "1 sample for evaluation" in out
    assert "one document" in err
    exported = root / "exports" / "markdown" / "train.jsonl"
    assert read_dataset(exported, strict=True).samples[0].prompt.startswith("<image>\n")
    assert main(["workspace", "import", str(root), str(exported)]) == 0


def test_label_says_the_providers_sentence_and_touches_no_page(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with OpenAiServer() as server:
        server.fail_always("error", (402, {"error": {"message": "Insufficient Balance"}}))
        teacher = tmp_path / "teacher.yaml"
        teacher.write_text(f"type: api\napi:\n  base_url: {server.base_url}\n")
        assert main(["workspace", "label", str(root), "--teacher", str(teacher)]) == 1
        assert len(server.requests) == 1
    out, error = capsys.readouterr()
    assert "Stopped before the first page was through: " in error
    assert "Insufficient Balance. 2 pages were not tried." in error
    assert "0 pages drafted by api:deepseek-ocr, 0 failed, 2 not reached." in out
    with Workspace.open(root) as ws:
        assert ws.pages.counts()[PageStatus.UNLABELLED] == 2


def test_label_names_the_documents_when_there_is_no_such_one(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["workspace", "label", str(root), "--document", "reprot"]) == 2
    assert "Documents: report" in capsys.readouterr().err


def test_export_without_accepted_pages_says_so(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["workspace", "export", str(root)]) == 1
    assert "no page that is accepted has a label" in capsys.readouterr().err


def test_status_measures_the_drafts_of_teachers(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["workspace", "status", str(root), "--teachers"]) == 0
    assert "nothing to measure" in capsys.readouterr().out
    with Workspace.open(root) as ws:
        labelling.add_draft(ws, 1, NewRevision("tezt", "teacher:offline", "markdown"))
        labelling.save_edit(ws, 1, "text")
        labelling.accept(ws, 1)
    assert main(["workspace", "status", str(root), "--teachers"]) == 0
    line = capsys.readouterr().out.splitlines()[-1].split()
    assert line == ["teacher", "offline", "markdown", "1", "0", "25.00%", "100.00%"]
    assert main(["workspace", "status", str(root), "--teachers", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["teachers"][0]["cer"] == 0.25
