"""``ocrstudio dataset``, and the commands that take datasets of other programs."""

import json
from pathlib import Path

import pytest
from PIL import Image

from ocrstudio.cli.main import main
from ocrstudio.domain.document import PageStatus
from ocrstudio.domain.label import IMPORT
from ocrstudio.store import Workspace


@pytest.fixture(autouse=True)
def no_settings_of_the_user(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_CONFIG_HOME", "OCRSTUDIO_STATE_DIR"):
        monkeypatch.setenv(name, str(tmp_path_factory.mktemp(name.lower())))


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """A folder of three pages, two of them with a text."""
    folder = tmp_path / "pages"
    folder.mkdir()
    for name, colour in (("a", "red"), ("b", "blue"), ("c", "green")):
        Image.new("RGB", (40, 30), colour).save(folder / f"{name}.png")
    (folder / "a.md").write_text("# A", "utf-8")
    (folder / "b.txt").write_text("B", "utf-8")
    return folder


def test_the_forms_are_listed_with_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dataset", "forms"]) == 0
    out = capsys.readouterr().out
    assert "LLaVA conversations (convert --to llava)\n    [{" in out
    assert "ALTO XML\n    p.xml with <alto>" in out


def test_convert_says_what_it_read_wrote_and_left_out(
    pages: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dataset", "convert", str(pages), str(tmp_path / "new"), "--to", "llava"]) == 1
    out, err = capsys.readouterr()
    assert "2 samples, read as a folder of pages; 1 page skipped" in out
    assert f"Wrote 2 samples as LLaVA conversations: {tmp_path / 'new' / 'data.json'}" in out
    assert "c.png: there is no c.md or c.txt beside it." in err
    first = json.loads((tmp_path / "new" / "data.json").read_text("utf-8"))[0]
    assert (first["image"], first["conversations"][1]) == ("images/a.png", {"from": "gpt", "value": "# A"})


def test_inspect_names_the_form_and_takes_columns(pages: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "--dataset", str(pages), "--model", "micro"]) == 0
    assert "2 samples, read as a folder of pages" in capsys.readouterr().out
    (pages / "d.csv").write_text("scan,reading\na.png,Red\n", "utf-8")
    assert main(["inspect", "--dataset", str(pages / "d.csv"), "--model", "micro"]) == 1
    err = capsys.readouterr().err
    assert "its keys are of no known form (scan, reading)" in err
    assert '"from": "gpt"' in err
    columns = ["--image-key", "scan", "--text-key", "reading"]
    assert main(["inspect", "--dataset", str(pages / "d.csv"), "--model", "micro", *columns]) == 0
    assert "1 sample, read as the columns that were named" in capsys.readouterr().out
    assert main(["inspect", "--dataset", str(pages / "d.csv"), "--model", "micro", *columns[:2]]) == 1
    assert "--text-key for its text" in capsys.readouterr().err


def test_a_folder_of_pages_becomes_labels_that_are_imports(
    pages: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "ws"
    assert main(["workspace", "new", str(root)]) == 0
    assert main(["workspace", "import", str(root), str(pages)]) == 1
    out, err = capsys.readouterr()
    assert "Imported 2 labels from pages (read as a folder of pages)" in out
    assert "c.png: there is no c.md or c.txt beside it." in err
    with Workspace.open(root) as ws:
        found = {}
        for row in ws.pages.list():
            revision = ws.labels.current(row.page.id)
            found[row.document_name] = None if revision is None else (revision.text, revision.source)
            assert row.page.status is not PageStatus.ACCEPTED
    assert found == {"a": ("# A", IMPORT), "b": ("B", IMPORT), "c": None}, (
        "a page without text is a page, too"
    )


def test_samples_of_several_pictures_are_no_labels(
    pages: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoken = [{"role": "user", "content": "Same?"}, {"role": "assistant", "content": "No"}]
    rows = [{"messages": spoken, "images": images} for images in (["a.png"], ["a.png", "b.png"])]
    (pages / "d.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    assert main(["workspace", "new", str(tmp_path / "ws")]) == 0
    assert main(["workspace", "import", str(tmp_path / "ws"), str(pages / "d.jsonl")]) == 1
    out, err = capsys.readouterr()
    assert "Imported 1 label from d.jsonl (read as messages with a list of images" in out
    assert "Line 2: it has 2 pictures, and one is wanted here." in err


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_train_and_evaluate_say_what_they_read(
    pages: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    (pages / "d.csv").write_text("scan,reading\ngone.png,Red\n", "utf-8")
    output = str(tmp_path / ("out" if command == "train" else "out.json"))
    asked = [command, "--dataset", str(pages / "d.csv"), "--model", "micro", "--output", output]
    assert main([*asked, "--image-key", "scan", "--text-key", "reading"]) == 1
    assert "Line 2: the image gone.png is neither in" in capsys.readouterr().err
    assert main(asked) == 1
    assert "is in no form that is known" in capsys.readouterr().err
