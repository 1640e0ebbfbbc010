"""Datasets as other programs write them: a small file of each form, from its public documentation."""

import base64
import csv
import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ocrstudio.datasets import Columns, Dataset, ProblemKind, Turn, pictures, read_dataset
from ocrstudio.datasets.convert import WRITTEN
from ocrstudio.datasets.forms import ROW_FORMS, all_forms
from ocrstudio.domain.errors import DatasetError, InputError

PROMPT = "<image>\nFree OCR."


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCRSTUDIO_STATE_DIR", str(tmp_path / "state"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "data"
    place.mkdir()
    for name in ("p.png", "q.png"):
        Image.new("RGB", (8, 8), "red" if name == "p.png" else "blue").save(place / name)
    return place


def rows(folder: Path, *entries: object, name: str = "d.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(f"{json.dumps(entry)}\n" for entry in entries), "utf-8")
    return path


def kinds(dataset: Dataset) -> list[ProblemKind]:
    return [problem.kind for problem in dataset.problems]


def messages(*texts: str, roles: tuple[str, str] = ("user", "assistant")) -> list[dict[str, Any]]:
    return [{"role": roles[place % 2], "content": text} for place, text in enumerate(texts)]


def tagged(*texts: str) -> list[dict[str, str]]:
    return [{"from": ("human", "gpt")[place % 2], "value": text} for place, text in enumerate(texts)]


def parts(image: object) -> list[dict[str, Any]]:
    asked = [image, {"type": "text", "text": "Free OCR."}]
    return [
        {"role": "user", "content": asked},
        {"role": "assistant", "content": [{"type": "text", "text": "# T"}]},
    ]


@pytest.mark.parametrize(
    ("row", "read_as"),
    [
        ({"messages": parts({"type": "image", "image": "p.png"})}, "OpenAI messages"),
        ({"messages": parts({"type": "image_url", "image_url": {"url": "p.png"}})}, "OpenAI messages"),
        ({"messages": parts({"type": "image_url", "image_url": "p.png"})}, "OpenAI messages"),
        ({"messages": parts({"type": "image"}), "images": ["p.png"]}, "messages with a list of images"),
        ({"messages": messages(PROMPT, "# T"), "images": ["p.png"]}, "messages with a list of images"),
        ({"messages": messages(PROMPT, "# T"), "images": [{"path": "p.png"}]}, "messages with a list of"),
        ({"messages": messages("Free OCR.", "# T"), "images": "p.png"}, "messages with a list of images"),
        ({"id": "1", "image": "p.png", "conversations": tagged(PROMPT, "# T")}, "LLaVA conversations"),
        ({"conversations": tagged(PROMPT, "# T"), "images": ["p.png"]}, "ShareGPT conversations"),
        ({"conversation": [{"human": PROMPT, "assistant": "# T"}], "images": ["p.png"]}, "ShareGPT"),
        ({"query": PROMPT, "response": "# T", "images": ["p.png"]}, "query and response"),
        ({"instruction": PROMPT, "input": "", "output": "# T", "images": ["p.png"]}, "query and response"),
        ({"image": "p.png", "text": "# T"}, "pictures and texts in columns"),
        ({"image": {"path": "p.png", "bytes": None}, "ground_truth": "# T"}, "pictures and texts in columns"),
    ],
)
def test_each_form_becomes_the_same_sample(folder: Path, row: object, read_as: str) -> None:
    dataset = read_dataset(rows(folder, row))
    assert dataset.problems == ()
    (sample,) = dataset.samples
    assert (sample.image, sample.image_name) == (folder / "p.png", "p.png")
    assert (sample.prompt, sample.answer) == (PROMPT, "# T")
    assert dataset.summary().startswith(f"1 sample, read as {read_as}")


def test_the_example_of_every_form_is_read_as_that_form(folder: Path) -> None:
    picture = base64.b64encode((folder / "p.png").read_bytes()).decode()
    for form in ROW_FORMS:
        (folder / "d.jsonl").write_text(form.example.replace("…", picture), "utf-8")
        dataset = read_dataset(folder / "d.jsonl")
        assert (dataset.forms, len(dataset.samples), dataset.problems) == ((form.name,), 1, ()), form.word


def test_the_table_of_the_documentation_has_every_form() -> None:
    table = (Path(__file__).parents[3] / "docs" / "datasets.md").read_text("utf-8").replace("\\|", "|")
    for form in all_forms():
        assert f"| {form.name} | `{form.example}` |" in table
    assert all(f"| `{word}` |" in table for word in WRITTEN)


def test_pictures_stay_with_the_question_that_they_came_with(folder: Path) -> None:
    asked = [
        {"role": "<|User|>", "content": text, "images": [name]}
        for text, name in (("a", "p.png"), ("b", "q.png"))
    ]
    said = {"role": "<|Assistant|>", "content": "x"}
    path = rows(folder, {"messages": [asked[0], said, asked[1], said]})
    (sample,) = read_dataset(path).samples
    assert [turn.question for turn in sample.turns] == ["<image>\na", "<image>\nb"]
    both = {"messages": [asked[0], said], "images": ["q.png"]}
    assert kinds(read_dataset(rows(folder, both))) == [ProblemKind.BAD_IMAGE]


def test_several_pictures_and_turns_stay_in_their_order(folder: Path) -> None:
    turns = messages("<image> and <image>: same?", "no", "why?", "colours")
    path = rows(folder, {"messages": turns, "images": ["p.png", "q.png"]})
    (sample,) = read_dataset(path).samples
    assert sample.images == (folder / "p.png", folder / "q.png")
    assert sample.turns == (Turn("<image> and <image>: same?", "no"), Turn("why?", "colours"))
    for_one_page = read_dataset(path, one_page=True)
    assert (for_one_page.samples, kinds(for_one_page)) == ((), [ProblemKind.SEVERAL_IMAGES])


def test_pictures_without_a_mark_go_before_the_first_question(folder: Path) -> None:
    path = rows(folder, {"messages": messages("a", "b", "c <image>", "d"), "images": ["p.png", "q.png"]})
    (sample,) = read_dataset(path).samples
    assert [turn.question for turn in sample.turns] == ["<image>\na", "c <image>"]


def test_a_system_message_is_left_out_and_counted(folder: Path) -> None:
    system = {"role": "system", "content": "You are an OCR engine."}
    path = rows(folder, {"messages": [system, *messages(PROMPT, "x")], "images": ["p.png"]})
    dataset = read_dataset(path, strict=True)
    assert (len(dataset.samples), dataset.skipped) == (1, 0)
    assert str(dataset.problems[0]) == "Line 1: the system message was left out (You are an OCR engine.)."


def test_a_picture_in_a_data_url_is_kept_once(folder: Path, tmp_path: Path) -> None:
    content = (folder / "p.png").read_bytes()
    url = f"data:image/png;base64,{base64.b64encode(content).decode()}"
    image = {"type": "image_url", "image_url": {"url": url, "detail": "high"}}
    path = rows(folder, {"messages": parts(image)}, {"image": url, "text": "again"})
    first, second = read_dataset(path).samples
    assert first.image == second.image
    assert first.image.read_bytes() == content
    assert first.image.is_relative_to(tmp_path / "state")
    assert (first.image_name, second.image_name) == ("d-1.png", "d-2.png")
    first.image.unlink()
    assert read_dataset(path).samples[0].image.read_bytes() == content


@pytest.mark.parametrize(
    ("image", "kind", "sentence"),
    [
        ("data:image/png;base64,@@@@", ProblemKind.BAD_IMAGE, "not in base64"),
        ("data:text/html;base64,aGk=", ProblemKind.BAD_IMAGE, "is not data:image/png"),
        ("data:image/png,raw", ProblemKind.BAD_IMAGE, "is not data:image/png"),
        ("data:image/png;base64,", ProblemKind.BAD_IMAGE, "is empty"),
        (f"data:image/png;base64,{'A' * 4000}", ProblemKind.BAD_IMAGE, "are allowed"),
        ("http://example.org/p.png", ProblemKind.BAD_IMAGE, "nothing is downloaded"),
        ("gone.png", ProblemKind.MISSING_IMAGE, "gone.png is neither in"),
        (7, ProblemKind.NO_IMAGE, "neither a file name nor a data URL"),
    ],
)
def test_a_picture_that_cannot_be_used_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, image: object, kind: ProblemKind, sentence: str
) -> None:
    monkeypatch.setattr(pictures, "MAX_PICTURE_BYTES", 1024)
    dataset = read_dataset(rows(folder, {"image": image, "text": "x"}, {"image": "p.png", "text": "y"}))
    assert [sample.line for sample in dataset.samples] == [2]
    assert (kinds(dataset), sentence in str(dataset.problems[0])) == ([kind], True)


