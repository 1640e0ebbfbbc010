from PySide6.QtCore import Qt

from ocrstudio.ui.viewer.region_items import RegionItem
from tests.fakes.pdfs import text_pdf


def _regions(view):
    return sorted((one for one in view.items() if isinstance(one, RegionItem)), key=lambda one: one.index)


def test_the_page_number_box_goes_to_a_page(opened, qtbot):
    viewer = opened.window.viewer
    viewer._page.setText("3")
    qtbot.keyClick(viewer._page, Qt.Key.Key_Return)
    row = opened.window.pages.model.row_of(opened.session.page_id)
    assert row.page.index == 2
    assert viewer._count.text() == "of 4"


def test_the_zoom_box_takes_percent_and_names(opened):
    viewer = opened.window.viewer
    viewer._choose_zoom("150 %")
    assert round(viewer.view.zoom, 2) == 1.5
    viewer._choose_zoom("Fit page")
    assert viewer.view.zoom < 1.5
    viewer._choose_zoom("nonsense")
    assert viewer._zoom.currentText().endswith("%")


def test_the_neighbours_of_a_page_are_drawn_ahead_and_shown_at_once(drawn, qtbot):
    view, renderer = drawn.window.viewer.view, drawn.renderer
    for direction in (1, 1, 1, -1, -1, -1):
        key = drawn.viewer._key
        near = [index for index in (key.index - 1, key.index + 1) if 0 <= index < 4]
        qtbot.waitUntil(
            lambda key=key, near=near: all(renderer.cached(type(key)(key.document, index)) for index in near),
        )
        drawn.pages.step(direction)
        assert view.has_picture, "no wait, not even for the event loop"


def test_a_document_that_vanished_is_a_sentence_on_the_page(drawn, qtbot, workspace_root):
    for copy in (workspace_root / "documents").iterdir():
        copy.unlink()
    drawn.renderer.forget()
    drawn.renderer.shutdown()
    other = type(drawn.renderer)(1_000_000)
    drawn.viewer._renderer = other
    other.rendered.connect(drawn.viewer._show_picture)
    other.failed.connect(drawn.viewer._show_problem)
    drawn.pages.step(1)
    view = drawn.window.viewer.view
    qtbot.waitUntil(lambda: "does not exist" in view.note)
    other.shutdown()


def test_regions_and_text_point_at_each_other(opened, qtbot):
    view, editor = opened.window.viewer.view, opened.window.labels.editor
    assert [item.toolTip() for item in _regions(view)] == ["title", "text"]
    view.region_clicked.emit(1)
    assert editor.textCursor().block().text().startswith("The harbour")
    cursor = editor.textCursor()
    cursor.setPosition(3)
    editor.setTextCursor(cursor)
    heading, body = _regions(view)
    assert heading.pen().widthF() > body.pen().widthF()


def test_regions_follow_their_text_when_it_is_edited(opened, qtbot):
    view, editor = opened.window.viewer.view, opened.window.labels.editor
    cursor = editor.textCursor()
    cursor.setPosition(0)
    editor.setTextCursor(cursor)
    editor.insertPlainText("\U0001d465 A new line in front.\n\n")
    opened.labels.save_now()
    opened.pages.step(1)
    opened.pages.step(-1)
    view.region_clicked.emit(1)
    assert editor.textCursor().block().text().startswith("The harbour")


def test_another_document_is_shown_from_its_first_page(opened, qtbot, tmp_path):
    opened.documents.import_sources([text_pdf(tmp_path / "second.pdf", 2, heading="Part")])
    qtbot.waitUntil(lambda: opened.window.pages.model.total == 6)
    for _ in range(4):
        opened.pages.step(1)
    assert opened.window.viewer._count.text() == "of 2"


def test_a_drawing_process_that_dies_within_a_picture_is_no_picture(tmp_path):
    import io

    from ocrstudio.ui.viewer.renderer import _read_answer

    header = b'{"width": 4, "height": 2, "dpi": 72.0, "warnings": []}\n'
    whole = io.BytesIO(header + bytes(24))
    assert _read_answer(whole) == ({"width": 4, "height": 2, "dpi": 72.0, "warnings": []}, bytes(24))
    for cut in (0, 10, len(header) - 1, len(header), len(header) + 23):
        assert _read_answer(io.BytesIO((header + bytes(24))[:cut])) == (None, b"")
