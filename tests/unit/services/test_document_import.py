"""Folders with sub-folders, equal names, and pages that come as pictures."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ocrstudio.domain.document import PageStatus
from ocrstudio.imaging import load_image
from ocrstudio.services import labelling, workspaces
from ocrstudio.services.dataset_export import export_workspace
from ocrstudio.services.dataset_import import import_dataset
from ocrstudio.services.document_import import DocumentImporter
from ocrstudio.store import Workspace
from ocrstudio.tasks import Task
from tests.fakes.pdfs import short_pdf

TASK = Task("markdown", "", " Convert this document to markdown.\n", protected=False, description="")


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    with workspaces.create_workspace(tmp_path / "ws") as workspace:
        yield workspace


def picture(path: Path, shade: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (40, 30), (shade, 0, 0)).save(path)
    return path


def pages(ws: Workspace) -> list[tuple[str, int]]:
    return [(row.document_name, row.page.index + 1) for row in ws.pages.list()]


def shade_of(ws: Workspace, name: str, number: int) -> int:
    row = next(row for row in ws.pages.list() if (row.document_name, row.page.index + 1) == (name, number))
    return int(np.asarray(load_image(workspaces.page_image(ws, row.page)))[5, 5, 0])


def test_a_folder_brings_everything_below_it_and_equal_names_are_told_apart(
    ws: Workspace, tmp_path: Path
) -> None:
    folder = tmp_path / "photos"
    for shade, name in enumerate(("sub1/1.jpg", "sub1/2.jpg", "sub2/1.jpg", "sub2/deep/1.jpg"), start=1):
        picture(folder / name, shade * 50)
    picture(folder / "odd names" / "-rf.png", 7)
    picture(folder / "odd names" / "Capture décran 50% #3 (a&b) 'x'.png", 8)
    (folder / "sub2" / "readme.txt").write_text("not a document")
    report = workspaces.import_sources(ws, [folder])
    assert [document.name for document in report.imported] == [
        "-rf",
        "Capture décran 50% #3 (a&b) 'x'",
        "sub1-1",
        "2",
        "sub2-1",
        "sub2-deep-1",
    ]
    assert [each.path.name for each in report.left_out] == ["readme.txt"]
    assert workspaces.import_sources(ws, [folder]).imported == ()
    assert len(workspaces.import_sources(ws, [folder]).duplicates) == 6


def test_pictures_of_pages_are_one_document_in_the_order_of_their_numbers(
    ws: Workspace, tmp_path: Path
) -> None:
    for number in (10, 2, 1):
        picture(tmp_path / "in" / f"x_p{number}.png", number * 10)
    picture(tmp_path / "in" / "other.png", 99)
    report = workspaces.import_sources(ws, [tmp_path / "in"])
    assert [(document.name, document.page_count) for document in report.imported] == [("other", 1), ("x", 3)]
    assert pages(ws) == [("other", 1), ("x", 1), ("x", 2), ("x", 10)]
    shutil.rmtree(tmp_path / "in")  # the workspace has copies
    assert [shade_of(ws, "x", number) for number in (1, 2, 10)] == [10, 20, 100]


def test_a_page_that_comes_later_joins_its_document_and_moves_no_other(ws: Workspace, tmp_path: Path) -> None:
    first = workspaces.import_sources(ws, [picture(tmp_path / "x_p3.png", 30)])
    assert pages(ws) == [("x", 3)]
    labelling.save_edit(ws, ws.pages.list()[0].page.id, "three")
    later = workspaces.import_sources(ws, [picture(tmp_path / "x_p1.png", 10), tmp_path / "x_p3.png"])
    assert [(document.name, added) for document, added in later.extended] == [("x", 1)]
    assert [path.name for path, _ in later.duplicates] == ["x_p3.png"]
    assert (first.imported[0].id, later.imported) == (later.extended[0][0].id, ())
    assert pages(ws) == [("x", 1), ("x", 3)]
    assert [row.snippet for row in ws.pages.list()] == ["", "three"]


def test_pages_of_another_folder_with_the_same_names_are_another_document(
    ws: Workspace, tmp_path: Path
) -> None:
    picture(tmp_path / "in" / "a" / "scan_p1.png", 1)
    picture(tmp_path / "in" / "b" / "scan_p2.png", 2)  # fits into the first by number
    workspaces.import_sources(ws, [tmp_path / "in"])
    assert pages(ws) == [("a-scan", 1), ("b-scan", 2)]
    picture(tmp_path / "c" / "scan_p1.png", 3)
    picture(tmp_path / "c" / "scan_p2.png", 4)
    workspaces.import_sources(ws, [tmp_path / "c"])
    assert pages(ws)[2:] == [("scan", 1), ("scan", 2)]
    picture(tmp_path / "d" / "scan_p1.png", 5)  # the page is there, with another picture
    picture(tmp_path / "d" / "scan_p3.png", 6)
    workspaces.import_sources(ws, [tmp_path / "d"])
    assert pages(ws)[4:] == [("scan-2", 1), ("scan-2", 3)]


def test_a_broken_page_stops_no_other_and_can_follow(ws: Workspace, tmp_path: Path) -> None:
    for number in (1, 3):
        picture(tmp_path / "in" / f"x_p{number}.png", number)
    (tmp_path / "in" / "x_p2.png").write_bytes(b"not a picture")
    report = workspaces.import_sources(ws, [tmp_path / "in"])
    assert [problem.path.name for problem in report.problems] == ["x_p2.png"]
    assert pages(ws) == [("x", 1), ("x", 3)]
    picture(tmp_path / "in" / "x_p2.png", 2)
    workspaces.import_sources(ws, [tmp_path / "in"])
    assert pages(ws) == [("x", 1), ("x", 2), ("x", 3)]


def test_names_in_two_forms_of_unicode_are_one_document(ws: Workspace, tmp_path: Path) -> None:
    picture(tmp_path / "in" / "Zu\u0308rich_p1.png", 10)
    picture(tmp_path / "in" / "Z\u00fcrich_p2.png", 20)
    workspaces.import_sources(ws, [tmp_path / "in"])
    assert pages(ws) == [("Z\u00fcrich", 1), ("Z\u00fcrich", 2)]


def test_odd_numbers_and_second_pictures_are_documents_of_their_own(ws: Workspace, tmp_path: Path) -> None:
    for shade, name in enumerate(("x_p1.png", "x_p1.jpg", "x_p0.png", f"x_p{10**30}.png"), start=1):
        picture(tmp_path / "in" / name, shade * 20)
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "lime")]
    frames[0].save(tmp_path / "in" / "x_p2.tiff", save_all=True, append_images=frames[1:])
    report = workspaces.import_sources(ws, [tmp_path / "in"])
    assert report.problems == ()
    assert sorted(document.page_count for document in report.imported) == [1, 1, 1, 1, 2]


def test_a_removed_document_of_pictures_comes_back_with_its_labels(ws: Workspace, tmp_path: Path) -> None:
    for number in (1, 2):
        picture(tmp_path / f"x_p{number}.png", number * 50)
    files = [tmp_path / "x_p1.png", tmp_path / "x_p2.png"]
    workspaces.import_sources(ws, files)
    labelling.save_edit(ws, 1, "weeks of work")
    workspaces.remove_document(ws, 1)
    report = workspaces.import_sources(ws, files)
    assert ([document.name for document in report.restored], report.duplicates) == (["x"], ())
    workspaces.document_path(ws, ws.pages.get(2)).unlink()
    report = workspaces.import_sources(ws, files)
    assert report.remarks == ("The picture of page 2 of x was missing and is back.",)
    assert (pages(ws), shade_of(ws, "x", 2)) == ([("x", 1), ("x", 2)], 100)


def test_a_picture_that_a_crash_left_without_its_page_is_imported(ws: Workspace, tmp_path: Path) -> None:
    file = picture(tmp_path / "x_p1.png", 10)
    left = ws.documents_folder / "x.pages"
    left.mkdir()
    shutil.copy(file, left / f"p1.{'0' * 16}.png")
    workspaces.import_sources(ws, [file])
    assert pages(ws) == [("x", 1)]
    assert len(list(left.iterdir())) == 1
    assert shade_of(ws, "x", 1) == 10


def test_two_importers_at_once_make_one_document(ws: Workspace, tmp_path: Path) -> None:
    files = [picture(tmp_path / f"x_p{number}.png", number * 10) for number in (1, 2)]
    with Workspace.open(ws.root) as other:
        importers = [DocumentImporter(ws, files), DocumentImporter(other, files)]
        taken = [importers[turn].take(files[number]) for number, turn in ((0, 0), (0, 1), (1, 1), (1, 0))]
    assert pages(ws) == [("x", 1), ("x", 2)]
    assert [each.is_new for each in taken] == [True, False, True, False]


def test_page_pictures_stay_one_document_after_a_round_trip(ws: Workspace, tmp_path: Path) -> None:
    for number in (1, 3, 12):
        picture(tmp_path / "in" / f"x_p{number}.png", number * 10)
    workspaces.import_sources(ws, [tmp_path / "in", short_pdf(tmp_path / "y.pdf", ["one", "two"])])
    for row in ws.pages.list():
        labelling.save_edit(ws, row.page.id, f"{row.document_name} {row.page.index + 1}")
        labelling.accept(ws, row.page.id)
    report = export_workspace(ws, tmp_path / "out", TASK, 0.0, seed=1, dpi=72)
    names = sorted(path.name for path in (tmp_path / "out" / "images").iterdir())
    assert names == ["x_p1.png", "x_p12.png", "x_p3.png", "y_p1.png", "y_p2.png"]
    again = import_dataset(ws, report.train, accepted=True)
    assert (again.labels, again.unchanged, again.new_documents) == (0, 5, 0)
    with workspaces.create_workspace(tmp_path / "other") as other:
        done = import_dataset(other, report.train, accepted=True)
        assert (done.labels, done.failures) == (5, ())
        assert pages(other) == pages(ws)
        assert [row.snippet for row in other.pages.list()] == [row.snippet for row in ws.pages.list()]
        assert other.pages.counts()[PageStatus.ACCEPTED] == 5


def test_a_page_added_to_one_document_moves_no_other_between_training_and_evaluation(
    ws: Workspace, tmp_path: Path
) -> None:
    def parts() -> dict[str, str]:
        report = export_workspace(ws, tmp_path / "out", TASK, 0.5, seed=1, dpi=72)
        lines = {path: path.read_text("utf-8") for path in (report.train, report.evaluation) if path}
        return {
            f"p{n}": path.name for n in range(1, 13) for path, text in lines.items() if f"x_p{n}.png" in text
        }

    for number in range(2, 12):
        picture(tmp_path / f"x_p{number}.png", number * 10)
    workspaces.import_sources(ws, sorted(tmp_path.glob("x_p*.png")))
    for row in ws.pages.list():
        labelling.save_edit(ws, row.page.id, "text")
        labelling.accept(ws, row.page.id)
    before = parts()
    assert len(before) == 10
    workspaces.import_sources(ws, [picture(tmp_path / "x_p1.png", 10)])
    first = ws.pages.list()[0].page
    labelling.save_edit(ws, first.id, "text")
    labelling.accept(ws, first.id)
    labelling.exclude(ws, ws.pages.list()[4].page.id)
    after = parts()
    assert len(after) == 10
    assert {page: after[page] for page in before if page in after} == {
        p: before[p] for p in before if p in after
    }
