"""The teacher panel in the composed window, against a real loopback server and the real offline teacher."""

import pytest
from PySide6.QtCore import Qt, QTimer

from ocrstudio.domain.document import PageStatus
from ocrstudio.domain.label import NewRevision
from ocrstudio.services import labelling
from ocrstudio.services.workspaces import import_sources
from ocrstudio.settings.app import user_config_dir
from ocrstudio.settings.teacher import load_teacher_config
from ocrstudio.store import Workspace
from ocrstudio.ui.teachers.choices import SERVER_FILE, TokenUse, cost_in_words, teachers_folder, token_use
from ocrstudio.ui.teachers.scope import Scope
from tests.fakes.openai_server import Fault, OpenAiServer
from tests.fakes.pdfs import text_pdf
from tests.fakes.runs import fake_environment
from tests.fakes.window import show_panel, shown_words


@pytest.fixture
def server():
    with OpenAiServer() as server:
        yield server


@pytest.fixture
def panel(opened):
    panel = opened.panels.teachers
    show_panel(opened, "teacher")
    return panel


def choose(box, data, qtbot):
    row = next(row for row in range(box.count()) if box.itemData(row) == data)
    box.setCurrentIndex(row)
    box.activated.emit(row)


def choose_server(panel, server, qtbot):
    box = panel.setup.teacher
    row = next(row for row in range(box.count()) if "Server" in box.itemText(row))
    box.setCurrentIndex(row)
    box.activated.emit(row)
    line = panel.setup.base_url
    line.setText(server.base_url)
    line.setModified(True)
    line.editingFinished.emit()


def wait_for_end(panel, qtbot):
    qtbot.waitUntil(lambda: panel.batch.cancel.isHidden() and panel.batch._state is not None)


def statuses(studio):
    return [row.page.status for row in studio.session.workspace.pages.list()]


def test_nothing_unlabelled_says_so(panel, qtbot):
    qtbot.waitUntil(lambda: "No page" in shown_words(panel.setup))
    assert not panel.setup.start.isEnabled()


def test_a_server_drafts_the_listed_pages_and_failures_can_be_retried(opened, panel, server, qtbot):
    choose_server(panel, server, qtbot)
    choose(panel.setup.scope, Scope.LISTED, qtbot)
    summary = shown_words(panel.setup)
    assert "4 pages" in summary
    assert f"127.0.0.1:{server.base_url.rsplit(':', 1)[1].removesuffix('/v1')}" in summary
    server.fail_next("refuse_request", "the picture is broken")
    panel.setup.start.click()
    wait_for_end(panel, qtbot)
    assert panel.batch.failures.count() == 1
    assert "the picture is broken" in panel.batch.failures.item(0).text()
    sources = [row.source for row in opened.session.workspace.pages.list()]
    assert sources.count("teacher:api:deepseek-ocr") == 3
    asked = len(server.requests)
    panel.batch.retry.click()
    wait_for_end(panel, qtbot)
    assert len(server.requests) == asked + 1
    assert panel.batch.failures.count() == 0


def test_a_key_that_is_refused_ends_the_batch_with_the_providers_sentence(opened, panel, server, qtbot):
    server.fail_always("error", (400, [{"error": {"message": "API key not valid. Pass a valid API key."}}]))
    choose_server(panel, server, qtbot)
    choose(panel.setup.scope, Scope.LISTED, qtbot)
    before = statuses(opened)
    panel.setup.start.click()
    wait_for_end(panel, qtbot)
    assert len(server.requests) == 1
    assert "API key not valid. Pass a valid API key. 4 pages were not tried." in shown_words(panel.batch)
    assert panel.batch.failures.count() == 0
    assert statuses(opened) == before


def test_what_was_learnt_of_a_server_is_shown_once(opened, panel, server, qtbot):
    refused = {"error": {"message": "Unsupported value: 'temperature' does not support 0.0 with this model."}}
    server.check = lambda body: Fault("error", (400, refused)) if "temperature" in body else None
    choose_server(panel, server, qtbot)
    choose(panel.setup.scope, Scope.LISTED, qtbot)
    panel.setup.start.click()
    wait_for_end(panel, qtbot)
    assert len(server.requests) == 5
    said = [message.text for message in opened.messages.history if "refused temperature" in message.text]
    assert len(said) == 1


def test_the_server_is_remembered_without_its_key(panel, server, qtbot):
    panel.setup.key.setText("sk-very-secret-1234")
    choose_server(panel, server, qtbot)
    saved = (teachers_folder() / SERVER_FILE).read_text()
    assert server.base_url in saved
    everything = [path.read_text() for path in user_config_dir().rglob("*.yaml")]
    assert not any("very-secret" in text for text in everything)


def test_ctrl_r_drafts_the_page_and_leaves_what_a_person_wrote(opened, panel, server, qtbot):
    page_id = opened.session.page_id
    labelling.save_edit(opened.session.workspace, page_id, "typed by a person")
    choose_server(panel, server, qtbot)
    opened.window.book["page.draft"].trigger()
    wait_for_end(panel, qtbot)
    workspace = opened.session.workspace
    assert workspace.labels.current(page_id).text == "typed by a person"
    assert workspace.labels.history(page_id)[0].source == "teacher:api:deepseek-ocr"
    qtbot.waitUntil(lambda: "beside your label" in opened.window.message_stack.text)


