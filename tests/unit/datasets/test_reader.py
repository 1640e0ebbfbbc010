import json
import unicodedata
from pathlib import Path

import pytest

from ocrstudio.datasets import Dataset, DatasetRecord, ProblemKind, read_dataset, rows
from ocrstudio.domain.errors import DatasetError


def line(
    content: str = "<image>\nFree OCR.", images: object = ("p.png",), answer: object = "text", **roles: str
) -> str:
    user = {"role": roles.get("user", "<|User|>"), "content": content, "images": images}
    assistant = {"role": roles.get("assistant", "<|Assistant|>"), "content": answer}
    return json.dumps({"messages": [user, assistant]})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "p.png").touch()
    return tmp_path


def read(folder: Path, content: str | bytes, **options: bool) -> Dataset:
    path = folder / "d.jsonl"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_dataset(path, **options)


def test_a_good_line_becomes_a_sample(folder: Path) -> None:
    dataset = read(folder, line(answer="# Ä\n\n한국어") + "\n")
    (sample,) = dataset.samples
    assert (sample.image, sample.image_name, sample.line) == (folder / "p.png", "p.png", 1)
    assert (sample.prompt, sample.answer) == ("<image>\nFree OCR.", "# Ä\n\n한국어")
    assert dataset.problems == ()
    assert dataset.summary() == "1 sample"


def test_the_toolkits_own_example_is_read(folder: Path) -> None:
    example = (
        '{"messages": [{"role": "<|User|>", "content": "<image>\\nConvert this document to markdown.", '
        '"images": ["p.png"]}, {"role": "<|Assistant|>", "content": "# Title\\n\\nContent..."}]}'
    )
    assert read(folder, example).samples[0].answer == "# Title\n\nContent..."
    assert (
        DatasetRecord(
            "<image>\nConvert this document to markdown.", "p.png", "# Title\n\nContent..."
        ).to_json()
        == example
    )


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        ("{not json", ProblemKind.NOT_JSON),
        ("[" * 100_000, ProblemKind.NOT_JSON),
        ('{"messages": ' + "7" * 5000 + "}", ProblemKind.NOT_JSON),
        (line(answer="half \ud83d"), ProblemKind.NOT_UTF8),
        (line(images=["p\udcff.png"]), ProblemKind.NOT_UTF8),
        ("7", ProblemKind.UNKNOWN_FORM),
        ("{}", ProblemKind.UNKNOWN_FORM),
        ('{"messages": ["a"]}', ProblemKind.NO_MESSAGES),
        ('{"messages": []}', ProblemKind.WRONG_TURNS),
        (line(user="<|Assistant|>"), ProblemKind.WRONG_TURNS),
        (json.dumps({"messages": json.loads(line())["messages"][:1]}), ProblemKind.WRONG_TURNS),
        (line(user="tool"), ProblemKind.UNKNOWN_ROLE),
        (line(assistant="<|System|>"), ProblemKind.WRONG_TURNS),
        (line(content="<image><image>"), ProblemKind.PICTURE_COUNT),
        (line(images=[]), ProblemKind.NO_IMAGE),
        (line(images=7), ProblemKind.NO_IMAGE),
        (line(images="https://example.org/p.png"), ProblemKind.BAD_IMAGE),
        (line(images=["gone.png"]), ProblemKind.MISSING_IMAGE),
        (line(images=["\x00"]), ProblemKind.MISSING_IMAGE),
        (line(answer=" \n"), ProblemKind.EMPTY_ANSWER),
        (line(answer=None), ProblemKind.NO_MESSAGES),
    ],
)
def test_a_bad_line_is_named_and_the_others_are_kept(folder: Path, bad: str, kind: ProblemKind) -> None:
    content = f"{line()}\n{bad}\n{line()}\n"
    dataset = read(folder, content)
    assert [sample.line for sample in dataset.samples] == [1, 3]
    assert [(problem.line, problem.kind) for problem in dataset.problems] == [(2, kind)]
    assert str(dataset.problems[0]).startswith("Line 2: ")
    assert dataset.summary() == f"2 samples; 1 line skipped ({kind.value}: 1)"
    with pytest.raises(DatasetError, match=r"d\.jsonl, line 2: "):
        read(folder, content, strict=True)


def test_bytes_that_are_not_utf8_cost_only_their_line(folder: Path) -> None:
    dataset = read(folder, line().encode() + b"\n" + line(answer="\xe4").encode("latin-1") + b"\xe4\n")
    assert [problem.kind for problem in dataset.problems] == [ProblemKind.NOT_UTF8]
    assert len(dataset.samples) == 1


