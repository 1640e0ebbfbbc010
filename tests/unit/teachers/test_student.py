"""The local teacher with a real worker process whose student is scripted, so no torch is needed."""

import asyncio
from pathlib import Path

import pymupdf
import pytest
from PIL import Image

from ocrstudio.settings.teacher import load_teacher_config
from ocrstudio.tasks import get_task, load_tasks
from ocrstudio.teachers.base import TRUNCATED, UNFOUNDED, PageSource
from ocrstudio.teachers.batch import BatchSummary, PageResult, run_batch
from ocrstudio.teachers.errors import TeacherUnavailableError
from ocrstudio.teachers.registry import create_teacher
from tests.fakes.processes import children
from tests.fakes.worker import ADAPTED, DAMAGED

TASK = get_task(load_tasks(), "document")


@pytest.fixture(autouse=True)
def _scripted_student(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCRSTUDIO_WORKER_BODIES", "tests.fakes.worker")
    monkeypatch.syspath_prepend(Path(__file__).parents[3])


def run(pages: list[PageSource], **overrides: object) -> tuple[BatchSummary, list[PageResult]]:
    values = {"type": "local", "local.model_path": "tiny", "model_type": "default", **overrides}
    results: list[PageResult] = []

    async def scenario() -> BatchSummary:
        teacher = create_teacher(load_teacher_config(None, values))
        try:
            await teacher.open()
            return await run_batch(teacher, pages, TASK, on_result=results.append)
        finally:
            await teacher.close()

    return asyncio.run(scenario()), results


def test_pictures_and_pdf_pages_are_answered_with_the_student_s_prompt(tmp_path: Path) -> None:
    picture, pdf = tmp_path / "page.png", tmp_path / "report.pdf"
    Image.new("RGB", (30, 40), "white").save(picture)
    with pymupdf.open() as document:
        document.new_page(width=100, height=100)
        document.save(pdf)
    pages = [PageSource("page.png", image=picture), PageSource("report.pdf, page 1", document=pdf)]
    summary, results = run(pages)
    assert summary.done == 2
    drafts = {result.page.key: result.draft for result in results}
    prompt = "<image>\n<|grounding|>Convert the document to markdown."
    assert drafts["page.png"].text == f"tiny:page.png:{prompt}"
    assert drafts["page.png"].prompt == prompt
    assert drafts["report.pdf, page 1"].text.endswith(f".png:{prompt}")
    assert drafts["page.png"].parameters["model"] == "tiny"
    assert children() == []


def test_the_settings_that_were_used_are_recorded_and_remarked_on(tmp_path: Path) -> None:
    Image.new("RGB", (30, 40), "white").save(tmp_path / "page.png")
    _, (result,) = run(
        [PageSource("page.png", image=tmp_path / "page.png")],
        **{"local.adapter_path": "an adapter", "image.preset": "tiny"},
    )
    assert result.draft.parameters["image"] == ADAPTED["image"]
    assert result.draft.remarks == ("The image settings of the adapter are used.",)
    assert result.draft.flags == (TRUNCATED, UNFOUNDED)  # a text for a white picture


def test_a_page_that_the_student_cannot_read_fails_alone(tmp_path: Path) -> None:
    names = ["a.png", DAMAGED, "c.png"]
    for name in names:
        Image.new("RGB", (30, 40), "white").save(tmp_path / name)
    summary, results = run([PageSource(name, image=tmp_path / name) for name in names])
    assert (summary.done, summary.failed) == (2, 1)
    (failed,) = [result for result in results if result.draft is None]
    assert failed.page.key == DAMAGED
    assert str(failed.error) == f"{DAMAGED}: The picture is damaged. Scan it again."


def test_a_model_that_is_not_there_is_said_before_the_first_page() -> None:
    with pytest.raises(TeacherUnavailableError) as caught:
        run([PageSource("page.png")], **{"local.model_path": "absent"})
    assert caught.value.message == "The folder absent does not exist."
    assert caught.value.hint == "Download the model."
    assert children() == []


def test_the_reader_is_asked_with_its_own_views_and_keeps_its_word(tmp_path: Path) -> None:
    picture = tmp_path / "page.png"
    Image.new("RGB", (30, 40), "white").save(picture)
    _, (result,) = run([PageSource("page.png", image=picture)], **{"local.model_path": "reader"})
    assert result.draft is not None
    assert result.draft.parameters["model"] == "reader"
    assert result.draft.parameters["image"]["base_size"] == 384
    assert result.draft.parameters["max_tokens"] == 1024
