"""The offline teacher with its real child process, real RapidOCR and real PDFs."""

import asyncio
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pymupdf
import pytest
from PIL import Image

from ocrstudio.domain.errors import OcrStudioError, SlowPageError, TeacherError
from ocrstudio.settings.teacher import load_teacher_config
from ocrstudio.tasks import Task
from ocrstudio.teachers.base import Draft, PageSource
from ocrstudio.teachers.errors import TeacherUnavailableError
from ocrstudio.teachers.offline.tesseract import installed_languages
from ocrstudio.teachers.registry import create_teacher
from tests.fakes.pdfs import endless_pdf
from tests.fakes.processes import children

TASK = Task("markdown", "", "Convert this document to markdown.", False, "")
SENTENCES = ["The quick brown fox jumps over the lazy dog.", "Pack my box with five dozen liquor jugs."]
RUSSIAN = "Москва является столицей Российской Федерации и самым большим городом страны."


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documents")
    with pymupdf.open() as document:
        page = document.new_page(width=400, height=200)
        for row, text in enumerate(SENTENCES):
            page.insert_text((30, 50 + 40 * row), text, fontsize=14)
        document.save(folder / "digital.pdf")
        page.get_pixmap(dpi=150).save(folder / "scan.png")
    with pymupdf.open() as document:
        page = document.new_page(width=400, height=200)
        page.insert_htmlbox((30, 30, 370, 170), f"<p>{RUSSIAN} {RUSSIAN}</p>")
        page.get_pixmap(dpi=150).save(folder / "russian.png")
    with pymupdf.open() as document:
        document.new_page(width=400, height=200).get_pixmap(dpi=100).save(folder / "blank.png")
    return folder


def run(pages: list[PageSource], **overrides: object) -> list[Draft | OcrStudioError]:
    """Draft pages one after the other with one teacher."""

    async def scenario() -> list[Draft | OcrStudioError]:
        teacher = create_teacher(load_teacher_config(None, {"request.concurrent_requests": 1, **overrides}))
        outcomes: list[Draft | OcrStudioError] = []
        await teacher.open()
        try:
            for page in pages:
                try:
                    outcomes.append(await teacher.draft(page, TASK))
                except OcrStudioError as error:
                    outcomes.append(error)
        finally:
            await teacher.close()
        return outcomes

    return asyncio.run(scenario())


def page_of(path: Path) -> PageSource:
    return PageSource(path.name, document=path)


def test_digital_pages_come_from_the_text_layer_and_scans_are_read(documents: Path) -> None:
    digital, scan, picture, blank, russian = run(
        [
            page_of(documents / "digital.pdf"),
            page_of(documents / "scan.png"),
            PageSource("picture only", image=documents / "scan.png"),
            page_of(documents / "blank.png"),
            page_of(documents / "russian.png"),
        ]
    )
    for draft, method in ((digital, "text_layer"), (scan, "rapidocr"), (picture, "rapidocr")):
        assert isinstance(draft, Draft)
        assert draft.parameters["method"] == method
        assert all(sentence in draft.text for sentence in SENTENCES)
        assert draft.flags == ()
    assert isinstance(scan, Draft)
    assert scan.regions
    for region in scan.regions:
        assert scan.text[region.start : region.end].strip()
        assert 0 <= region.boxes[0].x0 < region.boxes[0].x1 <= 1
    assert isinstance(blank, TeacherError)
    assert "No text was found" in blank.message
    if "rus" not in installed_languages():  # otherwise Tesseract reads it
        assert isinstance(russian, TeacherError)
        assert "could not read" in russian.message
        assert "Tesseract" in russian.hint


def test_a_picture_can_be_ordered_by_columns(documents: Path) -> None:
    (draft,) = run([page_of(documents / "scan.png")], **{"offline.reading_order": "columns"})
    assert isinstance(draft, Draft)
    assert draft.text == "\n\n".join(SENTENCES) + "\n"


