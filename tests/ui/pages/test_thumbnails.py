"""Thumbnails in the list of pages, drawn by the real renderer."""

import pytest
from PySide6.QtCore import QObject, QSize

from ocrstudio.services.workspaces import import_sources
from ocrstudio.store import Workspace
from ocrstudio.ui.pages.model import PAGE_ROLE
from ocrstudio.ui.pages.thumbnails import Thumbnails
from ocrstudio.ui.viewer.renderer import PageKey, PageRenderer
from tests.fakes.pdfs import damaged_pdf, text_pdf

ROOM = QSize(32, 44)


@pytest.fixture
def renderer(qtbot):
    renderer = PageRenderer(64 * 1024 * 1024)
    yield renderer
    renderer.shutdown()


@pytest.fixture
def thumbnails(renderer):
    owner = QObject()
    yield Thumbnails(renderer, ROOM, owner)
    owner.deleteLater()


def test_a_row_gets_its_picture_a_moment_after_it_is_painted(thumbnails, qtbot, tmp_path):
    key = PageKey(text_pdf(tmp_path / "a.pdf", 2), 1)
    with qtbot.waitSignal(thumbnails.changed):
        assert thumbnails.picture(key, 2.0) is None
    picture = thumbnails.picture(key, 2.0)
    assert picture.devicePixelRatio() == 2.0
    size = picture.deviceIndependentSize()
    assert (size.width() <= ROOM.width(), size.height() <= ROOM.height()) == (True, True)
    assert max(size.width() / ROOM.width(), size.height() / ROOM.height()) > 0.95


def test_a_page_that_cannot_be_drawn_is_asked_for_once(thumbnails, qtbot, tmp_path):
    key = PageKey(damaged_pdf(tmp_path / "bad.pdf"), 0)
    with qtbot.waitSignal(thumbnails.changed):
        thumbnails.picture(key, 1.0)
    assert thumbnails.picture(key, 1.0).isNull()
    assert not thumbnails._rest.isActive()


def test_the_page_that_is_wanted_comes_before_thumbnails(renderer, qtbot, tmp_path):
    path = text_pdf(tmp_path / "a.pdf", 30)
    order = []
    renderer.rendered.connect(lambda page: order.append(("page", page.key.index)))
    renderer.small_drawn.connect(lambda key, _: order.append(("small", key.index)))
    renderer.draw_small([PageKey(path, index) for index in range(25)])
    qtbot.waitUntil(lambda: bool(order))
    renderer.request(PageKey(path, 29), 90)
    qtbot.waitUntil(lambda: len(order) == 26)
    assert order.index(("page", 29)) < 25


def test_a_thumbnail_never_takes_the_place_of_a_sharp_picture(renderer, qtbot, tmp_path):
    key = PageKey(text_pdf(tmp_path / "a.pdf", 1), 0)
    with qtbot.waitSignal(renderer.rendered):
        renderer.request(key, 90)
    with qtbot.waitSignal(renderer.small_drawn):
        renderer.draw_small([key])
    assert renderer.cached(key).image.width() > 700


def test_only_rows_that_can_be_seen_are_drawn(studio, qtbot, tmp_path):
    with Workspace.create(tmp_path / "long") as workspace:
        import_sources(workspace, [text_pdf(tmp_path / "long.pdf", 150, "A line.")])
    drawn = []
    studio.renderer.small_drawn.connect(lambda key, _: drawn.append(key.index))
    assert studio.workspaces.open(tmp_path / "long")
    tree = studio.window.pages.tree
    qtbot.waitUntil(lambda: len(drawn) >= 5)
    tree.scrollToBottom()
    qtbot.waitUntil(lambda: 149 in drawn)
    assert 75 not in drawn, "it was only scrolled past"
    last = tree.model().index(149, 0, tree.model().index(0, 0)).data(PAGE_ROLE)
    assert not tree.pages.picture_of(last, 1.0).isNull()


def test_thumbnails_can_be_switched_off(opened, qtbot):
    delegate = opened.window.pages.tree.pages
    assert delegate.picture_of is not None
    opened.apply_settings(opened.settings.model_copy(update={"show_thumbnails": False}))
    assert delegate.picture_of is None
