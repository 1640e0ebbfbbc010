"""Predictions of other programs, measured on a real dataset folder."""

import json

import pytest
from PIL import Image

from ocrstudio.cli.main import main
from ocrstudio.datasets import DatasetRecord
from ocrstudio.domain.errors import DatasetError
from ocrstudio.evaluation.report import read
from ocrstudio.services.foreign_predictions import evaluate_predictions

PAGES = {"report_p1": "one two three", "report_p2": "four five six", "letter_p1": "seven"}


def write_lines(path, texts, folder="images", ending="png"):
    records = [
        DatasetRecord("<image>\nRead.", f"{folder}/{name}.{ending}", text) for name, text in texts.items()
    ]
    path.write_text("".join(f"{record.to_json()}\n" for record in records), encoding="utf-8")
    return path


@pytest.fixture
def dataset(tmp_path):
    (tmp_path / "images").mkdir()
    for name in PAGES:
        Image.new("RGB", (8, 8)).save(tmp_path / "images" / f"{name}.png")
    return write_lines(tmp_path / "eval.jsonl", PAGES)


def test_a_file_of_infer_is_measured_by_the_names_of_its_pictures(dataset, tmp_path):
    texts = {**PAGES, "report_p1": "one too three", "other_p1": "not asked"}
    predictions = write_lines(tmp_path / "results.jsonl", texts, folder="/elsewhere", ending="jpg")
    measured = evaluate_predictions(dataset, predictions, tmp_path / "results.json")
    assert measured.report.overall.cer.corpus == pytest.approx(1 / 31)
    assert measured.report.overall.missing == 0
    assert measured.remarks == ("1 of the predictions in results.jsonl belong to no page of the dataset.",)
    kept = read(tmp_path / "results.json")
    assert [(page.document, page.page, page.cer > 0) for page in kept.pages] == [
        ("report", 1, True),
        ("report", 2, False),
        ("letter", 1, False),
    ]


def test_a_folder_of_markdown_is_measured_and_missing_pages_count(dataset, tmp_path):
    folder = tmp_path / "markdown"
    folder.mkdir()
    (folder / "report_p1.md").write_text("one two three\n", encoding="utf-8")
    (folder / "report_p2.md").write_text("four five six", encoding="utf-8")
    (folder / "notes.bin").write_bytes(b"\xff")
    overall = evaluate_predictions(dataset, folder, tmp_path / "results.json").report.overall
    assert (overall.pages, overall.missing) == (3, 1)
    assert overall.cer.corpus == pytest.approx(5 / 31)


def test_what_does_not_belong_together_is_said(dataset, tmp_path):
    other = write_lines(tmp_path / "other.jsonl", {"unknown_p1": "x"})
    with pytest.raises(DatasetError, match=r"No prediction in .* has the name of a page"):
        evaluate_predictions(dataset, other, tmp_path / "results.json")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DatasetError, match="holds no prediction"):
        evaluate_predictions(dataset, empty, tmp_path / "results.json")
    broken = tmp_path / "broken.jsonl"
    broken.write_text("\n{", encoding="utf-8")
    with pytest.raises(DatasetError, match="line 2: the line is not valid JSON"):
        evaluate_predictions(dataset, broken, tmp_path / "results.json")
    twice = tmp_path / "twice.jsonl"
    twice.write_text(other.read_text() + other.read_text().replace('"x"', '"y"'), encoding="utf-8")
    with pytest.raises(DatasetError, match="two predictions called unknown_p1"):
        evaluate_predictions(dataset, twice, tmp_path / "results.json")
    assert not (tmp_path / "results.json").exists()


def test_the_command_prints_the_figures_and_refuses_a_student(dataset, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    predictions = write_lines(tmp_path / "results.jsonl", {**PAGES, "letter_p1": "eleven"})
    arguments = ["evaluate", "--dataset", str(dataset), "--predictions", str(predictions)]
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert "3 pages" in out
    assert f"{2 / 31:.2%}" in out
    assert json.loads((tmp_path / "results.json").read_text())["overall"]["pages"] == 3
    assert main([*arguments, "--model", "micro", "--set", "evaluation.max_tokens=9"]) == 2
    refused = capsys.readouterr().err
    assert "--model" in refused
    assert "--set" in refused