def test_without_ocr_a_picture_is_a_sentence(documents: Path) -> None:
    (error,) = run([page_of(documents / "scan.png")], **{"offline.method": "text_layer"})
    assert isinstance(error, TeacherError)
    assert "scan.png" in error.message


def test_a_child_that_dies_fails_one_page_and_is_replaced(documents: Path) -> None:
    async def scenario() -> tuple[TeacherError, Draft]:
        teacher = create_teacher(load_teacher_config(None, {"request.concurrent_requests": 1}))
        await teacher.open()
        try:
            await teacher.draft(page_of(documents / "digital.pdf"), TASK)
            before = children()
            crashing = asyncio.create_task(teacher.draft(page_of(documents / "scan.png"), TASK))
            await asyncio.sleep(0)  # the request is on its way
            for child in before:
                child.kill()
            with pytest.raises(TeacherError) as caught:
                await crashing
            draft = await teacher.draft(page_of(documents / "digital.pdf"), TASK)
            return caught.value, draft
        finally:
            await teacher.close()

    error, draft = asyncio.run(scenario())
    assert "scan.png: The offline reader was killed by signal 9" in error.message
    assert SENTENCES[0] in draft.text
    assert children() == []


def test_cancelling_a_page_ends_its_child_and_the_next_page_works(documents: Path) -> None:
    async def scenario() -> Draft:
        teacher = create_teacher(load_teacher_config(None, {"request.concurrent_requests": 1}))
        await teacher.open()
        try:
            waiting = asyncio.create_task(teacher.draft(page_of(documents / "scan.png"), TASK))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            return await teacher.draft(page_of(documents / "digital.pdf"), TASK)
        finally:
            await teacher.close()

    assert SENTENCES[0] in asyncio.run(scenario()).text
    assert children() == []


def test_a_page_that_never_finishes_is_given_up_and_the_next_is_read(tmp_path: Path) -> None:
    pdf = endless_pdf(tmp_path / "map.pdf")
    pages = [PageSource(f"map.pdf, page {n + 1}", document=pdf, page_index=n) for n in range(3)]
    first, slow, third = run([pages[0], replace(pages[1], max_seconds=1), pages[2]])
    assert [first.text.strip(), third.text.strip()] == ["Page 1 of the ledger", "Page 3 of the ledger"]
    assert isinstance(slow, SlowPageError)
    assert slow.message == "map.pdf, page 2 was not read within 1 s (max_page_seconds in the settings)."


def test_tesseract_that_is_not_installed_is_said_before_the_first_page(
    documents: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(documents))
    with pytest.raises(TeacherUnavailableError, match="Tesseract is not installed"):
        run([page_of(documents / "scan.png")], **{"offline.ocr_engine": "tesseract"})


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="Tesseract is not installed")
def test_tesseract_reads_a_scan_and_names_a_missing_language(documents: Path) -> None:
    overrides = {"offline.ocr_engine": "tesseract"}
    (draft,) = run([page_of(documents / "scan.png")], **overrides)
    assert isinstance(draft, Draft)
    assert all(sentence in draft.text for sentence in SENTENCES)
    with pytest.raises(TeacherUnavailableError, match="no data for xyz"):
        run([page_of(documents / "scan.png")], **overrides, **{"offline.languages": ["xyz"]})


def _can_unshare() -> bool:
    program = shutil.which("unshare")
    return program is not None and subprocess.run([program, "-rn", "true"], check=False).returncode == 0


@pytest.mark.skipif(not _can_unshare(), reason="a network namespace is not permitted here")
def test_it_works_with_the_network_cut(documents: Path, tmp_path: Path) -> None:
    command = [
        *("unshare", "-rn", sys.executable, "-m", "ocrstudio", "infer"),
        *("--images", str(documents / "scan.png"), "--output", str(tmp_path / "out")),
    ]
    environment = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert SENTENCES[0] in (tmp_path / "out" / "scan.md").read_text("utf-8")


TURNS = {"90": 1, "180": 2, "270": 3}