def test_cancel_leaves_the_other_pages_as_they_are(opened, panel, server, qtbot):
    server.latency = 20.0
    choose_server(panel, server, qtbot)
    choose(panel.setup.scope, Scope.LISTED, qtbot)
    before = statuses(opened)
    panel.setup.start.click()
    qtbot.waitUntil(lambda: len(server.requests) > 0)
    panel.batch.cancel.click()
    wait_for_end(panel, qtbot)
    assert "Cancelled" in shown_words(panel.batch)
    assert statuses(opened) == before


def test_a_server_that_is_not_there_is_one_sentence(opened, panel, server, qtbot):
    choose_server(panel, server, qtbot)
    line = panel.setup.base_url
    line.setText("http://127.0.0.1:9/v1")
    line.setModified(True)
    line.editingFinished.emit()
    choose(panel.setup.scope, Scope.LISTED, qtbot)
    panel.setup.start.click()
    wait_for_end(panel, qtbot)
    assert "127.0.0.1:9" in shown_words(panel.batch)
    assert statuses(opened) == [PageStatus.DRAFT] * 4


def test_closing_the_workspace_ends_the_batch(opened, panel, server, qtbot):
    server.latency = 20.0
    choose_server(panel, server, qtbot)
    choose(panel.setup.scope, Scope.LISTED, qtbot)
    panel.setup.start.click()
    qtbot.waitUntil(lambda: len(server.requests) > 0)
    opened.session.close()
    qtbot.waitUntil(lambda: not opened.background.busy)


def test_the_window_answers_while_200_pages_are_drafted(studio, server, qtbot, tmp_path):
    root = tmp_path / "many"
    with Workspace.create(root) as workspace:
        import_sources(workspace, [text_pdf(tmp_path / "many.pdf", 200, "A line.")])
    assert studio.workspaces.open(root)
    qtbot.waitUntil(lambda: studio.session.page_id is not None)
    qtbot.waitUntil(lambda: studio.window.viewer.view.has_picture)
    panel = studio.panels.teachers
    show_panel(studio, "teacher")
    choose_server(panel, server, qtbot)
    qtbot.waitUntil(panel.setup.start.isEnabled)
    seen = []
    timer = QTimer()
    timer.setInterval(5)
    timer.timeout.connect(lambda: seen.append(panel.batch._state.done))
    panel.setup.start.click()
    timer.start()
    wait_for_end(panel, qtbot)
    timer.stop()
    assert panel.batch._state.done == 200
    assert statuses(studio) == [PageStatus.DRAFT] * 200
    assert len(set(seen)) > 20, "the window's loop ran while the pages came in"


def test_costs_are_estimated_from_prices():
    shipped = load_teacher_config(None, {"type": "api"})
    assert cost_in_words(shipped.api, 10, None) == ""
    priced = load_teacher_config(None, {"type": "api", "api.price_per_page": 0.02})
    assert "0.20" in cost_in_words(priced.api, 10, None)
    tokens = load_teacher_config(None, {"type": "api", "api.price_per_1k_output_tokens": 2.0})
    assert "after the first drafts" in cost_in_words(tokens.api, 10, TokenUse(0, 0, 0))
    use = token_use([{"prompt_tokens": 100, "completion_tokens": 500}, {"seconds": 1}])
    assert "10.00" in cost_in_words(tokens.api, 10, use)


def test_drafts_are_measured_once_pages_are_accepted(opened, panel, server, qtbot):
    assert panel.quality.isHidden()
    page, *_ = [row.page.id for row in opened.session.workspace.pages.list()]
    ws = opened.session.workspace
    labelling.add_draft(ws, page, NewRevision("tezt", "teacher:offline", "markdown"))
    labelling.save_edit(ws, page, "text")
    labelling.accept(ws, page)
    opened.session.tell_pages_changed((page,))
    qtbot.waitUntil(panel.quality.isVisible)
    table = panel.quality.table
    cells = [table.item(0, column).text() for column in range(table.columnCount())]
    assert cells == ["offline · markdown", "1", "0", "25.0%", "100.0%"]


def test_the_built_in_reader_drafts_out_of_the_box(opened, panel, qtbot, tmp_path, monkeypatch):
    for name, value in fake_environment(tmp_path / "state").items():
        monkeypatch.setenv(name, value)
    box = panel.setup.teacher
    box.setCurrentIndex(box.findText("Student on this machine"))
    box.activated.emit(box.currentIndex())
    assert panel.setup.student.currentText() == "Built-in reader"
    tip = panel.setup.student.currentData(Qt.ItemDataRole.ToolTipRole)
    assert "print" in tip
    assert "needs no download and no GPU" in shown_words(panel.setup)
    choose(panel.setup.scope, Scope.PAGE, qtbot)
    panel.setup.start.click()
    wait_for_end(panel, qtbot)
    workspace = opened.session.workspace
    newest = workspace.labels.history(opened.session.page_id)[0]
    assert newest.source == "teacher:local:reader"
    assert newest.parameters["image"]["base_size"] == 384