def test_paths_of_windows_are_found_beside_the_file(folder: Path) -> None:
    (folder / "scans").mkdir()
    shutil.copy(folder / "p.png", folder / "scans" / "p.png")
    path = rows(
        folder, {"image": r"scans\p.png", "text": "a"}, {"image": r"C:\data\scans\p.png", "text": "b"}
    )
    dataset = read_dataset(path)
    assert [sample.image for sample in dataset.samples] == [folder / "scans" / "p.png"] * 2


def test_a_path_of_another_windows_machine_that_is_nowhere_is_named(folder: Path) -> None:
    dataset = read_dataset(rows(folder, {"image": r"D:\other\gone.png", "text": "a"}))
    assert str(dataset.problems[0]).startswith(r"Line 1: the image D:\other\gone.png is neither in")


def test_arrays_and_compressed_files_are_read(folder: Path) -> None:
    row = {"image": "p.png", "conversations": tagged(PROMPT, "# T")}
    lines = f"{json.dumps(row)}\n{json.dumps(row)}\n".encode()
    files = {
        "array.json": json.dumps([row, row], indent=1).encode(),
        "inner.json": json.dumps({"data": [row, row]}).encode(),
        "lines.json": lines,
        "lines.jsonl.gz": gzip.compress(lines),
        "array.json.gz": gzip.compress(json.dumps([row, row]).encode()),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
        assert read_dataset(folder / name).summary() == "2 samples, read as LLaVA conversations", name


def test_a_damaged_archive_is_one_sentence(folder: Path) -> None:
    (folder / "d.jsonl.gz").write_bytes(gzip.compress(b'{"image": "p.png", "text": "x"}\n' * 99)[:-20])
    with pytest.raises(DatasetError, match=r"d\.jsonl\.gz is damaged"):
        read_dataset(folder / "d.jsonl.gz")


@pytest.mark.parametrize(("ending", "delimiter"), [("csv", ","), ("tsv", "\t")])
def test_tables_of_text(folder: Path, ending: str, delimiter: str) -> None:
    with (folder / f"d.{ending}").open("w", encoding="utf-8-sig", newline="") as stream:
        table = csv.writer(stream, delimiter=delimiter)
        table.writerows([["file_name", "text"], ["p.png", "two\nlines, and more"], ["q.png"], ["q.png", "b"]])
    dataset = read_dataset(folder / f"d.{ending}")
    assert [sample.answer for sample in dataset.samples] == ["two\nlines, and more", "b"]
    assert kinds(dataset) == [ProblemKind.UNKNOWN_FORM]


def test_columns_of_any_name_are_asked_for(folder: Path) -> None:
    path = rows(folder, {"scan": "p.png", "reading": "abc"}, {"scan": "q.png", "read": "x"})
    with pytest.raises(
        DatasetError, match=r"Its keys|its keys are of no known form \(scan, reading\)"
    ) as error:
        read_dataset(path)
    assert "--image-key" in error.value.hint
    assert all(form.example in error.value.hint for form in ROW_FORMS)
    dataset = read_dataset(path, columns=Columns("scan", "reading"))
    assert [(sample.image_name, sample.answer) for sample in dataset.samples] == [("p.png", "abc")]
    assert str(dataset.problems[0]) == "Line 2: there is no column reading; there is scan, read."
    with pytest.raises(InputError, match="Only one column"):
        Columns("scan")


def test_an_image_folder_with_metadata(folder: Path) -> None:
    (folder / "train").mkdir()
    shutil.copy(folder / "p.png", folder / "train" / "a.png")
    rows(folder / "train", {"file_name": "a.png", "text": "A"}, {"file_name": "a.png"}, name="metadata.jsonl")
    dataset = read_dataset(folder)
    assert dataset.summary().startswith("1 sample, read as an image folder with metadata; 1 page skipped")
    assert dataset.samples[0].image == folder / "train" / "a.png"
    assert str(dataset.problems[0]).startswith("train/metadata.jsonl, line 2: it has no file_name with")


def test_a_folder_of_pages(folder: Path) -> None:
    (folder / "p.md").write_text("# P", "utf-8")
    (folder / "deep").mkdir()
    shutil.copy(folder / "q.png", folder / "deep" / "q.jpg")
    (folder / "deep" / "q.txt").write_text("plain", "utf-8")
    (folder / "deep" / "lost.md").write_text("no picture", "utf-8")
    (folder / "deep" / "bad.txt").write_bytes(b"\xff")
    shutil.copy(folder / "q.png", folder / "deep" / "bad.png")
    dataset = read_dataset(folder)
    found = {sample.place: (sample.image, sample.prompt, sample.answer) for sample in dataset.samples}
    assert found == {
        "p.png": (folder / "p.png", "<image>\nConvert this document to markdown.", "# P"),
        "deep/q.jpg": (folder / "deep" / "q.jpg", PROMPT, "plain"),
    }
    assert sorted(map(str, dataset.problems)) == [
        "deep/bad.png: byte 1 of bad.txt is not UTF-8.",
        "deep/lost.md: there is no picture of its name beside it.",
        "q.png: there is no q.md or q.txt beside it.",
    ]
    assert dataset.read_as == "read as a folder of pages"


def test_olmocr_front_matter_is_taken_off(folder: Path) -> None:
    matter = (
        "---\nprimary_language: en\nis_rotation_valid: {}\nrotation_correction: {}\nis_table: False\n---\n"
    )
    (folder / "p.md").write_text(matter.format("True", 0) + "Body\n---\nmore", "utf-8")
    (folder / "q.md").write_text(matter.format("False", 90) + "Sideways", "utf-8")
    dataset = read_dataset(folder)
    assert [sample.answer for sample in dataset.samples] == ["Body\n---\nmore"]
    assert str(dataset.problems[0]) == (
        "q.png: its front matter says that the page has to be turned by 90 degrees."
    )
    assert dataset.read_as == "read as olmOCR pages"
    (folder / "q.md").write_text("---\ntitle: kept\n---\ntext", "utf-8")
    assert read_dataset(folder).samples[1].answer.startswith("---\ntitle: kept")


PAGE = """<?xml version="1.0" encoding="UTF-8"?>
<PcGts xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15">
<Page imageFilename="p.png" imageWidth="8" imageHeight="8">
<ReadingOrder><OrderedGroup id="g"><RegionRefIndexed index="1" regionRef="r1"/>
<RegionRefIndexed index="0" regionRef="r2"/></OrderedGroup></ReadingOrder>
<TextRegion id="r1"><TextLine id="l2" custom="readingOrder {index:1;}"><TextEquiv><Unicode>second
</Unicode></TextEquiv></TextLine><TextLine id="l1" custom="readingOrder {index:0;}">
<TextEquiv index="1"><Unicode>worse</Unicode></TextEquiv><TextEquiv index="0"><Unicode>first</Unicode>
</TextEquiv></TextLine><TextEquiv><Unicode>whole region</Unicode></TextEquiv></TextRegion>
<TextRegion id="r2"><TextLine id="w"><Word id="a"><TextEquiv><Unicode>Ti</Unicode></TextEquiv></Word>
<Word id="b"><TextEquiv><Unicode>tle</Unicode></TextEquiv></Word></TextLine></TextRegion>
</Page></PcGts>"""

ALTO = """<?xml version="1.0"?><alto xmlns="http://www.loc.gov/standards/alto/ns-v4#">
<Description><sourceImageInformation><fileName>p.png</fileName></sourceImageInformation></Description>
<Layout><Page ID="P"><PrintSpace><ComposedBlock><TextBlock ID="b1"><TextLine><String CONTENT="One"/><SP/>
<String CONTENT="line"/><HYP CONTENT="-"/></TextLine><TextLine><String CONTENT="two"/>
<String CONTENT="words"/>
</TextLine></TextBlock></ComposedBlock><TextBlock ID="b2"><TextLine><String CONTENT="Next"/></TextLine>
</TextBlock></PrintSpace></Page></Layout></alto>"""


@pytest.mark.parametrize(
    ("content", "name", "text"),
    [
        (PAGE, "PAGE XML", "Ti tle\n\nfirst\nsecond"),
        (ALTO, "ALTO XML", "One line-\ntwo words\n\nNext"),
    ],
)
def test_xml_of_transkribus_and_escriptorium(folder: Path, content: str, name: str, text: str) -> None:
    (folder / "page").mkdir()
    (folder / "page" / "other.xml").write_text(content, "utf-8")
    dataset = read_dataset(folder)
    (sample,) = dataset.samples
    assert (sample.image, sample.answer, sample.place) == (folder / "p.png", text, "page/other.xml")
    assert dataset.read_as == f"read as {name}"
    assert [problem.place for problem in dataset.problems] == ["q.png"]
    assert read_dataset(folder / "page" / "other.xml").samples[0].answer == text


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('<!DOCTYPE PcGts [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><PcGts>&b;</PcGts>', "document type"),
        ('<!DOCTYPE PcGts SYSTEM "file:///etc/passwd"><PcGts/>', "document type"),
        ("<PcGts><Page>", "is not XML"),
        ("<PcGts>" + "<a>" * 500 + "</a>" * 500 + "</PcGts>", "elements more than 200 deep"),
        ("<PcGts></PcGts>", "it has no Page"),
    ],
)
def test_xml_that_is_not_to_be_trusted_is_named(folder: Path, content: str, sentence: str) -> None:
    (folder / "p.xml").write_text(content, "utf-8")
    (folder / "q.xml").write_text(PAGE.replace("p.png", "q.png"), "utf-8")
    dataset = read_dataset(folder)
    assert [sample.place for sample in dataset.samples] == ["q.xml"]
    assert [(problem.place, sentence in problem.message) for problem in dataset.problems] == [("p.xml", True)]


