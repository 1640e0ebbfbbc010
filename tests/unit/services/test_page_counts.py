from collections.abc import Iterator
from pathlib import Path

import pytest

from ocrstudio.domain.document import PageStatus
from ocrstudio.services import labelling
from ocrstudio.services.page_counts import PageCounts, count_pages
from ocrstudio.store import Workspace
from tests.fakes.workspaces import add_document

ACCEPTED, DRAFT = PageStatus.ACCEPTED, PageStatus.DRAFT


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    """Two documents of accepted pages, and one of bare ones."""
    with Workspace.create(tmp_path / "ws") as workspace:
        for name, pages in (("long", 6), ("short", 4)):
            for page_id in add_document(workspace, name, pages):
                labelling.save_edit(workspace, page_id, "text")
                labelling.accept(workspace, page_id)
        add_document(workspace, "bare", 2)
        yield workspace


def test_pages_and_their_documents_are_counted_by_state(ws: Workspace) -> None:
    counts = count_pages(ws)
    assert (counts.pages(ACCEPTED), counts.documents(ACCEPTED)) == (10, 2)
    assert (counts.pages(ACCEPTED, PageStatus.UNLABELLED), counts.pages(DRAFT)) == (12, 0)


def test_a_removed_document_does_not_count(ws: Workspace) -> None:
    ws.documents.remove(next(one.id for one in ws.documents.list() if one.name == "long"))
    counts = count_pages(ws)
    assert (counts.pages(ACCEPTED), counts.documents(ACCEPTED)) == (4, 1)


def test_a_whole_document_is_held_out_where_no_part_of_one_can_be(ws: Workspace) -> None:
    assert count_pages(ws).held_out({ACCEPTED}, 0.1, seed=1) == 4


def test_pages_imported_as_single_pictures_are_one_document(ws: Workspace) -> None:
    for number in (1, 2, 3):
        add_document(ws, f"scan_p{number}", 1)
    counts = count_pages(ws)
    assert counts.documents(PageStatus.UNLABELLED) == 2
    assert len(counts.by_origin["scan"][PageStatus.UNLABELLED]) == 3


@pytest.mark.parametrize(("fraction", "least", "most"), [(0.0, 0, 0), (0.25, 40, 60), (0.5, 75, 125)])
def test_one_document_is_divided_by_pages(fraction: float, least: int, most: int) -> None:
    counts = PageCounts({"scan": {ACCEPTED: [f"page {number}" for number in range(200)]}})
    assert least <= counts.held_out({ACCEPTED}, fraction, seed=1) <= most
