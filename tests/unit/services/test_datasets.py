import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from ocrstudio.datasets import read_dataset
from ocrstudio.datasets.checks import FindingKind, check_leakage, dataset_sha256
from ocrstudio.domain.document import PageStatus
from ocrstudio.domain.errors import DatasetError
from ocrstudio.domain.label import NewRevision
from ocrstudio.domain.page_files import document_of_file
from ocrstudio.imaging import load_image
from ocrstudio.services import labelling, workspaces
from ocrstudio.services.dataset_export import ExportReport, export_workspace
from ocrstudio.services.dataset_import import import_dataset
from ocrstudio.services.page_counts import count_pages
from ocrstudio.store import Workspace
from ocrstudio.tasks import Task
from tests.fakes.pdfs import huge_pdf, short_pdf

TASK = Task("markdown", "", " Convert this document to markdown.\n", protected=False, description="")


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    """Three documents of two pages; all but the last page accepted."""
    sources = [short_pdf(tmp_path / f"{name}.pdf", [f"{name} 1", f"{name} 2"]) for name in ("a", "b", "c")]
    with workspaces.create_workspace(tmp_path / "ws") as workspace:
        workspaces.import_sources(workspace, sources)
        for row in workspace.pages.list():
            labelling.save_edit(workspace, row.page.id, f"# Seite {row.page.id}\n\n한국어 „ä“")
            labelling.accept(workspace, row.page.id)
        labelling.reopen(workspace, 6)
        yield workspace


def export(ws: Workspace, target: Path, **options) -> ExportReport:
    return export_workspace(ws, target, TASK, **{"eval_fraction": 0.3, "seed": 1, "dpi": 72} | options)


def test_only_accepted_pages_are_exported_in_the_exact_format(ws: Workspace, tmp_path: Path) -> None:
    report = export(ws, tmp_path / "out", eval_fraction=0.0)
    assert (report.train_samples, report.evaluation, report.skipped) == (5, None, ())
    first = report.train.read_text("utf-8").splitlines()[0]
    assert json.loads(first) == {
        "messages": [
            {
                "role": "<|User|>",
                "content": "<image>\nConvert this document to markdown.",
                "images": ["images/a_p1.png"],
            },
            {"role": "<|Assistant|>", "content": "# Seite 1\n\n한국어 „ä“"},
        ]
    }
    assert "한국어" in first  # readable, not escaped
    assert sorted(path.name for path in (tmp_path / "out" / "images").iterdir()) == [
        f"{name}_p{page}.png" for name, page in (("a", 1), ("a", 2), ("b", 1), ("b", 2), ("c", 1))
    ]


