"""Labelling without a workspace: grouping, output formats, resuming; the teacher is scripted."""

import asyncio
import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pymupdf
import pytest
from PIL import Image

from ocrstudio.datasets.reader import read_dataset
from ocrstudio.domain.errors import InputError, OcrStudioError, TeacherError
from ocrstudio.pdf import DEFAULT_MAX_PIXELS
from ocrstudio.services.inference.journal import JOURNAL_NAME, Earlier, open_journal
from ocrstudio.services.inference.output import Format, output_target
from ocrstudio.services.inference.pages import find_pages
from ocrstudio.services.inference.run import InferenceProgress, InferenceReport, infer
from ocrstudio.settings.teacher import load_teacher_config
from ocrstudio.tasks import Task, get_task, load_tasks, student_prompt
from ocrstudio.teachers.base import RUNAWAY, Draft, PageSource
from tests.fakes.runs import REPOSITORY

TASK = get_task(load_tasks(), "markdown")


@dataclass
class ScriptedTeacher:
    """Labels a page with its name, or does what the script says for it."""

    script: dict[str, Draft | OcrStudioError] = field(default_factory=dict)
    id: str = "scripted"
    concurrency: int = 2
    network: bool = False
    asked: list[PageSource] = field(default_factory=list)

    async def open(self) -> None:
        return

    async def draft(self, page: PageSource, task: Task) -> Draft:
        self.asked.append(page)
        answer = self.script.get(page.key, Draft(f"# {page.key}\n", raw=f"raw {page.key}"))
        if isinstance(answer, OcrStudioError):
            raise answer
        return answer

    async def close(self) -> None:
        return


@pytest.fixture
def pdfs(tmp_path: Path) -> Path:
    folder = tmp_path / "pdfs"
    folder.mkdir()
    for name, count in (("report", 11), ("letter", 1)):
        with pymupdf.open() as document:
            for _ in range(count):
                document.new_page(width=100, height=100)
            document.save(folder / f"{name}.pdf")
    return folder


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("report_p1", "report_p2", "report_p10", "invoice_p1", "photo"):
        Image.new("RGB", (40, 50), "white").save(folder / f"{name}.png")
    return folder


def label(
    output: Path,
    *,
    images: Path | None = None,
    pdf: Path | None = None,
    output_format: Format = "md",
    save_images: bool = False,
    teacher: ScriptedTeacher | None = None,
    earlier: Earlier = Earlier.REFUSE,
    task: Task = TASK,
    stop_after: int | None = None,
    progress: list[InferenceProgress] | None = None,
    max_pixels: int = DEFAULT_MAX_PIXELS,
) -> InferenceReport:
    async def scenario() -> InferenceReport:
        cancel = asyncio.Event()

        def on_progress(item: InferenceProgress) -> None:
            if progress is not None:
                progress.append(item)
            if item.done == stop_after:
                cancel.set()

        target = output_target(output, output_format, save_images=save_images, prompt=student_prompt(task))
        return await infer(
            find_pages(images, pdf, password=None, dpi=72, max_pixels=max_pixels),
            teacher or ScriptedTeacher(),
            task,
            target,
            config=load_teacher_config(None),
            earlier=earlier,
            on_progress=on_progress,
            cancel=cancel,
        )

    return asyncio.run(scenario())


def test_pictures_of_one_document_are_merged_in_numeric_order(pictures: Path, tmp_path: Path) -> None:
    report = label(tmp_path / "out", images=pictures)
    assert report.is_complete
    assert (tmp_path / "out" / "report.md").read_text() == (
        "# report_p1.png\n\n# report_p2.png\n\n# report_p10.png\n"
    )
    assert (tmp_path / "out" / "invoice.md").read_text() == "# invoice_p1.png\n"
    assert (tmp_path / "out" / "photo.md").read_text() == "# photo.png\n"


def test_a_document_is_written_when_its_last_page_is_there(pdfs: Path, tmp_path: Path) -> None:
    seen: list[InferenceProgress] = []
    label(tmp_path / "out", pdf=pdfs, progress=seen, teacher=ScriptedTeacher(concurrency=1))
    written = [(item.done, item.written.name) for item in seen if item.written is not None]
    assert written == [(1, "letter.md"), (12, "report.md")]
    pages = (tmp_path / "out" / "report.md").read_text().strip().split("\n\n")
    assert pages == [f"# report.pdf, page {number}" for number in range(1, 12)]


