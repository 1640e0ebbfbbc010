"""``ocrstudio synthesise``: a dataset that train and evaluate read."""

from pathlib import Path

import numpy as np
import pytest
import ziafont
from PIL import Image

from ocrstudio.cli.main import main
from ocrstudio.datasets.reader import read_dataset

TEXT = "The quick brown fox jumps over the lazy dog while seven wizards vex a jovial queen. " * 3


@pytest.fixture
def text(tmp_path):
    file = tmp_path / "text.txt"
    file.write_text(TEXT + "One hundred and twenty pages were copied by hand.", encoding="utf-8")
    return file


def test_pages_with_labels_are_written(tmp_path, text, capsys):
    target = tmp_path / "out"
    assert (
        main(
            [
                "synthesise",
                "--text",
                str(text),
                "--output",
                str(target),
                "--pages",
                "3",
                "--evaluation-pages",
                "2",
                "--dpi",
                "72",
            ]
        )
        == 0
    )
    assert "5 pages with" in capsys.readouterr().out
    train, held_out = read_dataset(target / "train.jsonl"), read_dataset(target / "eval.jsonl")
    assert (len(train.samples), len(held_out.samples)) == (3, 2)
    assert not train.problems
    assert len({sample.answer for sample in (*train.samples, *held_out.samples)}) == 5
    with Image.open(train.samples[0].image) as picture:
        assert picture.size == (298, 420)
        assert np.asarray(picture).min() < 120


def test_a_font_without_a_bold_face_gets_labels_without_bold(tmp_path, text):
    font = Path(ziafont.__file__).parent / "fonts" / "DejaVuSans.ttf"
    command = ["synthesise", "--text", str(text), "--pages", "6", "--evaluation-pages", "0", "--dpi", "60"]
    assert main([*command, "--output", str(tmp_path / "a")]) == 0
    assert main([*command, "--output", str(tmp_path / "b"), "--font", str(font)]) == 0
    labels = {
        name: "".join(sample.answer for sample in read_dataset(tmp_path / name / "train.jsonl").samples)
        for name in ("a", "b")
    }
    assert "**" in labels["a"]  # the built-in face has one
    assert "**" not in labels["b"]


def test_the_same_seed_writes_the_same_pages(tmp_path, text):
    for name in ("a", "b"):
        options = [
            "--output",
            str(tmp_path / name),
            "--pages",
            "2",
            "--evaluation-pages",
            "0",
            "--dpi",
            "60",
            "--degrade",
            "strong",
        ]
        assert main(["synthesise", "--text", str(text), *options]) == 0
    for file in ("train.jsonl", "images/written_p1.png", "images/written_p2.png"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    assert not (tmp_path / "a" / "eval.jsonl").exists()


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path, text, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("precious", encoding="utf-8")
    assert (
        main(
            [
                "synthesise",
                "--text",
                str(text),
                "--output",
                str(tmp_path / "out"),
                "--pages",
                "1",
                "--dpi",
                "60",
            ]
        )
        == 1
    )
    assert "out" in capsys.readouterr().err
    assert [entry.name for entry in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_a_folder_without_fonts_is_named(tmp_path, text, capsys):
    (tmp_path / "fonts").mkdir()
    assert (
        main(
            [
                "synthesise",
                "--text",
                str(text),
                "--font",
                str(tmp_path / "fonts"),
                "--output",
                str(tmp_path / "out"),
            ]
        )
        == 1
    )
    assert "holds no font" in capsys.readouterr().err