def test_pictures_have_the_resolution_of_the_settings(
    ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "config" / "ocrstudio" / "settings.yaml"
    settings.parent.mkdir(parents=True)
    settings.write_text("default_dpi: 144\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    report = export(ws, tmp_path / "out", dpi=None)
    sample = read_dataset(report.train).samples[0]
    assert load_image(sample.image).size == (400, 200)  # a page of 200 x 100 points


def test_what_is_held_out_is_known_before(ws: Workspace, tmp_path: Path) -> None:
    planned = count_pages(ws).held_out({PageStatus.ACCEPTED}, 0.3, seed=1)
    assert export(ws, tmp_path / "out").evaluation_samples == planned > 0


def test_a_reader_gets_back_what_was_exported(ws: Workspace, tmp_path: Path) -> None:
    report = export(ws, tmp_path / "out")
    train, evaluation = read_dataset(report.train), read_dataset(report.evaluation or Path())
    assert train.problems == evaluation.problems == ()
    answers = {sample.answer for sample in train.samples + evaluation.samples}
    assert answers == {f"# Seite {number}\n\n한국어 „ä“" for number in range(1, 6)}
    assert dataset_sha256(train.samples) == report.sha256
    assert check_leakage(train.samples, evaluation.samples) == []
    sides = [{document_of_file(s.image_name) for s in part.samples} for part in (train, evaluation)]
    assert sides[0] & sides[1] == set()
    assert sides[0] | sides[1] == {"a", "b", "c"}


def test_the_manifest_says_what_it_is(ws: Workspace, tmp_path: Path) -> None:
    report = export(ws, tmp_path / "out")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8"))
    assert manifest["task"] == "markdown"
    assert manifest["source_workspace"] == "ws"
    assert manifest["split"] == {"by": "document", "eval_fraction": 0.3, "seed": 1}
    assert manifest["sha256"]["train.jsonl"] == report.sha256
    assert set(manifest["files"]) == {
        path.relative_to(tmp_path / "out").as_posix()
        for path in (tmp_path / "out").rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }


def test_exporting_again_replaces_the_whole(ws: Workspace, tmp_path: Path) -> None:
    export(ws, tmp_path / "out")
    labelling.exclude(ws, 1)
    export(ws, tmp_path / "out", eval_fraction=0.0)
    assert not (tmp_path / "out" / "images" / "a_p1.png").exists()
    assert not (tmp_path / "out" / "eval.jsonl").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_one_document_is_divided_by_pages_and_says_so(ws: Workspace, tmp_path: Path) -> None:
    for page_id in (3, 4, 5):
        labelling.exclude(ws, page_id)
    report = export(ws, tmp_path / "out")
    assert (report.split_by, report.train_samples, report.evaluation_samples) == ("page", 1, 1)
    assert "one document" in report.remarks[0]


def test_other_states_on_request_and_pages_without_text_named(ws: Workspace, tmp_path: Path) -> None:
    labelling.save_edit(ws, 6, " ")
    report = export(ws, tmp_path / "out", statuses=[PageStatus.IN_REVIEW, PageStatus.ACCEPTED])
    assert report.skipped == (("c, page 2", "it has no label."),)
    assert report.train_samples + report.evaluation_samples == 5


def test_a_page_that_cannot_be_rendered_is_named_and_the_others_go_on(ws: Workspace, tmp_path: Path) -> None:
    (ws.documents_folder / "b.pdf").unlink()
    report = export(ws, tmp_path / "out")
    assert [place for place, _ in report.skipped] == ["b, page 1", "b, page 2"]
    assert report.train_samples + report.evaluation_samples == 3


def test_when_no_page_can_be_drawn_the_reason_is_not_a_missing_label(ws: Workspace, tmp_path: Path) -> None:
    for document in ws.documents_folder.iterdir():
        document.unlink()
    with pytest.raises(
        DatasetError, match=r"None of 5 pages of .* can be exported\. a, page 1: .*does not exist"
    ):
        export(ws, tmp_path / "out")


def test_nothing_to_export_leaves_the_earlier_export(ws: Workspace, tmp_path: Path) -> None:
    before = export(ws, tmp_path / "out").train.read_bytes()
    for page_id in range(1, 7):
        labelling.exclude(ws, page_id)
    with pytest.raises(DatasetError, match="nothing to export"):
        export(ws, tmp_path / "out")
    assert (tmp_path / "out" / "train.jsonl").read_bytes() == before


def test_labels_of_another_task_are_mentioned(ws: Workspace, tmp_path: Path) -> None:
    labelling.reopen(ws, 1)
    ws.labels.append(1, NewRevision("a chart", "teacher:x", task="figure"), make_current=True)
    labelling.accept(ws, 1)
    assert "another task" in export(ws, tmp_path / "out").remarks[0]


def test_duplicate_pictures_are_found(ws: Workspace, tmp_path: Path) -> None:
    short_pdf(tmp_path / "twice.pdf", ["a 1"])
    workspaces.import_sources(ws, [tmp_path / "twice.pdf"])
    labelling.save_edit(ws, 7, "another label")
    labelling.accept(ws, 7)
    report = export(ws, tmp_path / "out", eval_fraction=0.0)
    assert [finding.kind for finding in report.findings] == [FindingKind.CONFLICT]


def test_labels_corrected_elsewhere_come_back_to_their_pages(ws: Workspace, tmp_path: Path) -> None:
    report = export(ws, tmp_path / "out", eval_fraction=0.0, dpi=200)
    lines = report.train.read_text("utf-8").replace("# Seite 2\\n", "# Page two\\n")
    (tmp_path / "out" / "corrected.jsonl").write_text(lines, "utf-8")
    labelling.reopen(ws, 2)
    with_draft = workspaces.workspace_status(ws).page_count
    done = import_dataset(ws, tmp_path / "out" / "corrected.jsonl", accepted=True)
    assert (done.labels, done.matched, done.unchanged, done.kept_beside) == (1, 1, 4, 1)
    newest = ws.labels.history(2)[0]
    assert (newest.text.splitlines()[0], newest.source) == ("# Page two", "import")
    assert newest.parameters == {"file": "corrected.jsonl", "line": 2}
    assert workspaces.workspace_status(ws).page_count == with_draft  # no new documents


@pytest.mark.parametrize("with_manifest", [True, False])
def test_labels_come_back_whatever_resolution_the_pictures_have(
    ws: Workspace, tmp_path: Path, with_manifest: bool
) -> None:
    report = export(ws, tmp_path / "out", eval_fraction=0.0, dpi=90)
    lines = report.train.read_text("utf-8").replace("# Seite 2\\n", "# Page two\\n")
    (tmp_path / "out" / "corrected.jsonl").write_text(lines, "utf-8")
    if not with_manifest:
        (tmp_path / "out" / "manifest.json").unlink()
    done = import_dataset(ws, tmp_path / "out" / "corrected.jsonl")
    assert (done.labels, done.matched, done.unchanged, done.new_documents) == (1, 1, 4, 0)


def test_a_picture_that_only_has_the_name_of_a_page_is_a_document_of_its_own(
    ws: Workspace, tmp_path: Path
) -> None:
    report = export(ws, tmp_path / "out", eval_fraction=0.0)
    Image.new("RGB", (40, 30), "red").save(tmp_path / "out" / "images" / "a_p1.png")
    done = import_dataset(ws, report.train)
    assert (done.labels, done.new_documents) == (1, 1)


def test_page_pictures_of_one_document_stay_on_one_side(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for document in ("report", "letter"):
        for number in range(1, 5):
            shade = (number, 0, 0 if document == "report" else 9)
            Image.new("RGB", (20, 20), shade).save(folder / f"{document}_p{number}.png")
    with workspaces.create_workspace(tmp_path / "ws") as ws:
        workspaces.import_sources(ws, [folder])
        for row in ws.pages.list():
            labelling.save_edit(ws, row.page.id, row.document_name)
            labelling.accept(ws, row.page.id)
        report = export(ws, tmp_path / "out", eval_fraction=0.5)
    assert report.split_by == "document"
    samples = {
        path: {sample.answer.partition("_p")[0] for sample in read_dataset(path).samples}
        for path in (report.train, report.evaluation)
        if path is not None
    }
    assert sorted(map(sorted, samples.values())) == [["letter"], ["report"]]


def test_pages_too_large_for_the_resolution_are_mentioned(ws: Workspace, tmp_path: Path) -> None:
    huge_pdf(tmp_path / "poster.pdf")
    workspaces.import_sources(ws, [tmp_path / "poster.pdf"])
    labelling.save_edit(ws, 7, "Poster")
    labelling.accept(ws, 7)
    report = export(ws, tmp_path / "out", dpi=200)
    assert report.remarks == (
        "1 page too large for 200 dpi (max_image_pixels in the settings): poster, page 1 is drawn at 25 dpi.",
    )


def test_a_foreign_dataset_becomes_documents_with_labels(ws: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "foreign"
    folder.mkdir()
    Image.new("RGB", (40, 30), "red").save(folder / "p1.png")
    (folder / "p2.png").write_bytes(b"not a picture")

    def line(image: str) -> str:
        messages = [
            {"role": "<|User|>", "content": "<image>\nFree OCR.", "images": [image]},
            {"role": "<|Assistant|>", "content": f"text of {image}"},
        ]
        return json.dumps({"messages": messages}) + "\n"

    (folder / "d.jsonl").write_text(line("p1.png") + "{broken\n" + line("p2.png") + line("p3.png"))
    done = import_dataset(ws, folder / "d.jsonl")
    assert (done.labels, done.new_documents, done.kept_beside) == (1, 1, 0)
    assert [problem.line for problem in done.problems] == [2, 4]
    assert [place for place, _ in done.failures] == ["Line 3"]
    row = ws.pages.list(text="text of p1")[0]
    assert (row.document_name, row.source, row.page.status) == ("p1", "import", PageStatus.DRAFT)
    again = import_dataset(ws, folder / "d.jsonl")
    assert (again.labels, again.unchanged) == (0, 1)


def test_a_dataset_without_a_usable_line_is_refused(ws: Workspace, tmp_path: Path) -> None:
    (tmp_path / "d.jsonl").write_text('{"image": "gone.png", "text": "x"}\n')
    with pytest.raises(DatasetError, match="no usable line: Line 1"):
        import_dataset(ws, tmp_path / "d.jsonl")
    (tmp_path / "d.jsonl").write_text("{}\n")
    with pytest.raises(DatasetError, match="in no form that is known"):
        import_dataset(ws, tmp_path / "d.jsonl")