def test_omnidocbench(folder: Path) -> None:
    def block(kind: str, order: int | None, **fields: object) -> dict[str, object]:
        return {"category_type": kind, "order": order, "ignore": False, "poly": [0] * 8, **fields}

    blocks = [
        block("text_block", 3, text="Body"),
        block("title", 1, text="Head"),
        block("page_number", None, text="7"),
        block("equation_isolated", 4, latex="x^2"),
        block("table", 5, html="<table><tr><td>1</td></tr></table>"),
        block("abandon", 6, text="noise"),
        block("text_block", 2, text="masked") | {"ignore": True},
    ]
    (folder / "images").mkdir()
    shutil.move(folder / "p.png", folder / "images" / "p.png")
    path = folder / "OmniDocBench.json"
    path.write_text(json.dumps([{"layout_dets": blocks, "page_info": {"image_path": "p.png", "page_no": 0}}]))
    dataset = read_dataset(path)
    assert dataset.summary() == "1 sample, read as OmniDocBench pages"
    assert dataset.samples[0].image == folder / "images" / "p.png"
    assert dataset.samples[0].answer == ("# Head\n\nBody\n\n$$x^2$$\n\n<table><tr><td>1</td></tr></table>")


@pytest.fixture
def saved(folder: Path) -> Callable[[], Any]:
    library = pytest.importorskip("datasets")

    def build() -> Any:
        data = {"image": [str(folder / "p.png"), str(folder / "q.png")], "text": ["one", "two"]}
        return library.Dataset.from_dict(data).cast_column("image", library.Image())

    return build


