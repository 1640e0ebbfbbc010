"""Pages drawn for teachers by real child processes."""

import asyncio
import io
from pathlib import Path

import pytest
from PIL import Image

from ocrstudio.domain.errors import InputError, SlowPageError, TeacherError
from ocrstudio.teachers.base import PageSource
from ocrstudio.teachers.page_image import EncodedImage
from ocrstudio.teachers.pictures import Pictures
from tests.fakes.pdfs import damaged_pdf, encrypted_pdf, endless_pdf, text_pdf
from tests.fakes.processes import children


def drawn(*pages: PageSource, image_format="png", max_side=None) -> list[EncodedImage | BaseException]:
    async def scenario():
        pictures = Pictures(2)
        pictures.open()
        try:
            wanted = [pictures.encoded(page, image_format, max_side) for page in pages]
            return await asyncio.gather(*wanted, return_exceptions=True)
        finally:
            await pictures.close()

    result = asyncio.run(scenario())
    assert children() == []
    return result


def test_pages_are_drawn_in_the_format_and_size_that_is_wanted(tmp_path: Path) -> None:
    pdf = text_pdf(tmp_path / "a.pdf", 3)
    pages = [PageSource(f"a.pdf, page {n + 1}", document=pdf, page_index=n, dpi=100) for n in range(3)]
    pictures = drawn(*pages, image_format="jpg", max_side=500)
    assert [(one.mime, max(one.width, one.height)) for one in pictures] == [("image/jpeg", 500)] * 3
    with Image.open(io.BytesIO(pictures[0].data)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (pictures[0].width, pictures[0].height))
    assert len({one.data for one in pictures}) == 3


def test_a_picture_that_is_ready_needs_no_child(tmp_path: Path) -> None:
    path = tmp_path / "page.png"
    Image.new("RGB", (30, 40), "white").save(path)
    (picture,) = drawn(PageSource("page.png", image=path))
    assert picture.data == path.read_bytes()


def test_a_page_that_cannot_be_read_is_a_sentence_and_the_others_are_drawn(tmp_path: Path) -> None:
    bad, good = damaged_pdf(tmp_path / "bad.pdf"), text_pdf(tmp_path / "good.pdf", 1)
    secret = encrypted_pdf(tmp_path / "secret.pdf")
    refused, picture, opened = drawn(
        PageSource("bad.pdf, page 1", document=bad),
        PageSource("good.pdf, page 1", document=good),
        PageSource("secret.pdf, page 1", document=secret, password="sesame"),
    )
    assert isinstance(refused, InputError)
    assert "bad.pdf" in refused.message
    assert picture.width > 1_000
    assert opened.width > 1_000


def test_a_child_that_dies_is_told_and_replaced(tmp_path: Path) -> None:
    pdf = text_pdf(tmp_path / "a.pdf", 2)
    first, second = (PageSource(f"a.pdf, page {n + 1}", document=pdf, page_index=n) for n in range(2))

    async def scenario():
        pictures = Pictures(1)
        pictures.open()
        try:
            await pictures.encoded(first, "png", None)
            (child,) = children()
            child.suspend()
            waiting = asyncio.create_task(pictures.encoded(first, "png", None))
            await asyncio.sleep(0.05)
            child.kill()
            with pytest.raises(
                TeacherError, match=r"a\.pdf, page 1: The process that draws pages was killed"
            ):
                await waiting
            return await pictures.encoded(second, "png", None)
        finally:
            await pictures.close()

    assert asyncio.run(scenario()).width > 1_000
    assert children() == []


def test_a_page_that_never_finishes_is_given_up_and_the_next_is_drawn(tmp_path: Path) -> None:
    pdf = endless_pdf(tmp_path / "map.pdf")
    pages = [
        PageSource(f"map.pdf, page {n + 1}", document=pdf, page_index=n, max_seconds=2) for n in range(3)
    ]
    first, slow, third = drawn(*pages)
    assert first.width
    assert third.width
    assert isinstance(slow, SlowPageError)
    assert slow.message.startswith("map.pdf, page 2 was not drawn within 2 s")
