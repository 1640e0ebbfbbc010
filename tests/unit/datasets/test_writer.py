import os
import subprocess
import sys
from pathlib import Path

import pytest

from ocrstudio.datasets import DatasetRecord, read_dataset
from ocrstudio.datasets.writer import Entry, read_manifest, write_dataset
from ocrstudio.domain.errors import DatasetError


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "cache" / "page.png"
    path.parent.mkdir()
    path.write_bytes(b"a picture")
    return path


def entry(picture: Path, name: str = "a_p1", answer: str = "text") -> Entry:
    return Entry(DatasetRecord("<image>\nFree OCR.", f"images/{name}.png", answer), picture)


def hidden(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def test_what_is_written_can_be_read_and_verified(tmp_path: Path, picture: Path) -> None:
    target = tmp_path / "new" / "out"
    manifest = write_dataset(target, {"train.jsonl": [entry(picture)]}, {"task": "markdown"})
    picture.unlink()  # the dataset does not need the cache
    assert read_dataset(target / "train.jsonl").samples[0].image.read_bytes() == b"a picture"
    assert read_manifest(target) == manifest
    assert set(manifest["files"]) == {"train.jsonl", "images/a_p1.png"}
    assert (manifest["version"], manifest["task"]) == (1, "markdown")
    assert hidden(target.parent) == []


def test_a_failure_in_the_middle_leaves_the_earlier_export(tmp_path: Path, picture: Path) -> None:
    target = tmp_path / "out"
    write_dataset(target, {"train.jsonl": [entry(picture)]}, {})
    before = {path: path.read_bytes() for path in target.rglob("*") if path.is_file()}
    for broken in (
        [entry(picture), entry(tmp_path / "missing.png", "b_p1")],
        [entry(picture), entry(picture)],  # both want one name
    ):
        with pytest.raises(DatasetError):
            write_dataset(target, {"train.jsonl": broken}, {})
    assert {path: path.read_bytes() for path in target.rglob("*") if path.is_file()} == before
    assert hidden(tmp_path) == []


def test_a_folder_of_somebody_else_is_never_replaced(tmp_path: Path, picture: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("years of work")
    with pytest.raises(DatasetError, match="not an exported dataset"):
        write_dataset(tmp_path / "thesis", {"train.jsonl": [entry(picture)]}, {})
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match="is a file"):
        write_dataset(tmp_path / "file", {"train.jsonl": [entry(picture)]}, {})
    assert (tmp_path / "thesis" / "chapter.tex").read_text() == "years of work"


def test_files_and_changes_within_an_export_are_not_thrown_away(tmp_path: Path, picture: Path) -> None:
    target = tmp_path / "out"
    write_dataset(target, {"train.jsonl": [entry(picture)]}, {})
    (target / "notes.md").write_text("mine")
    with pytest.raises(DatasetError, match=r"did not write: notes\.md"):
        write_dataset(target, {"train.jsonl": [entry(picture)]}, {})
    (target / "notes.md").unlink()
    (target / "train.jsonl").write_text("corrected by hand")
    with pytest.raises(DatasetError, match="changed after it was exported"):
        write_dataset(target, {"train.jsonl": [entry(picture)]}, {})
    assert (target / "train.jsonl").read_text() == "corrected by hand"


DIES_WHILE_SWAPPING = """
import os, sys
from pathlib import Path
from ocrstudio.datasets import DatasetRecord
from ocrstudio.datasets.writer import Entry, write_dataset
picture, target = Path(sys.argv[1]), Path(sys.argv[2])
rename = Path.replace
def replace(self, other):
    if str(self).endswith(".part"):
        os._exit(9)  # the old folder is out of the way, the new one not yet in place
    return rename(self, other)
Path.replace = replace
write_dataset(target, {"train.jsonl": [Entry(DatasetRecord("<image>", "images/n.png", "new"), picture)]}, {})
"""


def test_a_crash_between_two_renames_is_put_right_by_the_next_export(tmp_path: Path, picture: Path) -> None:
    target = tmp_path / "out"
    write_dataset(target, {"train.jsonl": [entry(picture, answer="old")]}, {})
    done = subprocess.run([sys.executable, "-c", DIES_WHILE_SWAPPING, picture, target], check=False)
    assert done.returncode == 9
    assert not target.exists()
    with pytest.raises(DatasetError):  # this one fails, but brings the old export back first
        write_dataset(target, {"train.jsonl": [entry(tmp_path / "missing.png")]}, {})
    assert read_dataset(target / "train.jsonl").samples[0].answer == "old"
    (left,) = hidden(tmp_path)
    os.utime(tmp_path / left, (0, 0))
    write_dataset(target, {"train.jsonl": [entry(picture)]}, {})
    assert hidden(tmp_path) == []


@pytest.mark.parametrize("kernel_can_copy", [True, False])
def test_editing_a_picture_of_the_dataset_leaves_the_cache_alone(
    tmp_path: Path, picture: Path, monkeypatch: pytest.MonkeyPatch, kernel_can_copy: bool
) -> None:
    def refuse(*_: object) -> int:
        raise OSError("not on this file system")

    if not kernel_can_copy:
        monkeypatch.setattr("os.copy_file_range", refuse, raising=False)
    write_dataset(tmp_path / "out", {"train.jsonl": [entry(picture)]}, {})
    exported = tmp_path / "out" / "images" / "a_p1.png"
    assert exported.read_bytes() == b"a picture"
    with exported.open("r+b") as stream:
        stream.write(b"X")
    assert picture.read_bytes() == b"a picture"
