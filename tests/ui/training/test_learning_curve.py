"""The learning curve in the composed window: the tick, the plot and the sentence; workers play a student."""

import pytest

from ocrstudio.domain.run import RunKind, RunState
from ocrstudio.services import labelling
from ocrstudio.services.curve_record import read_record
from ocrstudio.services.runs import find_run_folders
from ocrstudio.store import Workspace
from ocrstudio.ui.jobs.history import RunHistory
from ocrstudio.ui.training.learning_curve import CurvePlot
from tests.fakes.runs import end_workers, scripted_curves
from tests.fakes.window import make_workspace, show_panel, shown_words

POINTS = [
    {"pages": 0, "cer": 0.5, "low": 0.45, "high": 0.56},
    {"pages": 10, "cer": 0.2, "low": 0.17, "high": 0.24, "eval_loss": 1.25},
    {"pages": 20, "cer": 0.15, "low": None, "high": None},
]
OUTLOOK = {
    "sentence": "s",
    "pages": 120,
    "cer": 0.08,
    "low": 0.06,
    "high": 0.1,
    "factor": 0.6,
    "exponent": 0.42,
}


@pytest.fixture
def script(tmp_path, monkeypatch):
    return scripted_curves(tmp_path, monkeypatch)


@pytest.fixture
def root(tmp_path):
    """A workspace with a document of thirty accepted pages; its workers are ended after the test."""
    folder = make_workspace(tmp_path / "ledgers", 30)
    with Workspace.open(folder) as workspace:
        labelling.accept_many(workspace, [row.page.id for row in workspace.pages.list()])
    yield folder
    end_workers(find_run_folders([folder])[0])


@pytest.fixture
def trainer(studio, root, script, qtbot):
    assert studio.workspaces.open(root)
    qtbot.waitUntil(lambda: studio.session.page_id is not None)
    show_panel(studio, "training")
    qtbot.waitUntil(lambda: not studio.background.busy)
    setup = studio.panels.training.setup
    setup.held_out.setValue(40)
    setup.fields["training.max_steps"].field.setValue(4)
    return studio


def curve_of(studio):
    return next(run for run in find_run_folders([studio.session.root])[0] if run.spec.kind is RunKind.CURVE)


def test_the_tick_says_what_it_takes_and_refuses_too_few_pages(trainer, qtbot):
    setup = trainer.panels.training.setup
    setup.curve.click()
    words = shown_words(setup)
    assert "on a quarter, a half and all of 30 accepted pages of 1 document" in words
    assert "three times 4 steps" in words
    assert "what 100 more pages would bring" in words
    setup.held_out.setValue(0)
    assert "A learning curve is measured on held-out pages: hold some out." in shown_words(setup)
    assert not setup.start.isEnabled()
    setup.held_out.setValue(40)
    with Workspace.open(trainer.session.root) as workspace:
        for row in workspace.pages.list()[:24]:
            labelling.exclude(workspace, row.page.id)
    trainer.session.documents_changed.emit()
    qtbot.waitUntil(lambda: "needs at least 8 pages to train on" in shown_words(setup))
    assert not setup.start.isEnabled()
    setup.curve.click()
    assert setup.start.isEnabled()


