"""Pages drawn by a real child process, from ordinary code."""

from pathlib import Path

import pytest
from PIL import Image

from ocrstudio.domain.errors import DocumentError, SlowPageError
from ocrstudio.services.page_drawing import PageDrawer, draw_here
from tests.fakes.pdfs import damaged_pdf, endless_pdf, text_pdf
from tests.fakes.processes import children

MOST = 25_000_000


def test_the_child_draws_what_this_process_would_draw(tmp_path: Path) -> None:
    pdf = text_pdf(tmp_path / "a.pdf", 3)
    with PageDrawer() as drawer:
        there = [drawer.draw(pdf, index, 72, MOST, tmp_path / f"there{index}.png") for index in range(3)]
    here = [draw_here(pdf, index, 72, MOST, tmp_path / f"here{index}.png") for index in range(3)]
    assert there == here
    assert len(set(there)) == 3
    with Image.open(tmp_path / "there0.png") as one, Image.open(tmp_path / "here0.png") as other:
        assert one.tobytes() == other.tobytes()
    assert children() == []


def test_no_page_needs_no_child() -> None:
    with PageDrawer():
        assert children() == []


def test_a_damaged_document_is_a_sentence_and_the_next_page_is_drawn(tmp_path: Path) -> None:
    bad, good = damaged_pdf(tmp_path / "bad.pdf"), text_pdf(tmp_path / "good.pdf", 1)
    with PageDrawer() as drawer:
        with pytest.raises(DocumentError, match=r"bad\.pdf"):
            drawer.draw(bad, 0, 72, MOST, tmp_path / "bad.png")
        assert drawer.draw(good, 0, 72, MOST, tmp_path / "good.png")


def test_a_child_that_dies_is_replaced_by_the_next_page(tmp_path: Path) -> None:
    pdf = text_pdf(tmp_path / "a.pdf", 2)
    with PageDrawer() as drawer:
        drawer.draw(pdf, 0, 72, MOST, tmp_path / "0.png")
        children()[0].kill()
        drawn = []
        for _ in range(2):  # the death may be noticed only by the request that meets it
            try:
                drawn.append(drawer.draw(pdf, 1, 72, MOST, tmp_path / "1.png"))
            except DocumentError:
                continue
        assert drawn
    assert children() == []


def test_a_page_that_never_finishes_is_given_up_and_the_next_is_drawn(tmp_path: Path) -> None:
    pdf = endless_pdf(tmp_path / "map.pdf")
    with PageDrawer(page_seconds=2) as drawer:
        with pytest.raises(SlowPageError, match=r"Page 2 of map\.pdf was not drawn within 2 s"):
            drawer.draw(pdf, 1, 72, MOST, tmp_path / "2.png")
        assert children() == []
        assert drawer.draw(pdf, 2, 72, MOST, tmp_path / "3.png")