def test_dataset_lines_of_pictures_point_at_them_from_the_file(pictures: Path, tmp_path: Path) -> None:
    label(tmp_path / "out" / "data.jsonl", images=pictures, output_format="jsonl")
    lines = (tmp_path / "out" / "data.jsonl").read_text().splitlines()
    assert json.loads(lines[0]) == {
        "messages": [
            {
                "role": "<|User|>",
                "content": "<image>\nConvert this document to markdown.",
                "images": ["../pictures/invoice_p1.png"],
            },
            {"role": "<|Assistant|>", "content": "# invoice_p1.png"},
        ]
    }
    assert len(lines) == 5


def test_a_dataset_of_a_pdf_brings_its_page_pictures(pdfs: Path, tmp_path: Path) -> None:
    label(tmp_path / "out", pdf=pdfs, output_format="jsonl")
    dataset = read_dataset(tmp_path / "out" / "results.jsonl")
    assert len(dataset.samples) == 12
    assert not dataset.problems
    assert dataset.samples[1].image == tmp_path / "out" / "images" / "report_p1.png"
    with Image.open(dataset.samples[1].image) as picture:
        assert picture.size == (100, 100)


def test_labels_that_must_not_be_trained_on_are_counted_and_left_out(pictures: Path, tmp_path: Path) -> None:
    teacher = ScriptedTeacher({"photo.png": Draft("and and and", flags=(RUNAWAY,))})
    report = label(tmp_path / "out", images=pictures, output_format="jsonl", teacher=teacher)
    assert report.unfit == 1
    assert "and and" not in (tmp_path / "out" / "results.jsonl").read_text()


def test_json_holds_every_page_with_its_raw_output_or_its_error(pictures: Path, tmp_path: Path) -> None:
    teacher = ScriptedTeacher({"photo.png": TeacherError("It is in Hangul.", "Type it.")})
    report = label(tmp_path / "out", images=pictures, output_format="json", teacher=teacher)
    records = json.loads((tmp_path / "out" / "results.json").read_text())
    assert [record["document"] for record in records] == ["invoice", "report", "report", "report", "photo"]
    assert records[0]["raw"] == "raw invoice_p1.png"
    assert records[4]["text"] is None
    assert records[4]["error"] == {"message": "It is in Hangul.", "hint": "Type it."}
    assert report.failed == 1
    assert not report.is_complete


def test_page_pictures_are_kept_when_asked(pdfs: Path, tmp_path: Path) -> None:
    label(tmp_path / "out", pdf=pdfs / "letter.pdf", save_images=True)
    assert (tmp_path / "out" / "images" / "letter_p1.png").is_file()


def test_a_failed_page_leaves_a_comment_and_the_others_are_written(pdfs: Path, tmp_path: Path) -> None:
    teacher = ScriptedTeacher({"report.pdf, page 2": TeacherError("It -- is in Hangul.")})
    report = label(tmp_path / "out", pdf=pdfs, teacher=teacher)
    assert (report.labelled, report.failed) == (11, 1)
    text = (tmp_path / "out" / "report.md").read_text()
    assert "<!-- Page 2: It - - is in Hangul. -->" in text
    assert "# report.pdf, page 3" in text


def test_resuming_asks_only_for_pages_without_a_label(pdfs: Path, tmp_path: Path) -> None:
    first = ScriptedTeacher({"report.pdf, page 2": TeacherError("busy")}, concurrency=1)
    stopped = label(tmp_path / "out", pdf=pdfs, teacher=first, stop_after=5)
    assert stopped.cancelled
    assert "not done yet" in (tmp_path / "out" / "report.md").read_text()

    second = ScriptedTeacher()
    report = label(tmp_path / "out", pdf=pdfs, teacher=second, earlier=Earlier.RESUME)
    # One answer more may have waited for its check when the run was stopped.
    assert report.resumed in (5, 6)
    assert (report.resumed + report.labelled, report.failed) == (12, 0)
    assert {page.key for page in second.asked}.isdisjoint(
        {page.key for page in first.asked} - {"report.pdf, page 2"}
    )
    text = (tmp_path / "out" / "report.md").read_text()
    assert text.count("# report.pdf") == 11
    assert "<!--" not in text


