"""The evaluation panel in the composed window: real run folders, real report files, a real worker process."""

import json
import time

import pytest

from ocrstudio.domain.document import PageStatus
from ocrstudio.domain.run import RunKind
from ocrstudio.evaluation.report import Pair, build_report, write
from ocrstudio.jobs.events import EventWriter
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.jobs.spec import RunSpec
from ocrstudio.services import labelling
from ocrstudio.services.dataset_export import export_workspace
from ocrstudio.store import Workspace
from ocrstudio.tasks import load_tasks
from ocrstudio.ui.evaluation.results import lines_of_samples
from tests.fakes.runs import fake_environment
from tests.fakes.window import button, show_panel

REFERENCE = "# Chapter\n\nThe harbour office keeps a **ledger** of ships."
NEAR = "# Chapter\n\nThe harbour office keeps a ledger of shops."
FAR = "Nothing of this is right at all, not one word."


def evaluation(root, title, predictions, created, dataset="same"):
    """A finished evaluation of the pages 1, 2, … of the document ``harbour``."""
    output = root / "exports" / f"{title}.json"
    spec = RunSpec(
        RunKind.EVALUATE,
        title,
        created,
        request={"dataset": "eval.jsonl", "output": str(output), "adapter": None, "task": "markdown"},
        dataset_sha256=dataset,
        base_model="micro",
    )
    folder = RunFolder.create(root / "runs", spec)
    pairs = [
        Pair(f"images/harbour_p{number}.png", REFERENCE, text, document="harbour", page=number)
        for number, text in enumerate(predictions, start=1)
    ]
    write(build_report(pairs, title=title), output)
    with EventWriter(folder.events_path) as writer:
        writer.write("started", {"attempt": 1})
        writer.write("finished", {"attempt": 1, "summary": {"cer": 0.1}})
    return folder


@pytest.fixture
def measured(studio, workspace_root, qtbot):
    """The window with an evaluation before and one after a training, the newer one chosen."""
    now = time.time()
    evaluation(workspace_root, "before", [FAR, FAR, None, FAR], now - 100)
    evaluation(workspace_root, "after", [NEAR, FAR, REFERENCE, NEAR], now - 50)
    evaluation(workspace_root, "other data", [FAR], now - 500, dataset="another")
    assert studio.workspaces.open(workspace_root)
    qtbot.waitUntil(lambda: studio.session.page_id is not None)
    show_panel(studio, "evaluation")
    panel = studio.panels.evaluation
    qtbot.waitUntil(lambda: panel.figures.rowCount() == 2 and panel.pages.current is not None)
    return studio


def cells(panel, row):
    return [panel.figures.item(row, column).text() for column in range(1, panel.figures.columnCount())]


def page_names(panel):
    model = panel.pages.model()
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def test_figures_stand_below_those_of_the_earlier_evaluation_of_the_same_data(measured, qtbot):
    panel = measured.panels.evaluation
    after, before = cells(panel, 0), cells(panel, 1)
    assert float(after[0].removesuffix("%")) < float(before[0].removesuffix("%"))
    assert "\N{EN DASH}" in after[1], "the interval"
    offered = [panel.compare.itemText(row) for row in range(panel.compare.count())]
    assert any("before" in title for title in offered)
    assert [title for title in offered if title.endswith("other data)")] == offered[-1:]
    panel.compare.setCurrentIndex(0)
    panel.compare.activated.emit(0)
    qtbot.waitUntil(lambda: panel.figures.rowCount() == 1)
    assert panel.pages.isColumnHidden(5)


def headers(panel):
    return [
        panel.figures.horizontalHeaderItem(column).text() for column in range(panel.figures.columnCount())
    ]


