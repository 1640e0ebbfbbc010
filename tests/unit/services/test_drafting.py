"""Drafting pages of a real workspace with a real teacher (the text layer) and with a scripted one."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import pymupdf
import pytest

from ocrstudio.domain.document import PageStatus
from ocrstudio.domain.errors import TeacherError
from ocrstudio.services import labelling
from ocrstudio.services.drafting import DraftingProgress, draft_pages, select_pages
from ocrstudio.services.workspaces import create_workspace, import_sources, workspace_status
from ocrstudio.settings.teacher import load_teacher_config
from ocrstudio.store import Workspace
from ocrstudio.tasks import Task, get_task, load_tasks
from ocrstudio.teachers.base import RUNAWAY, Draft, PageSource
from ocrstudio.teachers.errors import EmptyAnswerError, TeacherUnavailableError
from ocrstudio.teachers.registry import create_teacher
from tests.fakes.pdfs import endless_pdf
from tests.fakes.processes import children

PAGE = "Page number N of the report is about apples.\nThey are red, green or yellow, and they grow on trees."
TASK = get_task(load_tasks(), "markdown")


@dataclass
class ScriptedTeacher:
    """Answers each page by its number; an exception in the script is raised."""

    answers: dict[int, Draft | Exception]
    id: str = "scripted"
    concurrency: int = 1
    network: bool = False
    asked: list[int] = field(default_factory=list)
    pages: list[PageSource] = field(default_factory=list)
    closed: bool = False

    async def open(self) -> None:
        return

    async def draft(self, page: PageSource, task: Task) -> Draft:
        self.asked.append(page.page_index)
        self.pages.append(page)
        await asyncio.sleep(0)
        answer = self.answers[page.page_index]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def _settings_of_nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    source = tmp_path / "report.pdf"
    with pymupdf.open() as document:
        for number in range(4):
            page = document.new_page()
            page.insert_text((72, 100), f"Page number {number + 1} of the report is about apples.")
            page.insert_text((72, 120), "They are red, green or yellow, and they grow on trees.")
        document.save(source)
    with create_workspace(tmp_path / "workspace") as ws:
        import_sources(ws, [source])
        yield ws


def draft(text: str, *flags: str) -> Draft:
    text = f"{text}\n\n{PAGE}"  # nobody doubts it then
    return Draft(text=text, raw=f"raw {text}", prompt="the prompt", parameters={"model": "m"}, flags=flags)


def run(ws: Workspace, teacher: object, pages: list[int], **options: object):
    return asyncio.run(draft_pages(ws, pages, teacher, TASK, **options))


def test_the_offline_teacher_drafts_every_page_of_a_pdf(workspace: Workspace) -> None:
    seen: list[DraftingProgress] = []
    summary = run(
        workspace, create_teacher(load_teacher_config(None)), select_pages(workspace), on_progress=seen.append
    )
    assert (summary.done, summary.failed, summary.total) == (4, 0, 4)
    assert workspace.pages.counts()[PageStatus.DRAFT] == 4
    for row in workspace.pages.list():
        label = workspace.labels.current(row.page.id)
        assert f"Page number {row.page.index + 1} of the report" in label.text
        assert label.source == "teacher:offline"
        assert label.task == "markdown"
        assert label.parameters["method"] == "text_layer"
    assert [item.done for item in seen] == [1, 2, 3, 4]
    assert seen[-1].total == 4
    assert seen[-1].seconds_left == 0


def test_each_result_is_in_the_workspace_before_the_next_page_is_reported(workspace: Workspace) -> None:
    teacher = ScriptedTeacher({number: draft(f"text {number}") for number in range(4)})
    drafted: list[int] = []

    def on_progress(_: DraftingProgress) -> None:
        with Workspace.open(workspace.root) as other:
            drafted.append(other.pages.counts()[PageStatus.DRAFT])

    run(workspace, teacher, select_pages(workspace), on_progress=on_progress)
    assert drafted == [1, 2, 3, 4]
    assert teacher.closed


def test_an_accepted_page_keeps_its_label_and_gets_the_draft_beside_it(workspace: Workspace) -> None:
    page = workspace.pages.list()[0].page
    labelling.save_edit(workspace, page.id, "by hand")
    labelling.accept(workspace, page.id)
    run(workspace, ScriptedTeacher({0: draft("by machine")}), [page.id])
    assert workspace.pages.get(page.id).status is PageStatus.ACCEPTED
    assert workspace.labels.current(page.id).text == "by hand"
    assert [revision.text for revision in workspace.labels.history(page.id)] == [
        f"by machine\n\n{PAGE}",
        "by hand",
    ]


def test_a_failed_page_says_why_and_a_second_batch_takes_only_what_is_missing(workspace: Workspace) -> None:
    answers: dict[int, Draft | Exception] = {number: draft(f"text {number}") for number in range(4)}
    answers[2] = TeacherError("The page is in Hangul.", "Type it.")
    summary = run(workspace, ScriptedTeacher(answers), select_pages(workspace))
    assert (summary.done, summary.failed) == (3, 1)
    failed = workspace.pages.list(statuses=[PageStatus.FAILED])[0].page
    assert failed.index == 2
    assert failed.note == "The page is in Hangul. Type it."

    again = ScriptedTeacher({2: draft("at last")})
    run(workspace, again, select_pages(workspace))
    assert again.asked == [2]
    assert workspace.pages.counts()[PageStatus.DRAFT] == 4


def test_a_doubtful_draft_is_flagged_with_a_sentence(workspace: Workspace) -> None:
    page = workspace.pages.list()[0].page
    run(workspace, ScriptedTeacher({0: draft("and and and and", RUNAWAY)}), [page.id])
    flagged = workspace.pages.get(page.id)
    assert flagged.status is PageStatus.FLAGGED
    assert "repeats itself" in flagged.note
    assert workspace.labels.current(page.id).parameters["flags"] == ["runaway"]


def test_when_the_server_is_gone_no_page_is_marked_failed(workspace: Workspace) -> None:
    gone = TeacherUnavailableError("No connection to http://localhost:1/v1.", "Is the server running?")
    summary = run(workspace, ScriptedTeacher(dict.fromkeys(range(4), gone)), select_pages(workspace))
    assert summary.stopped_by is gone
    assert summary.untouched == 4
    assert workspace.pages.counts()[PageStatus.UNLABELLED] == 4


def test_cancelling_keeps_what_is_done_and_leaves_the_rest(workspace: Workspace) -> None:
    async def scenario():
        cancel = asyncio.Event()
        teacher = ScriptedTeacher({number: draft(f"text {number}") for number in range(4)})
        return await draft_pages(
            workspace,
            select_pages(workspace),
            teacher,
            TASK,
            cancel=cancel,
            on_progress=lambda progress: cancel.set() if progress.done == 2 else None,
        )

    summary = asyncio.run(scenario())
    assert summary.cancelled
    # The answer to a third page may be there already, waiting for its check: it is kept, too.
    assert summary.done in (2, 3)
    counts = workspace.pages.counts()
    assert (counts[PageStatus.DRAFT], counts[PageStatus.UNLABELLED]) == (summary.done, 4 - summary.done)


def test_pages_are_drawn_as_the_settings_say(workspace: Workspace, tmp_path: Path) -> None:
    settings = tmp_path / "config" / "ocrstudio" / "settings.yaml"
    settings.parent.mkdir(parents=True)
    settings.write_text("default_dpi: 300\nmax_image_pixels: 2000000\n")
    teacher = ScriptedTeacher({0: Draft(PAGE, remarks=("It was reduced.",))})
    run(workspace, teacher, select_pages(workspace)[:1])
    assert (teacher.pages[0].dpi, teacher.pages[0].max_pixels) == (300, 2_000_000)
    label = workspace.labels.current(select_pages(workspace, [PageStatus.DRAFT])[0])
    assert label.parameters["remarks"] == ["It was reduced."]


def test_a_draft_that_lost_text_is_flagged_in_numbers(workspace: Workspace) -> None:
    page = workspace.pages.list()[0].page
    summary = run(workspace, ScriptedTeacher({0: Draft("Page number 1")}), [page.id])
    flagged = workspace.pages.get(page.id)
    assert summary.done == 1
    assert flagged.status is PageStatus.FLAGGED
    assert flagged.note == "The answer has 11 characters and the page 80: text may be missing."
    label = workspace.labels.current(page.id)
    assert label.parameters["flags"] == ["incomplete"]
    assert label.parameters["check"]["verdict"] == "incomplete"
    assert workspace_status(workspace).checks == {"incomplete": 1}


def test_an_empty_draft_of_a_page_with_text_is_a_failure_and_its_raw_answer_is_kept(
    workspace: Workspace,
) -> None:
    page = workspace.pages.list()[0].page
    summary = run(workspace, ScriptedTeacher({0: Draft("", raw="<image>")}), [page.id])
    failed = workspace.pages.get(page.id)
    assert (summary.done, summary.failed) == (0, 1)
    assert failed.status is PageStatus.FAILED
    assert failed.revision_id is None
    assert failed.note.startswith(
        "report, page 1: The answer has no text although the page has about 80 characters."
    )
    (kept,) = workspace.labels.history(page.id)
    assert kept.raw == "<image>"


def test_a_blank_page_is_said_to_be_blank_and_not_counted_as_labelled(tmp_path: Path) -> None:
    with pymupdf.open() as document:
        document.new_page()
        document.save(tmp_path / "blank.pdf")
    answers = {0: EmptyAnswerError("blank, page 1: the model gave an empty answer.")}
    with create_workspace(tmp_path / "workspace") as ws:
        import_sources(ws, [tmp_path / "blank.pdf"])
        seen: list[DraftingProgress] = []
        summary = run(ws, ScriptedTeacher(answers), select_pages(ws), on_progress=seen.append)
        assert (summary.done, summary.blank, summary.failed, summary.untouched) == (0, 1, 0, 0)
        page = ws.pages.list()[0].page
        assert (page.status, page.note) == (PageStatus.DRAFT, "The page is blank, and so is its label.")
        assert seen[0].remarks == ("blank, page 1 is blank.",)
        assert workspace_status(ws).checks == {"blank": 1}


def test_a_page_that_is_never_drawn_keeps_its_draft_unchecked(tmp_path: Path) -> None:
    settings = tmp_path / "config" / "ocrstudio" / "settings.yaml"
    settings.parent.mkdir(parents=True)
    settings.write_text("max_page_seconds: 1\n")
    with create_workspace(tmp_path / "workspace") as ws:
        import_sources(ws, [endless_pdf(tmp_path / "map.pdf", 1, [1])])
        summary = run(ws, ScriptedTeacher({0: Draft("Page 1 of the ledger")}), select_pages(ws))
        assert summary.done == 1
        label = ws.labels.current(ws.pages.list()[0].page.id)
        assert label.parameters["check"]["verdict"] == "unchecked"
    assert children() == []