def test_a_journal_cut_short_by_a_kill_loses_only_the_cut_line(pdfs: Path, tmp_path: Path) -> None:
    label(tmp_path / "out", pdf=pdfs, output_format="jsonl")
    journal = tmp_path / "out" / JOURNAL_NAME
    journal.write_bytes(journal.read_bytes()[:-20])
    (tmp_path / "out" / "results.jsonl").write_text('{"messages": [{"ro')
    teacher = ScriptedTeacher()
    report = label(tmp_path / "out", pdf=pdfs, output_format="jsonl", teacher=teacher, earlier=Earlier.RESUME)
    assert (report.resumed, report.labelled, len(teacher.asked)) == (11, 1, 1)
    assert len(read_dataset(tmp_path / "out" / "results.jsonl").samples) == 12


def test_an_earlier_run_is_not_replaced_unasked(pdfs: Path, tmp_path: Path) -> None:
    label(tmp_path / "out", pdf=pdfs)
    with pytest.raises(InputError, match="holds labels of an earlier run") as caught:
        label(tmp_path / "out", pdf=pdfs)
    assert "--resume" in caught.value.hint
    report = label(tmp_path / "out", pdf=pdfs, earlier=Earlier.OVERWRITE)
    assert report.labelled == 12


def test_labels_of_another_task_are_not_mixed(pdfs: Path, tmp_path: Path) -> None:
    label(tmp_path / "out", pdf=pdfs)
    other = get_task(load_tasks(), "free_ocr")
    with pytest.raises(InputError, match="made with another task, prompt"):
        label(tmp_path / "out", pdf=pdfs, task=other, earlier=Earlier.RESUME)


def test_a_file_of_somebody_else_is_not_replaced(pdfs: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "report.md").write_text("My own notes")
    with pytest.raises(InputError, match=r"report\.md exists already"):
        label(tmp_path / "out", pdf=pdfs)
    assert (tmp_path / "out" / "report.md").read_text() == "My own notes"


def test_a_page_that_changed_is_labelled_again(pictures: Path, tmp_path: Path) -> None:
    label(tmp_path / "out", images=pictures)
    Image.new("RGB", (400, 500), "white").save(pictures / "photo.png")
    teacher = ScriptedTeacher()
    report = label(tmp_path / "out", images=pictures, teacher=teacher, earlier=Earlier.RESUME)
    assert [page.key for page in teacher.asked] == ["photo.png"]
    assert report.resumed == 4


def test_files_that_cannot_be_opened_are_problems_and_the_others_go_on(pdfs: Path, tmp_path: Path) -> None:
    (pdfs / "broken.pdf").write_bytes(b"not a PDF")
    report = label(tmp_path / "out", pdf=pdfs)
    assert report.labelled == 12
    assert len(report.problems) == 1
    assert "broken.pdf" in report.problems[0].message
    assert not report.is_complete


def test_a_folder_without_documents_of_the_kind_says_which_option_to_use(pictures: Path) -> None:
    with pytest.raises(InputError, match="holds no PDF file") as caught:
        find_pages(None, pictures, password=None, dpi=72)
    assert "--images" in caught.value.hint