def test_order_and_text_stand_beside_the_error_rate_and_the_profile_is_stated(measured):
    panel = measured.panels.evaluation
    shown = dict(zip(headers(panel)[1:], cells(panel, 0), strict=True))
    assert (shown["Text"], shown["Order"], shown["TEDS"]) != (shown["CER"], "", "")
    assert shown["TEDS"] == "\N{EN DASH}", "no page has a table"
    assert "Profile source (NFC" in panel.stated
    assert panel.stated.startswith("Compared on all 4 pages.")
    model = panel.pages.model()
    worst = [model.index(0, column).data() for column in range(model.columnCount())]
    assert worst[0] == "harbour, page 2"
    assert worst[3] == "100.0%", "nothing of the page was found: its order is no success"
    assert panel.pages.isColumnHidden(4)
    assert "order 100.0%" in panel.page._title.text()


def test_another_profile_measures_the_report_again(measured, qtbot):
    panel = measured.panels.evaluation
    before = float(cells(panel, 0)[0].removesuffix("%"))
    panel.setup.profile.setCurrentIndex(panel.setup.profile.findData("text"))
    panel.setup.profile.activated.emit(panel.setup.profile.currentIndex())
    qtbot.waitUntil(lambda: "profile text" in panel.stated.lower())
    assert 0 < float(cells(panel, 0)[0].removesuffix("%")) < before, (
        "bold or not is no difference of the text"
    )


def test_evaluations_of_other_data_compare_on_the_pages_that_both_have(measured, qtbot):
    panel = measured.panels.evaluation
    last = panel.compare.count() - 1
    panel.compare.setCurrentIndex(last)
    panel.compare.activated.emit(last)
    qtbot.waitUntil(lambda: "1 page that both have" in panel.stated)
    assert "(this one 4, the other 1)" in panel.stated
    rows = [dict(zip(headers(panel)[1:], cells(panel, row), strict=True)) for row in range(2)]
    assert [row["Pages"] for row in rows] == ["1", "1"]
    assert float(rows[0]["CER"].removesuffix("%")) < float(rows[1]["CER"].removesuffix("%"))
    assert len(page_names(panel)) == 4, "all pages of the chosen evaluation stay in the list"


def test_pages_come_worst_first_and_can_be_sorted_otherwise(measured):
    panel = measured.panels.evaluation
    assert page_names(panel)[0] == "harbour, page 2"
    assert page_names(panel)[-1] == "harbour, page 3"
    panel.pages.sortByColumn(1, panel.pages.horizontalHeader().sortIndicatorOrder().AscendingOrder)
    assert page_names(panel)[0] == "harbour, page 3"


def test_a_page_shows_picture_texts_and_differences_as_source_and_rendered(measured, qtbot):
    panel = measured.panels.evaluation
    line = next(line for line in panel.pages.lines.lines if line.page == 1)
    row = page_names(panel).index(line.name)
    panel.pages.selectRow(row)
    page = panel.page
    assert "\N{MINUS SIGN}" in page._sources[0].toPlainText()
    assert "+shops" in page._sources[1].toPlainText()
    qtbot.waitUntil(lambda: not page._picture.pixmap().isNull())
    page._mode.setCurrentIndex(1)
    qtbot.waitUntil(lambda: len(page._rendered[1].extraSelections()) > 0)
    marked = [selection.cursor.selectedText() for selection in page._rendered[1].extraSelections()]
    assert marked == ["shops"], "bold or not is no difference of the rendered words"


def test_open_in_editor_goes_to_the_page(measured):
    panel = measured.panels.evaluation
    panel.pages.selectRow(0)
    panel.page.open.click()
    page = measured.session.workspace.pages.get(measured.session.page_id)
    assert page.index == 1
    assert measured.window.labels.tabs.currentIndex() == 0


