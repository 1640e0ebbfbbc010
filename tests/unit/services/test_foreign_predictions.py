"""Predictions of other programs, measured on a real dataset folder."""

import json
import unicodedata

import pytest
from PIL import Image

from ocrstudio.cli.main import main
from ocrstudio.datasets import DatasetRecord
from ocrstudio.domain.errors import DatasetError
from ocrstudio.evaluation.report import read
from ocrstudio.services import foreign_predictions
from ocrstudio.settings.train import load_train_config


def evaluate_predictions(dataset, predictions, output, strict=False, **scoring):
    overrides = {f"scoring.{key}": value for key, value in scoring.items()}
    config = load_train_config(None, overrides).scoring
    return foreign_predictions.evaluate_predictions(dataset, predictions, output, config, strict=strict)


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
    assert "--set evaluation.max_tokens" in refused


def test_the_profile_is_stated_and_blocks_are_shown(dataset, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shown = {**PAGES, "letter_p1": "**Seven**"}
    predictions = write_lines(tmp_path / "results.jsonl", shown)
    arguments = ["evaluate", "--dataset", str(dataset), "--predictions", str(predictions)]
    assert main([*arguments, "--profile", "text", "--set", "scoring.fold_case=true"]) == 0
    out = capsys.readouterr().out
    assert "profile text, changed" in out
    assert "case folded" in out
    assert "text edit distance, block by block" in out
    assert "edit distance of the reading order" in out
    kept = json.loads((tmp_path / "results.json").read_text())
    assert (kept["profile"]["name"], kept["overall"]["cer"]["corpus"]) == ("text", 0)
    assert (kept["overall"]["order_edit"], kept["overall"]["missing_blocks"]) == (0, 0)
    assert main([*arguments, "--profile", "loud"]) == 2


def infer_folder(tmp_path, texts):
    """What ``infer --format md`` leaves: one file a document, and its journal."""
    folder = tmp_path / "labelled"
    folder.mkdir()
    lines = [json.dumps({"version": 1, "made_with": {}})]
    for name, text in texts.items():
        document, _, number = name.rpartition("_p")
        label = {"id": f"/somewhere/{document}.pdf#{int(number) - 1}@12.34", "text": text, "flags": []}
        if text is not None:
            lines.append(json.dumps(label))
        with (folder / f"{document}.md").open("a", encoding="utf-8") as stream:
            stream.write(f"{text if text is not None else f'<!-- Page {number}: no answer -->'}\n\n")
    (folder / ".ocrstudio-infer.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_merged_documents_of_infer_are_measured_page_by_page(dataset, tmp_path):
    folder = infer_folder(tmp_path, {**PAGES, "report_p2": None})
    measured = evaluate_predictions(dataset, folder, tmp_path / "results.json")
    pages = measured.report.pages
    assert [page.prediction for page in pages] == ["one two three", None, "seven"]
    assert (pages[1].error, pages[1].flags) == ("no answer", ("missing",))
    assert measured.remarks == ()


def test_pictures_of_infer_are_found_by_their_names(dataset, tmp_path):
    folder = infer_folder(tmp_path, {"report_p1": "one two three"})
    journal = folder / ".ocrstudio-infer.jsonl"
    journal.write_text(
        journal.read_text().replace("/report.pdf#0", "/images/report_p1.png#0"), encoding="utf-8"
    )
    measured = evaluate_predictions(dataset, folder, tmp_path / "results.json")
    assert [page.prediction for page in measured.report.pages] == ["one two three", None, None]
    assert measured.remarks == ()


def test_a_merged_document_without_its_journal_names_the_way_out(dataset, tmp_path):
    folder = infer_folder(tmp_path, PAGES)
    (folder / ".ocrstudio-infer.jsonl").unlink()
    with pytest.raises(DatasetError, match=r"letter\.md holds all pages of a document") as refused:
        evaluate_predictions(dataset, folder, tmp_path / "results.json")
    assert "--format jsonl" in refused.value.hint
    assert "letter_p1.md" in refused.value.hint
    (folder / "letter.md").write_text("<!-- Page 1 -->\nseven\n", encoding="utf-8")
    (folder / "report.md").write_text(
        "<!-- Page 1 -->\none two three\n\n<!-- Page 2: the server was busy -->\n", encoding="utf-8"
    )
    pages = evaluate_predictions(dataset, folder, tmp_path / "results.json").report.pages
    assert [page.prediction for page in pages] == ["one two three", None, "seven"]
    assert pages[1].error == "the server was busy"


def test_the_comment_of_a_failed_page_is_no_prediction(dataset, tmp_path):
    folder = tmp_path / "markdown"
    folder.mkdir()
    (folder / "report_p1.md").write_text("<!-- Page 1: the key was refused -->\n", encoding="utf-8")
    (folder / "report_p2.md").write_text("four five six", encoding="utf-8")
    page = evaluate_predictions(dataset, folder, tmp_path / "results.json").report.pages[0]
    assert (page.prediction, page.error, page.order_edit) == (None, "the key was refused", 1)


def test_the_list_of_infer_is_measured(dataset, tmp_path):
    records = [
        {"document": "report", "page": 1, "image": None, "text": "one two three"},
        {
            "document": "report",
            "page": 2,
            "image": None,
            "text": None,
            "error": {"message": "busy"},
        },
        {"document": "letter", "page": 1, "image": "images/letter_p1.png", "text": "seven"},
    ]
    path = tmp_path / "results.json"
    path.write_text(json.dumps(records), encoding="utf-8")
    pages = evaluate_predictions(dataset, path, tmp_path / "report.json").report.pages
    assert [page.prediction for page in pages] == ["one two three", None, "seven"]
    assert [page.error for page in pages] == ["", "busy", ""]
    path.write_text('[{"page": 1}]', encoding="utf-8")
    with pytest.raises(DatasetError, match="not a list of pages"):
        evaluate_predictions(dataset, path, tmp_path / "report.json")


def test_names_of_a_mac_belong_to_the_same_pages(tmp_path):
    names = {"Capture_d\u00e9cran_p1": "text of it", "\ud55c\uae00_p1": "other text"}
    (tmp_path / "images").mkdir()
    for name in names:
        Image.new("RGB", (8, 8)).save(tmp_path / "images" / f"{name}.png")
    dataset = write_lines(tmp_path / "eval.jsonl", names)
    folder = tmp_path / "markdown"
    folder.mkdir()
    for name, text in names.items():
        (folder / f"{unicodedata.normalize('NFD', name)}.md").write_text(text, encoding="utf-8")
    overall = evaluate_predictions(dataset, folder, tmp_path / "results.json").report.overall
    assert (overall.cer.corpus, overall.missing) == (0, 0)


def test_a_blank_page_is_measured_and_what_is_invented_there_counts(dataset, tmp_path):
    blank = write_lines(tmp_path / "blank.jsonl", {"report_p1": "one two three", "report_p2": ""})
    noise = write_lines(tmp_path / "noise.jsonl", {"report_p1": "one two three", "report_p2": "noise"})
    right = evaluate_predictions(blank, blank, tmp_path / "results.json", strict=True).report
    assert (right.overall.pages, right.overall.cer.corpus, right.overall.exact_rate) == (2, 0, 1)
    wrong = evaluate_predictions(blank, noise, tmp_path / "results.json").report
    assert wrong.overall.cer.corpus == pytest.approx(5 / 13)
    assert (wrong.pages[1].cer, wrong.pages[1].text_edit) == (1, 1)