def test_sub_folders_are_read_and_pages_of_each_stay_together(tmp_path: Path) -> None:
    for name in ("a/x_p1.png", "b/x_p1.png", "b/x_p2.png", "out/y_p1.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (20, 20)).save(tmp_path / name)
    (tmp_path / "b" / "letter.pdf").touch()
    found = find_pages(tmp_path, None, password=None, dpi=72, skip=[tmp_path / "out"])
    assert [(page.document, page.number) for page in found.pages] == [("x", 1), ("x_2", 1), ("x_2", 2)]
    assert "3 files taken. 1 file is for --pdf. Left out: 1 output folder (out)." in found.remarks[0]


def test_equal_names_of_pdf_and_pictures_stay_apart(pdfs: Path, pictures: Path) -> None:
    found = find_pages(pictures, pdfs, password=None, dpi=72)
    assert {page.document for page in found.pages} == {"letter", "report", "report_2", "invoice", "photo"}


def test_a_picture_keeps_its_pixels_whatever_resolution_it_states(tmp_path: Path) -> None:
    Image.new("RGB", (400, 500), "white").save(tmp_path / "photo.png", dpi=(1200, 1200))
    label(tmp_path / "out", images=tmp_path / "photo.png", save_images=True)
    with Image.open(tmp_path / "out" / "images" / "photo_p1.png") as kept:
        assert kept.size == (400, 500)


def test_a_reduced_page_is_remarked_on_and_honours_the_limit(tmp_path: Path) -> None:
    with pymupdf.open() as document:
        document.new_page(width=7200, height=7200)
        document.save(tmp_path / "poster.pdf")
    seen: list[InferenceProgress] = []
    label(
        tmp_path / "out", pdf=tmp_path / "poster.pdf", output_format="jsonl", progress=seen, max_pixels=90_000
    )
    with Image.open(tmp_path / "out" / "images" / "poster_p1.png") as kept:
        assert kept.width * kept.height <= 91_000
    assert "to stay within 0.09 megapixels" in seen[0].remarks[0]
    record = json.loads((tmp_path / "out" / JOURNAL_NAME).read_text().splitlines()[1])
    assert record["parameters"]["remarks"] == list(seen[0].remarks)


def test_two_output_files_in_one_folder_do_not_disturb_each_other(pictures: Path, tmp_path: Path) -> None:
    for name in ("train.jsonl", "eval.jsonl"):
        label(tmp_path / "out" / name, images=pictures, output_format="jsonl")
    with pytest.raises(InputError, match=r"train\.jsonl holds labels of an earlier run"):
        label(tmp_path / "out" / "train.jsonl", images=pictures, output_format="jsonl")
    report = label(
        tmp_path / "out" / "eval.jsonl", images=pictures, output_format="jsonl", earlier=Earlier.RESUME
    )
    assert report.resumed == 5


def test_the_name_of_a_file_must_fit_the_format(pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is the name of a json file, but the format is jsonl"):
        label(tmp_path / "out.json", images=pictures, output_format="jsonl")
    with pytest.raises(InputError, match="is the name of a jsonl file, but the format is md"):
        label(tmp_path / "out.jsonl", images=pictures)


def test_a_second_run_into_the_same_folder_waits_for_nobody(pictures: Path, tmp_path: Path) -> None:
    class Impatient(ScriptedTeacher):
        async def draft(self, page: PageSource, task: Task) -> Draft:
            for earlier in Earlier:
                with pytest.raises(InputError, match="Another process is writing"):
                    open_journal(tmp_path / "out" / JOURNAL_NAME, {}, earlier, tmp_path / "out")
            return await super().draft(page, task)

    report = label(tmp_path / "out", images=pictures, teacher=Impatient())
    assert report.is_complete


@pytest.mark.parametrize("first", ["[]", "5", '{"version": 1, "made_with": 3}', "{"])
def test_a_damaged_journal_is_a_sentence(pictures: Path, tmp_path: Path, first: str) -> None:
    label(tmp_path / "out", images=pictures)
    journal = tmp_path / "out" / JOURNAL_NAME
    journal.write_text("\n".join([first, *journal.read_text().splitlines()[1:]]) + "\n")
    with pytest.raises(InputError, match="is damaged"):
        label(tmp_path / "out", images=pictures, earlier=Earlier.RESUME)


def test_a_full_disk_is_a_sentence_and_what_was_written_can_be_gone_on_with(
    pictures: Path, tmp_path: Path
) -> None:
    """The limit on the size of a file stands for the end of the disk."""
    script = (
        "import resource, signal, sys; sys.path.insert(0, sys.argv[3])\n"
        "sys.dont_write_bytecode = True  # a cut-off .pyc would stay\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "from pathlib import Path; from tests.unit.services import test_inference as t\n"
        "t.label(Path(sys.argv[1]), images=Path(sys.argv[2]), output_format='jsonl')\n"
    )
    out = tmp_path / "out"
    arguments = [sys.executable, "-c", script, str(out), str(pictures), str(REPOSITORY)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, cwd=REPOSITORY)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("ocrstudio.domain.errors.InputError: The journal")
    report = label(out, images=pictures, output_format="jsonl", earlier=Earlier.RESUME)
    assert report.resumed >= 1
    assert len(read_dataset(out / "results.jsonl").samples) == 5