def test_the_worst_pages_go_back_to_review(measured, qtbot):
    workspace = measured.session.workspace
    ids = [row.page.id for row in workspace.pages.list()]
    labelling.accept_many(workspace, ids)
    panel = measured.panels.evaluation
    panel.worst.setValue(2)
    panel.flag.click()
    flagged = [row.page.index for row in workspace.pages.list(statuses=[PageStatus.FLAGGED])]
    assert 1 in flagged
    assert len(flagged) == 2
    assert workspace.pages.counts()[PageStatus.ACCEPTED] == 2
    qtbot.waitUntil(lambda: "2 pages are flagged" in measured.window.message_stack.text)
    button(measured.window.message_stack, "Undo").click()
    assert workspace.pages.counts()[PageStatus.ACCEPTED] == 4
    assert "2 pages are as before." in measured.window.message_stack.text


def test_a_prediction_becomes_a_draft_but_never_replaces_an_accepted_label(measured, qtbot):
    workspace = measured.session.workspace
    panel = measured.panels.evaluation
    panel.pages.selectRow(0)
    page_id = next(row.page.id for row in workspace.pages.list() if row.page.index == 1)
    panel.page.draft.click()
    assert workspace.labels.current(page_id).text == FAR
    assert workspace.labels.current(page_id).source == "student:micro"
    labelling.save_edit(workspace, page_id, "mine")
    labelling.accept(workspace, page_id)
    panel.page.draft.click()
    assert workspace.labels.current(page_id).text == "mine"
    assert workspace.labels.history(page_id)[0].text == FAR


def test_a_damaged_report_is_one_sentence(studio, workspace_root, qtbot):
    folder = evaluation(workspace_root, "broken", [FAR], time.time())
    (workspace_root / "exports" / "broken.json").write_text("{", encoding="utf-8")
    assert studio.workspaces.open(workspace_root)
    show_panel(studio, "evaluation")
    qtbot.waitUntil(lambda: "broken.json" in studio.window.message_stack.text)
    assert folder.id == studio.panels.evaluation.setup.runs.current


def test_start_runs_a_worker_on_the_held_out_pages(studio, workspace_root, qtbot, tmp_path, monkeypatch):
    for name, value in fake_environment(tmp_path / "state").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("FAKE_STUDENT_SCRIPT", json.dumps([["metric", 1, 0.5]]))
    with Workspace.open(workspace_root) as workspace:
        labelling.accept_many(workspace, [row.page.id for row in workspace.pages.list()])
        task = load_tasks()["markdown"]
        export_workspace(workspace, workspace.exports_folder / "training-1", task, 0.25, seed=1)
    assert studio.workspaces.open(workspace_root)
    qtbot.waitUntil(lambda: studio.session.page_id is not None)
    show_panel(studio, "evaluation")
    panel = studio.panels.evaluation
    qtbot.waitUntil(lambda: not studio.background.busy)
    assert panel.setup.data.currentText().startswith("Held-out pages")
    assert panel.setup.student.currentText() == "Built-in reader"
    panel.setup.profile.setCurrentIndex(panel.setup.profile.findData("text"))
    panel.setup.start.click()
    qtbot.waitUntil(lambda: panel.setup.runs.current is not None)
    run_id = panel.setup.runs.current
    qtbot.waitUntil(lambda: studio.panels.monitor.history(run_id).outcome is not None)
    request = studio.panels.monitor.spec(run_id).request
    assert request["dataset"].endswith("eval.jsonl")
    assert request["model"] == "reader"
    assert studio.panels.monitor.spec(run_id).config["image"]["base_size"] == 384
    assert studio.panels.monitor.spec(run_id).config["scoring"]["profile"] == "text"
    qtbot.waitUntil(lambda: not studio.background.busy)


def test_a_running_evaluation_lists_its_pages_worst_first():
    lines = lines_of_samples(
        [
            {"key": "a", "document": "harbour", "page": 1, "cer": 0.1, "wer": 0.2, "flags": []},
            {"key": "b", "document": "harbour", "page": 2, "cer": 0.7, "wer": 0.9, "flags": ["truncated"]},
        ]
    )
    assert [line.name for line in lines] == ["harbour, page 2", "harbour, page 1"]
    assert lines[0].flags == "cut off"
