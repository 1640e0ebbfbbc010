"""Statistics of a dataset, with the tokenizer of the built-in reader and without any."""

import json
import sys

import pytest
from PIL import Image

from ocrstudio.imaging.presets import ImagePreset
from ocrstudio.services.dataset_statistics import check_dataset_file, token_counter


@pytest.fixture
def write(tmp_path):
    """Writes answers as a dataset; pictures of the same number are the same."""

    def make(answers, name="data.jsonl", pictures=None):
        lines = []
        for number, answer in enumerate(answers, start=1):
            picture = f"page_p{pictures[number - 1] if pictures else number}.png"
            shade = int(picture[6:-4])
            Image.new("RGB", (300, 200), (shade, 0, 0)).save(tmp_path / picture)
            user = {"role": "<|User|>", "content": "<image>\nFree OCR.", "images": [picture]}
            lines.append(json.dumps({"messages": [user, {"role": "<|Assistant|>", "content": answer}]}))
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return make


def test_lengths_are_tokens_of_the_student_and_every_answer_is_in_one_bar(write):
    answers = ["x", "total amount", *["north street, page number " * n for n in range(1, 9)]]
    lengths = check_dataset_file(write(answers)).lengths
    count = token_counter("reader")
    expected = sorted(map(count, answers))
    assert lengths.unit == "tokens"
    assert (lengths.shortest, lengths.longest) == (expected[0], expected[-1])
    assert lengths.median == expected[len(expected) // 2]
    for bucket in lengths.histogram:
        assert bucket.count == sum(bucket.first <= length <= bucket.last for length in expected)
    assert sum(bucket.count for bucket in lengths.histogram) == len(answers)
    assert len(lengths.histogram) <= 12


@pytest.mark.parametrize("missing", ["package", "folder"])
def test_characters_are_counted_where_there_is_no_tokenizer(write, tmp_path, monkeypatch, missing):
    if missing == "package":
        monkeypatch.setitem(sys.modules, "tokenizers", None)
    model = "reader" if missing == "package" else str(tmp_path / "absent")
    check = check_dataset_file(write(["abc", "abcde"]), model=model, image=ImagePreset(64, 64, False))
    assert (check.lengths.unit, check.lengths.shortest, check.lengths.longest) == ("characters", 3, 5)
    assert "truncated" not in check.counts


def test_samples_that_training_leaves_out_are_those_of_the_preflight(write):
    """The limit counts picture, question and answer, as the student's own processor does."""
    path = write(["short", "north street " * 40])
    image = ImagePreset(64, 64, False)
    count = token_counter("reader")
    views = 1 * (1 + 1) + 1  # one row of one placeholder and its newline, and the separator
    longest = views + count("\nFree OCR.") + count("north street " * 40) + 2
    check = check_dataset_file(path, image=image, max_length=longest)
    assert check.counts["truncated"] == 0
    assert check_dataset_file(path, image=image, max_length=longest - 1).counts["truncated"] == 1


def test_duplicates_contradictions_and_endless_answers_are_counted(write):
    check = check_dataset_file(
        write(["a", "a", "b", "c", "once\n" + "again and again\n" * 60], pictures=[1, 1, 2, 2, 3])
    )
    assert (check.counts["duplicate"], check.counts["conflict"], check.counts["runaway"]) == (1, 1, 1)
    assert "page_p2.png" in check.findings[0]  # a contradiction weighs more than a duplicate
    assert check.documents == 1


@pytest.mark.parametrize("content", ["header", "half a JPEG"])
def test_a_picture_that_cannot_be_opened_is_counted_and_named(write, tmp_path, content):
    path = write(["one", "two", "three"])
    if content == "header":
        (tmp_path / "page_p2.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    else:
        Image.effect_noise((300, 200), 50).save(tmp_path / "page_p2.png", "JPEG")
        whole = (tmp_path / "page_p2.png").read_bytes()
        (tmp_path / "page_p2.png").write_bytes(whole[: len(whole) // 2])
    check = check_dataset_file(path, image=ImagePreset(64, 64, False), max_length=100)
    assert check.counts["unreadable"] == 1
    assert check.findings == ("page_p2.png: a picture that cannot be opened (line 2)",)