def test_a_byte_order_mark_and_blank_lines_cost_nothing(folder: Path) -> None:
    dataset = read(folder, b"\xef\xbb\xbf" + line().encode() + b"\r\n\r\n" + line().encode(), strict=True)
    assert [sample.line for sample in dataset.samples] == [1, 3]
    assert [problem.kind for problem in dataset.problems] == [
        ProblemKind.BYTE_ORDER_MARK,
        ProblemKind.BLANK_LINE,
    ]
    assert dataset.skipped == 0


def test_a_huge_line_is_not_kept_in_memory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MAX_LINE_BYTES", 1000)
    dataset = read(folder, f"{line()}\n{line(answer='x' * 5000)}\n{line()}")
    assert [sample.line for sample in dataset.samples] == [1, 3]
    assert [(problem.line, problem.kind) for problem in dataset.problems] == [(2, ProblemKind.TOO_LONG)]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (line().encode("utf-16"), "UTF-16"),
        (f"[{line()}".encode(), "is not valid JSON at line 1"),
    ],
)
def test_a_file_that_is_no_dataset_is_one_sentence(folder: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(DatasetError, match=sentence):
        read(folder, content)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"nowhere\.jsonl cannot be read: No such file"):
        read_dataset(tmp_path / "nowhere.jsonl")


def test_pictures_are_found_beside_the_file_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    beside, elsewhere = tmp_path / "data", tmp_path / "here"
    for folder in (beside, elsewhere):
        (folder / "images").mkdir(parents=True)
        (folder / "images" / "both.png").touch()
    (elsewhere / "cwd.png").touch()
    monkeypatch.chdir(elsewhere)
    absolute = str(elsewhere / "cwd.png")
    names = ["images/both.png", "cwd.png", absolute, "images\\both.png"]
    dataset = read(beside, "\n".join(line(images=[name]) for name in names))
    assert [sample.image for sample in dataset.samples] == [
        beside / "images" / "both.png",
        elsewhere / "cwd.png",
        elsewhere / "cwd.png",
        beside / "images" / "both.png",
    ]


def test_a_name_with_control_characters_stays_on_one_line(folder: Path) -> None:
    (problem,) = read(folder, line(images=["a\n\x1b[31m.png"])).problems
    assert str(problem).startswith(r"Line 1: the image 'a\n\x1b[31m.png' is neither in")


@pytest.mark.parametrize(("on_disk", "in_line"), [("NFD", "NFC"), ("NFC", "NFD")])
@pytest.mark.parametrize(
    "name", ["Capture_décran_p1.png", "한글보고서_p1.png", "Abzüge/für Ämter/été_p1.png"]
)
def test_a_picture_is_found_by_its_name_in_another_unicode_form(
    tmp_path: Path, name: str, on_disk: str, in_line: str
) -> None:
    picture = tmp_path / unicodedata.normalize(on_disk, name)
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.touch()
    asked = unicodedata.normalize(in_line, name)
    dataset = read(tmp_path, line(images=[asked]) + "\n" + line(images=[asked.replace("/", "\\")]))
    assert [sample.image for sample in dataset.samples] == [picture, picture]
    assert dataset.samples[0].image_name == asked


def test_the_exact_name_wins_over_another_form(tmp_path: Path) -> None:
    for form in ("NFC", "NFD"):
        (tmp_path / unicodedata.normalize(form, "é.png")).touch()
    if len(list(tmp_path.iterdir())) == 1:
        pytest.skip("this file system takes both names for one")
    for form in ("NFC", "NFD"):
        asked = unicodedata.normalize(form, "é.png")
        assert read(tmp_path, line(images=[asked])).samples[0].image.name == asked


def test_a_picture_that_is_not_there_in_any_form_is_named(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    names = ["images/é.png", "nowhere/é.png", "../../é.png", "/é.png", "a\0é.png", "é" * 300]
    dataset = read(tmp_path, "\n".join(line(images=[name]) for name in names))
    assert [problem.kind for problem in dataset.problems] == [ProblemKind.MISSING_IMAGE] * len(names)


def test_an_empty_answer_is_a_problem_in_training_and_a_blank_page_in_an_evaluation(folder: Path) -> None:
    content = line() + "\n" + line(answer=" ") + "\n"
    assert [problem.kind for problem in read(folder, content).problems] == [ProblemKind.EMPTY_ANSWER]
    measured = read(folder, content, blank_pages=True, strict=True)
    assert [sample.answer for sample in measured.samples] == ["text", " "]
