"""A dataset in another form is the same dataset: pictures, questions and answers."""

import json
from pathlib import Path

import pytest
from PIL import Image

from ocrstudio.datasets import Dataset, read_dataset
from ocrstudio.datasets.convert import WRITTEN, convert_dataset
from ocrstudio.domain.errors import DatasetError


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCRSTUDIO_STATE_DIR", str(tmp_path / "state"))


def dataset(folder: Path, *, conversation: bool = False) -> Dataset:
    for name, colour in (("a/p_p1.png", "red"), ("b/p_p1.png", "blue")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4), colour).save(folder / name)
    rows = [{"image": name, "text": f"# {name}\n\nText"} for name in ("a/p_p1.png", "b/p_p1.png")]
    lines = [json.dumps(row) for row in rows]
    if conversation:
        spoken = ["<image> and <image>?", "A", "Why?", "B"]
        tags = [{"from": ("human", "gpt")[place % 2], "value": text} for place, text in enumerate(spoken)]
        lines.append(json.dumps({"conversations": tags, "images": ["b/p_p1.png", "a/p_p1.png"]}))
    (folder / "d.jsonl").write_text("\n".join(lines), "utf-8")
    return read_dataset(folder / "d.jsonl", strict=True)


def content(found: Dataset) -> list[object]:
    return [([image.read_bytes() for image in sample.images], sample.turns) for sample in found.samples]


@pytest.mark.parametrize("word", sorted(WRITTEN))
def test_every_form_that_is_written_is_read_back(tmp_path: Path, word: str) -> None:
    source = dataset(tmp_path)
    done = convert_dataset(source, tmp_path / "new", word)
    assert (done.samples, done.left_out) == (2, ())
    again = read_dataset(done.file, strict=True)
    if word == "pages":  # in the order of the names, and a folder of Markdown asks for Markdown
        found = {(sample.image.read_bytes(), sample.answer) for sample in again.samples}
        assert found == {(sample.image.read_bytes(), sample.answer) for sample in source.samples}
    else:
        assert content(again) == content(source), "two pictures of one name stay two"
    if word == "imagefolder":
        assert read_dataset(tmp_path / "new").read_as == "read as an image folder with metadata"


@pytest.mark.parametrize("word", sorted(set(WRITTEN) - {"pages", "imagefolder"}))
def test_several_pictures_and_turns_survive(tmp_path: Path, word: str) -> None:
    source = dataset(tmp_path, conversation=True)
    done = convert_dataset(source, tmp_path / "new", word)
    again = read_dataset(done.file, strict=True)
    assert [pictures for pictures, _ in content(again)] == [pictures for pictures, _ in content(source)]
    assert [turn.answer for turn in again.samples[2].turns] == ["A", "B"]
    assert again.samples[2].prompt.count("<image>") == 2


@pytest.mark.parametrize("word", ["pages", "imagefolder"])
def test_what_a_form_cannot_hold_is_named(tmp_path: Path, word: str) -> None:
    done = convert_dataset(dataset(tmp_path, conversation=True), tmp_path / "new", word)
    assert done.samples == 2
    assert [place for place, _ in done.left_out] == ["Line 3"]
    assert len(list((tmp_path / "new").rglob("*.png"))) == 2


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "mine.txt").touch()
    with pytest.raises(DatasetError, match="not empty"):
        convert_dataset(dataset(tmp_path), tmp_path / "new", "llava")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["mine.txt"]
    assert not list(tmp_path.glob(".new*"))
