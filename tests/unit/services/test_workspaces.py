import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ocrstudio.domain.document import DocumentKind, PageStatus
from ocrstudio.domain.errors import DocumentError, EncryptedDocumentError
from ocrstudio.imaging import load_image
from ocrstudio.pdf import open_document
from ocrstudio.services import labelling, workspaces
from ocrstudio.services.document_copy import free_name
from ocrstudio.services.page_drawing import pixels_sha256
from ocrstudio.store import Workspace
from tests.fakes.pdfs import pages_missing_pdf, short_pdf


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    with workspaces.create_workspace(tmp_path / "ws") as workspace:
        yield workspace


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A folder as people have them: two good files, a broken one, one of another kind."""
    folder = tmp_path / "sources"
    folder.mkdir()
    short_pdf(folder / "Report.pdf", ["one", "two"])
    Image.new("RGB", (300, 200), "white").save(folder / "scan.png", dpi=(150, 150))
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 and nothing else")
    (folder / "notes.txt").write_text("not a document")
    return folder


def test_a_folder_is_imported_and_a_broken_file_does_not_stop_it(ws: Workspace, sources: Path) -> None:
    report = workspaces.import_sources(ws, [sources, sources / "nowhere.pdf"])
    assert [document.name for document in report.imported] == ["Report", "scan"]
    assert [problem.path.name for problem in report.problems] == ["nowhere.pdf", "broken.pdf"]
    assert [document.kind for document in ws.documents.list()] == [DocumentKind.PDF, DocumentKind.IMAGE]
    sizes = [(round(row.page.width), round(row.page.height)) for row in ws.pages.list()]
    assert sizes == [(200, 100), (200, 100), (144, 96)]
    shutil.rmtree(sources)  # the workspace has copies
    for row in ws.pages.list():
        workspaces.page_image(ws, row.page)
    assert {path.name for path in ws.documents_folder.iterdir()} == {"Report.pdf", "scan.png"}


def test_the_same_content_is_reported_and_not_copied_again(ws: Workspace, sources: Path) -> None:
    workspaces.import_sources(ws, [sources])
    renamed = shutil.copy(sources / "Report.pdf", sources / "another name.pdf")
    report = workspaces.import_sources(ws, [Path(renamed)])
    assert report.imported == ()
    assert [(path.name, document.name) for path, document in report.duplicates] == [
        ("another name.pdf", "Report")
    ]
    assert len(ws.documents.list()) == 2


def test_equal_names_are_told_apart(ws: Workspace, tmp_path: Path) -> None:
    for number, folder in enumerate(("a", "b", "c")):
        (tmp_path / folder).mkdir()
        short_pdf(tmp_path / folder / ("report.pdf" if number else "REPORT.pdf"), [f"text {number}"])
    report = workspaces.import_sources(ws, [tmp_path / "a", tmp_path / "b", tmp_path / "c"])
    assert [document.name for document in report.imported] == ["REPORT", "report-2", "report-3"]


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("a/b:c*?", "a_b_c_"),
        ("  ..  ", "document"),
        ("CON", "CON_"),
        ("Zu\u0308rich", "Zürich"),
        ("x" * 300, "x" * 100),
        ("보고서", "보고서"),
    ],
)
def test_names_work_on_every_file_system(stem: str, name: str) -> None:
    assert free_name(stem, set()) == name


def test_an_encrypted_pdf_needs_its_password_and_its_copy_does_not(ws: Workspace, tmp_path: Path) -> None:
    secret = short_pdf(tmp_path / "secret.pdf", ["hidden"], password="open sesame")
    for wrong in (None, "wrong"):
        report = workspaces.import_sources(ws, [secret], password=wrong)
        assert isinstance(report.problems[0].error, EncryptedDocumentError)
    assert list(ws.documents_folder.iterdir()) == []  # no leftovers either
    report = workspaces.import_sources(ws, [secret], password="open sesame")
    assert "not" in report.remarks[-1]
    assert "no password was kept" in report.remarks[-1]
    workspaces.page_image(ws, ws.pages.list()[0].page)  # without a password
    everything = b"".join(path.read_bytes() for path in ws.root.rglob("*") if path.is_file())
    assert b"open sesame" not in everything
    assert len(workspaces.import_sources(ws, [secret]).duplicates) == 1


def test_a_removed_document_comes_back_with_its_labels_when_imported_again(
    ws: Workspace, sources: Path
) -> None:
    workspaces.import_sources(ws, [sources / "Report.pdf"])
    labelling.save_edit(ws, 1, "weeks of work")
    labelling.accept(ws, 1)
    workspaces.remove_document(ws, 1)
    assert workspaces.workspace_status(ws).removed_documents == 1
    assert workspaces.workspace_status(ws).page_count == 0
    report = workspaces.import_sources(ws, [sources / "Report.pdf"])
    assert [document.name for document in report.restored] == ["Report"]
    assert ws.pages.counts()[PageStatus.ACCEPTED] == 1
    current = ws.labels.current(1)
    assert current is not None
    assert current.text == "weeks of work"


def test_a_copy_that_somebody_deleted_is_replaced_by_importing_again(ws: Workspace, sources: Path) -> None:
    workspaces.import_sources(ws, [sources / "Report.pdf"])
    page = ws.pages.list()[0].page
    workspaces.document_path(ws, page).unlink()
    with pytest.raises(DocumentError, match=r"Report\.pdf does not exist"):
        workspaces.page_image(ws, page)
    report = workspaces.import_sources(ws, [sources / "Report.pdf"])
    assert "is back" in report.remarks[0]
    assert workspaces.page_image(ws, page).exists()


def test_stopping_keeps_what_is_done(ws: Workspace, sources: Path) -> None:
    seen: list[tuple[int, int, str]] = []
    report = workspaces.import_sources(
        ws,
        [sources / "Report.pdf", sources / "scan.png"],
        progress=lambda done, total, path: seen.append((done, total, path.name)),
        should_stop=lambda: len(seen) == 1,
    )
    assert report.stopped
    assert seen == [(0, 2, "Report.pdf")]
    assert [document.name for document in ws.documents.list()] == ["Report"]


def test_a_page_picture_is_rendered_once_and_shows_the_page(ws: Workspace, sources: Path) -> None:
    workspaces.import_sources(ws, [sources / "Report.pdf"])
    page = ws.pages.list()[1].page
    path = workspaces.page_image(ws, page)
    with open_document(sources / "Report.pdf") as document:
        expected = document.render(1).pixels
    assert np.array_equal(np.asarray(load_image(path)), expected)
    assert ws.pages.get(page.id).content_sha256 == pixels_sha256(expected)
    written = path.stat().st_ino
    assert workspaces.page_image(ws, page).stat().st_ino == written
    smaller = workspaces.page_image(ws, page, dpi=72)
    assert load_image(smaller).size == (200, 100)
    path.unlink()  # the cache may be deleted at any time
    assert workspaces.page_image(ws, page).exists()


def test_status_counts_by_document_and_by_source(ws: Workspace, sources: Path) -> None:
    workspaces.import_sources(ws, [sources])
    labelling.save_edit(ws, 1, "text")
    labelling.accept(ws, 1)
    status = workspaces.workspace_status(ws)
    assert status.page_count == 3
    assert status.revisions == {"human": 1}
    assert [(document.name, dict(counts)) for document, counts in status.documents] == [
        ("Report", {PageStatus.ACCEPTED: 1, PageStatus.UNLABELLED: 1}),
        ("scan", {PageStatus.UNLABELLED: 1}),
    ]


def test_damaged_pages_do_not_keep_the_others_out(ws: Workspace, tmp_path: Path) -> None:
    report = workspaces.import_sources(ws, [pages_missing_pdf(tmp_path / "cut.pdf", claimed=9)])
    assert [document.page_count for document in report.imported] == [9]
    assert report.problems == ()
    named = [remark for remark in report.remarks if "cannot be drawn" in remark]
    assert [remark.split(" of ")[0] for remark in named] == [
        *(f"Page {number}" for number in range(2, 7)),
        "3 more pages",
    ]
    first, second, *_ = ws.pages.list()
    assert workspaces.page_image(ws, first.page).is_file()
    with pytest.raises(DocumentError, match=r"Page 2 of .* cannot be drawn"):
        workspaces.page_image(ws, second.page)
