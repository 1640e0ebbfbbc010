"""The place in a workspace at the next start."""

import pytest
from PySide6.QtCore import QSettings

from ocrstudio.ui.viewer.page_view import ZoomMode


@pytest.fixture
def start(qapp, qtbot, settings, tmp_path):
    """Starts the window on the same store; the last one is closed first."""
    from ocrstudio.ui.app import Studio

    open_ones = []

    def end():
        for studio in open_ones:
            studio.window.close()
            studio.shutdown()
            studio.window.deleteLater()
            studio.themes.deleteLater()
        open_ones.clear()

    def begin():
        end()
        store = QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)
        studio = Studio(qapp, settings, store)
        open_ones.append(studio)
        studio.start(None)
        return studio

    yield begin
    end()


def page_index(studio):
    return studio.session.workspace.pages.get(studio.session.page_id).index


def test_the_next_start_shows_the_same_place(start, qtbot, workspace_root):
    studio = start()
    assert studio.workspaces.open(workspace_root)
    qtbot.waitUntil(lambda: studio.session.page_id is not None)
    studio.pages.step(1)
    studio.pages.step(1)
    window = studio.window
    window.labels.show_tab(1)
    window.bottom.show_panel("log")
    window.viewer.view.zoom_to(3.0)
    window.viewer.view.verticalScrollBar().setValue(700)
    window.labels.editor.set_caret(12)
    before = window.viewer.view.place
    assert before.y > 0.1

    studio = start()
    qtbot.waitUntil(lambda: studio.session.page_id is not None)
    window = studio.window
    assert (studio.session.root, page_index(studio)) == (workspace_root, 2)
    assert window.labels.tabs.currentIndex() == 1
    assert window.bottom.tabText(window.bottom.currentIndex()) == "Log"
    assert window.labels.editor.textCursor().position() == 12
    after = window.viewer.view.place
    assert after.mode == ZoomMode.FREE
    assert after.zoom == pytest.approx(3.0)
    assert (after.x, after.y) == pytest.approx((before.x, before.y), abs=0.01)


def test_each_workspace_has_its_place(start, qtbot, workspace_root):
    import shutil

    other = shutil.copytree(workspace_root, workspace_root.with_name("other"))
    studio = start()
    for root, steps in ((workspace_root, 3), (other, 1)):
        assert studio.workspaces.open(root)
        qtbot.waitUntil(lambda: studio.session.page_id is not None)
        for _ in range(steps):
            studio.pages.step(1)
    for root, index in ((workspace_root, 3), (other, 1)):
        assert studio.workspaces.open(root)
        qtbot.waitUntil(lambda: studio.session.page_id is not None)
        assert page_index(studio) == index


def test_a_page_that_is_gone_or_a_damaged_place_is_the_first_page(start, qtbot, workspace_root):
    studio = start()
    for damaged in ({"page": 9_999, "tab": 1}, {"page": "x"}, {"what": 1}):
        studio.state.set_place(workspace_root, damaged)
        assert studio.workspaces.open(workspace_root)
        qtbot.waitUntil(lambda: studio.session.page_id is not None)
        assert page_index(studio) == 0
        studio.session.close()