def test_a_curve_is_measured_and_drawn_with_its_sentence(trainer, qtbot):
    panel, monitor = trainer.panels.training, trainer.panels.monitor
    panel.setup.curve.click()
    panel.setup.start.click()
    qtbot.waitUntil(lambda: panel.runs.current is not None and monitor.spec(panel.runs.current) is not None)
    curve = curve_of(trainer)
    assert panel.runs.current == curve.id
    assert panel.run.tabs.isTabVisible(panel.run.tabs.indexOf(panel.run.learning))
    assert not panel.run.tabs.isTabVisible(panel.run.tabs.indexOf(panel.run.loss))
    qtbot.waitUntil(lambda: monitor.history(curve.id).state is RunState.FINISHED)
    record = read_record(curve.path)
    qtbot.waitUntil(lambda: record.outlook["sentence"] in shown_words(panel.run.learning))
    plot = panel.run.learning.plot
    qtbot.waitUntil(
        lambda: "exponent" in plot._outlook and plot._drawn is not None and plot._drawn[1] == plot._outlook
    )
    pages, rates = plot._items["measured"].getData()
    assert list(pages) == [part.pages for part in record.parts]
    assert list(rates) == pytest.approx([100 * part.cer for part in record.parts])
    expected = plot._items["promised"].getData()
    assert (expected[0][0], expected[1][0]) == (
        record.outlook["pages"], pytest.approx(100 * record.outlook["cer"])
    )  # fmt: skip
    assert record.outlook["sentence"] in trainer.window.message_stack.text
    assert "the evaluation has finished" not in trainer.window.message_stack.text, (
        "the curve speaks for its parts"
    )
    qtbot.waitUntil(lambda: not trainer.background.busy)
    panel.setup.curve.click()
    panel.setup.curve.click()
    qtbot.waitUntil(lambda: "about 3 \N{MULTIPLICATION SIGN} " in shown_words(panel.setup))
    part = next(run for run in find_run_folders([trainer.session.root])[0] if run.spec.kind is RunKind.TRAIN)
    panel.runs.choose(part.id)
    qtbot.waitUntil(lambda: panel.run.tabs.isTabVisible(panel.run.tabs.indexOf(panel.run.loss)))
    trainer.themes.choose("dark")
    trainer.themes.choose("light")


def test_stopping_keeps_the_points_and_resuming_adds_the_others(trainer, script, qtbot):
    panel, monitor = trainer.panels.training, trainer.panels.monitor
    panel.setup.curve.click()
    script(wait=True)
    panel.setup.start.click()
    qtbot.waitUntil(
        lambda: panel.runs.current is not None and monitor.history(panel.runs.current) is not None
    )
    curve = curve_of(trainer)
    qtbot.waitUntil(lambda: len(monitor.history(curve.id).points) == 1)
    panel.run.status.stop.click()
    qtbot.waitUntil(lambda: monitor.history(curve.id).state is RunState.STOPPED)
    assert list(panel.run.learning.plot._points) == monitor.history(curve.id).points
    assert len(monitor.history(curve.id).points) == 1
    script()
    panel.run.status.resume.click()
    qtbot.waitUntil(lambda: monitor.history(curve.id).state is RunState.FINISHED)
    assert [point["pages"] for point in monitor.history(curve.id).points] == [
        part.pages for part in read_record(curve.path).parts
    ]


def test_points_without_an_interval_and_the_values_at_the_pointer(qtbot, background):
    plot = CurvePlot(background)
    qtbot.addWidget(plot)
    plot.resize(600, 300)
    plot.show()
    assert plot._stack.currentWidget() is plot._empty
    plot.show_points(POINTS, {})
    qtbot.waitUntil(lambda: plot._plot is not None)
    assert list(plot._items["bars"].opts["x"]) == [0, 10]
    assert plot._items["law"].getData()[0] is None or not len(plot._items["law"].getData()[0])
    assert plot.at_pointer(1) == (0.0, "Not trained: CER 50.0% (45.0% to 56.0%)")
    assert plot.at_pointer(9) == (10.0, "10 pages: CER 20.0% (17.0% to 24.0%), evaluation loss 1.2500")
    plot.show_points(POINTS, OUTLOOK)
    steps, rates = plot._items["law"].getData()
    assert (steps[0], steps[-1]) == (10, 120)
    assert rates[-1] == pytest.approx(100 * 0.6 * 120**-0.42)
    assert plot.at_pointer(500)[1] == "120 pages: expected CER 8.0% (6.0% to 10.0%)"
    assert plot._plot.viewRange()[0][1] > 120


def test_a_resumed_curve_has_no_point_twice():
    from ocrstudio.jobs.events import Event

    history = RunHistory(RunKind.CURVE)
    for attempt in (1, 2):
        history.take_all([Event(1, 0.0, "started", {"attempt": attempt})])
        history.take_all([Event(2, 0.0, "point", point) for point in POINTS[: attempt + 1]])
    assert history.points == POINTS
    assert "Trained on 10 pages: CER 20.0% (17.0% to 24.0%)" in [line.text for line in history.lines][-2]
