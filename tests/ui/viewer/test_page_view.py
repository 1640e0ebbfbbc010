import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtWidgets import QApplication

from ocrstudio.domain.region import Box, Region
from ocrstudio.ui.viewer.page_view import PageView, ZoomMode
from ocrstudio.ui.viewer.renderer import PageKey, RenderedPage

REGIONS = (
    Region("figure", (Box(0.1, 0.1, 0.9, 0.5),)),
    Region("caption", (Box(0.2, 0.4, 0.4, 0.45),)),
)


@pytest.fixture
def view(qtbot):
    view = PageView()
    qtbot.addWidget(view)
    view.resize(700, 600)
    view.show()
    qtbot.waitExposed(view)
    view.show_page(595, 842)
    return view


def at(view, x, y):
    """The place in the viewport of a point given in fractions of the page."""
    return view.mapFromScene(QPointF(x * 595, y * 842))


def test_fit_page_shows_all_of_it_and_follows_the_window(view):
    view.fit_page()
    for size in ((700, 600), (400, 900), (1200, 500)):
        view.resize(*size)
        corners = [at(view, 0, 0), at(view, 1, 1)]
        assert all(view.viewport().rect().contains(corner) for corner in corners)


def test_fit_width_fills_the_width_without_a_horizontal_bar(view):
    view.fit_width()
    assert not view.horizontalScrollBar().isVisible()
    width = at(view, 1, 0).x() - at(view, 0, 0).x()
    assert view.viewport().width() - 40 <= width <= view.viewport().width()


def test_the_wheel_zooms_where_the_pointer_is(view):
    view.zoom_to(2.0)
    place = QPointF(200, 150)
    before = view.mapToScene(place.toPoint())
    for _ in range(4):
        QApplication.sendEvent(
            view.viewport(),
            QWheelEvent(
                place,
                view.mapToGlobal(place),
                QPoint(),
                QPoint(0, 120),
                Qt.MouseButton.NoButton,
                Qt.KeyboardModifier.ControlModifier,
                Qt.ScrollPhase.NoScrollPhase,
                False,
            ),
        )
    after = view.mapToScene(place.toPoint())
    assert view.zoom > 4
    assert abs(after.x() - before.x()) < 2
    assert abs(after.y() - before.y()) < 2


def test_a_drag_pans_and_does_not_choose_a_region(view, qtbot):
    view.zoom_to(3.0)
    view.show_regions(REGIONS)
    chosen = []
    view.region_clicked.connect(chosen.append)
    before = view.verticalScrollBar().value()
    qtbot.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(300, 300))
    for y in (280, 240, 200):
        qtbot.mouseMove(view.viewport(), QPoint(300, y))
    qtbot.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(300, 200))
    assert view.verticalScrollBar().value() > before
    assert chosen == []


def test_a_click_chooses_the_smallest_region_under_it(view, qtbot):
    view.fit_page()
    view.show_regions(REGIONS)
    for place, wanted in (((0.5, 0.2), 0), ((0.3, 0.42), 1)):
        with qtbot.waitSignal(view.region_clicked) as told:
            qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at(view, *place))
        assert told.args == [wanted]


def test_hidden_regions_cannot_be_clicked(view, qtbot):
    view.fit_page()
    view.show_regions(REGIONS)
    view.set_regions_visible(False)
    with qtbot.assertNotEmitted(view.region_clicked):
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at(view, 0.5, 0.2))


def test_a_settled_zoom_asks_for_a_sharper_picture(view, qtbot):
    with qtbot.waitSignal(view.resolution_wanted) as told:
        view.zoom_to(4.0)
    assert told.args[0] == pytest.approx(4 * 96 * view.devicePixelRatioF())


def test_a_page_says_that_it_is_loading_until_its_picture_comes(view, tmp_path):
    assert view.note == "Loading…"
    image = QImage(595, 842, QImage.Format.Format_RGB32)
    view.show_picture(RenderedPage(PageKey(tmp_path, 0), image, 72))
    assert view.has_picture
    assert view.note == ""


def test_the_mode_stays_from_page_to_page(view):
    view.fit_page()
    view.show_page(300, 1200)
    assert view.mode is ZoomMode.FIT_PAGE
    assert view.viewport().rect().contains(view.mapFromScene(QPointF(300, 1200)))
