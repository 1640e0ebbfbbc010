import os
import signal

import pytest
from PySide6.QtGui import QImage

from ocrstudio.ui.viewer.renderer import PageCache, PageKey, PageRenderer, RenderedPage, resolution_step
from tests.fakes.pdfs import damaged_pdf, endless_pdf, huge_pdf, text_pdf
from tests.fakes.processes import children


@pytest.fixture
def renderer(qtbot):
    renderer = PageRenderer(64 * 1024 * 1024)
    yield renderer
    renderer.shutdown()


def picture(key, side):
    return RenderedPage(key, QImage(side, side, QImage.Format.Format_RGB32), 96)


def test_a_page_is_drawn_by_another_process(renderer, qtbot, tmp_path):
    key = PageKey(text_pdf(tmp_path / "a.pdf", 2), 1)
    with qtbot.waitSignal(renderer.rendered) as told:
        renderer.request(key, 90)
    page = told.args[0]
    assert page.key == key
    assert (page.image.width(), page.image.height()) == (794, 1123)
    assert renderer.cached(key) is page


def test_a_known_picture_needs_no_process(renderer, qtbot, tmp_path):
    key = PageKey(tmp_path / "not there.pdf", 0)
    renderer.cache.put(picture(key, 10))
    with qtbot.waitSignal(renderer.rendered):
        renderer.request(key, 80)
    assert children() == []


def test_a_damaged_file_is_a_sentence(renderer, qtbot, tmp_path):
    with qtbot.waitSignal(renderer.failed) as told:
        renderer.request(PageKey(damaged_pdf(tmp_path / "bad.pdf"), 0), 90)
    assert "bad.pdf" in told.args[1].message


def test_a_poster_is_capped_and_says_so(renderer, qtbot, tmp_path):
    with qtbot.waitSignal(renderer.rendered) as told:
        renderer.request(PageKey(huge_pdf(tmp_path / "poster.pdf"), 0), 200)
    page = told.args[0]
    assert page.image.width() * page.image.height() <= 25_000_000
    assert page.warnings


def test_a_process_that_dies_at_a_page_is_told_and_the_next_page_is_drawn(renderer, qtbot, tmp_path):
    path = text_pdf(tmp_path / "a.pdf", 3)
    with qtbot.waitSignal(renderer.rendered):
        renderer.request(PageKey(path, 0), 90)
    os.kill(renderer._process.pid, signal.SIGSTOP)
    with qtbot.waitSignal(renderer.failed) as told:
        renderer.request(PageKey(path, 1), 90)
        os.kill(renderer._process.pid, signal.SIGKILL)
    assert "page 2 of a.pdf" in told.args[1].message
    with qtbot.waitSignal(renderer.rendered):
        renderer.request(PageKey(path, 1), 90)


def test_a_process_that_died_unnoticed_is_started_again(renderer, qtbot, tmp_path):
    path = text_pdf(tmp_path / "a.pdf", 2)
    with qtbot.waitSignal(renderer.rendered):
        renderer.request(PageKey(path, 0), 90)
    process = renderer._process
    process.kill()
    process.wait()
    with qtbot.waitSignal(renderer.rendered):
        renderer.request(PageKey(path, 1), 90)


def test_neighbours_are_drawn_ahead(renderer, qtbot, tmp_path):
    path = text_pdf(tmp_path / "a.pdf", 4)
    keys = [PageKey(path, 1), PageKey(path, 2)]
    renderer.draw_ahead(keys, 90)
    qtbot.waitUntil(lambda: all(renderer.cached(key) for key in keys))


def test_the_cache_keeps_to_its_limit(tmp_path):
    cache = PageCache(3 * 100 * 100 * 4)
    keys = [PageKey(tmp_path / "a.pdf", index) for index in range(5)]
    for key in keys:
        cache.put(picture(key, 100))
    assert cache.bytes <= 3 * 100 * 100 * 4
    assert cache.get(keys[0]) is None
    assert cache.get(keys[4]) is not None


def test_the_page_used_last_stays(tmp_path):
    cache = PageCache(2 * 100 * 100 * 4)
    first, second, third = (PageKey(tmp_path / "a.pdf", index) for index in range(3))
    cache.put(picture(first, 100))
    cache.put(picture(second, 100))
    cache.get(first)
    cache.put(picture(third, 100))
    assert cache.get(first) is not None
    assert cache.get(second) is None


def test_a_small_change_of_zoom_asks_for_the_same_step():
    assert resolution_step(97) == resolution_step(128) == 128
    assert resolution_step(10_000) == 720


def test_a_page_that_never_finishes_is_told_and_the_next_is_drawn(qtbot, tmp_path):
    path = endless_pdf(tmp_path / "map.pdf")
    renderer = PageRenderer(64 * 1024 * 1024, page_seconds=1)
    try:
        with qtbot.waitSignal(renderer.failed) as told:
            renderer.request(PageKey(path, 1), 90)
        assert told.args[1].message == (
            "Page 2 of map.pdf was not drawn within 1 s (max_page_seconds in the settings)."
        )
        with qtbot.waitSignal(renderer.rendered):
            renderer.request(PageKey(path, 2), 90)
    finally:
        renderer.shutdown()
    assert children() == []