@pytest.fixture(scope="module")
def turned(documents: Path) -> dict[str, Path]:
    """The scan in every turn, and pages of which nothing came out before."""
    folder = documents / "turned"
    folder.mkdir()
    with pymupdf.open() as document:
        page = document.new_page(width=420, height=260)
        page.insert_text((30, 50), "Inventory of the store", fontsize=20)
        for row, text in enumerate(STORE):
            page.insert_text((30, 90 + 22 * row), text, fontsize=13)
        page.get_pixmap(dpi=150).save(folder / "0.png")
    scan = Image.open(folder / "0.png").convert("RGB")
    for name, quarters in TURNS.items():
        scan.rotate(90 * quarters, expand=True).save(folder / f"{name}.png")
    scan.rotate(12, expand=True, fillcolor="white", resample=Image.Resampling.BICUBIC).save(folder / "12.png")
    with pymupdf.open() as document:
        page = document.new_page(width=300, height=300)
        for number, column in enumerate(JAPANESE):
            for place, sign in enumerate(column):
                page.insert_text((240 - 40 * number, 50 + 20 * place), sign, fontsize=16, fontname="japan")
        page.get_pixmap(dpi=150).save(folder / "vertical.png")
    with pymupdf.open() as document:
        page = document.new_page(width=595, height=842)
        page.insert_text((30, 800), "47", fontsize=10)
        page.get_pixmap(dpi=150).save(folder / "number.png")
    return {file.stem: file for file in folder.iterdir()}


STORE = [
    "The store holds forty coils of rope and nine anchors.",
    "Two of the anchors are rusted and shall be replaced.",
    "Oil is kept in the north cellar behind a steel door.",
]
JAPANESE = ["港の事務所は船の名前を", "帳簿に記録している", "灯台の番人は毎月一日に"]


def test_pages_in_every_turn_have_the_text_of_the_upright_one(turned: dict[str, Path]) -> None:
    names = ["0", "12", *TURNS]
    drafts = run([page_of(turned[name]) for name in names])
    for name, draft in zip(names, drafts, strict=True):
        assert isinstance(draft, Draft), name
        words = draft.text.replace("# ", "").split()
        assert words == ["Inventory", "of", "the", "store", *" ".join(STORE).split()], name
        assert draft.parameters["letters_found"] == draft.parameters["letters_kept"] == 145
        assert draft.flags == ()
    # The heading of the page turned counter-clockwise stands at the left, and reads upwards.
    sideways = drafts[names.index("90")]
    assert isinstance(sideways, Draft)
    box = sideways.regions[0].boxes[0]
    assert box.x1 < 0.3
    assert box.y1 - box.y0 > box.x1 - box.x0


def test_vertical_japanese_and_a_lone_page_number_are_read(turned: dict[str, Path]) -> None:
    vertical, number = run([page_of(turned["vertical"]), page_of(turned["number"])])
    assert isinstance(vertical, Draft)
    assert "".join(vertical.text.split()) == "".join(JAPANESE)
    assert isinstance(number, Draft)
    assert number.text == "47\n"


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="Tesseract is not installed")
def test_tesseract_reads_what_rapidocr_cannot_where_it_has_the_language(tmp_path: Path) -> None:
    if "kor" not in installed_languages():
        pytest.skip("Tesseract has no Korean")
    with pymupdf.open() as document:
        page = document.new_page(width=400, height=200)
        page.insert_htmlbox((30, 30, 370, 170), f"<p>{KOREAN} {KOREAN} {KOREAN}</p>")
        page.get_pixmap(dpi=200).save(tmp_path / "korean.png")
    (draft,) = run([page_of(tmp_path / "korean.png")])
    assert isinstance(draft, Draft)
    assert draft.parameters["method"] == "tesseract"
    assert draft.flags == ("doubtful",)
    assert "RapidOCR does not know the script of this page" in draft.remarks[0]
    assert "".join(KOREAN.split())[:6] in "".join(draft.text.split())


KOREAN = "서울은 대한민국의 수도이며 가장 큰 도시이다."