def test_datasets_of_the_library_on_disk(folder: Path, tmp_path: Path, saved: Callable[[], Any]) -> None:
    data = saved()
    data.save_to_disk(tmp_path / "disk")
    data.to_parquet(tmp_path / "d.parquet")
    (tmp_path / "hub" / "data").mkdir(parents=True)
    data.to_parquet(tmp_path / "hub" / "data" / "train-00000-of-00001.parquet")
    for name in ("disk", "d.parquet", "hub"):
        dataset = read_dataset(tmp_path / name, strict=True)
        assert dataset.summary() == "2 samples, read as pictures and texts in columns", name
        assert [sample.answer for sample in dataset.samples] == ["one", "two"]
        assert Image.open(dataset.samples[1].image).getpixel((0, 0)) == (0, 0, 255)
        assert len({sample.image_name for sample in dataset.samples}) == 2


def test_several_splits_are_not_thrown_together(tmp_path: Path, saved: Callable[[], Any]) -> None:
    library = pytest.importorskip("datasets")
    library.DatasetDict({"train": saved(), "test": saved()}).save_to_disk(tmp_path / "disk")
    with pytest.raises(DatasetError, match="holds 2 parts: test, train"):
        read_dataset(tmp_path / "disk")
    assert len(read_dataset(tmp_path / "disk" / "train").samples) == 2


def test_without_pyarrow_parquet_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    (tmp_path / "d.parquet").write_bytes(b"PAR1")
    with pytest.raises(DatasetError, match="pyarrow, which is not installed") as error:
        read_dataset(tmp_path / "d.parquet")
    assert "ocrstudio[datasets]" in error.value.hint


def test_a_damaged_parquet_file_is_a_sentence(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    (tmp_path / "d.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(DatasetError, match=r"d\.parquet cannot be read"):
        read_dataset(tmp_path / "d.parquet")


def test_a_folder_that_is_no_dataset_says_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="is no dataset") as error:
        read_dataset(tmp_path)
    assert "p.png with p.md" in error.value.hint
    (tmp_path / "train.jsonl").touch()
    with pytest.raises(DatasetError, match="is no dataset") as error:
        read_dataset(tmp_path)
    assert error.value.hint == "Name a file in it: train.jsonl."
