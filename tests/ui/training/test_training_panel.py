"""The training panel in the composed window, with real worker processes that play a script."""

import json

import numpy as np
import yaml
from PIL import Image
from PySide6.QtWidgets import QLabel, QLineEdit, QPlainTextEdit

from ocrstudio.domain.run import RunKind, RunState, TrainMode
from ocrstudio.jobs.events import Event
from ocrstudio.settings.train import load_train_config
from ocrstudio.store import Workspace
from ocrstudio.ui.jobs.history import Curve, RunHistory
from ocrstudio.ui.theme import theme
from ocrstudio.ui.training.augment_dialog import AugmentDialog
from ocrstudio.ui.training.config_dialog import ConfigDialog
from ocrstudio.ui.training.curve import decimate, nearest
from ocrstudio.ui.training.plan import DataSource
from ocrstudio.ui.training.sample_views import load_views
from tests.fakes.window import button, show_panel, shown_words


def panel_of(studio):
    return studio.panels.training


def run_of(studio, qtbot):
    """Id of the run that was just started."""
    runs, monitor = panel_of(studio).runs, studio.panels.monitor
    qtbot.waitUntil(lambda: runs.current is not None and monitor.history(runs.current) is not None)
    return runs.current


def start(studio, qtbot):
    panel_of(studio).setup.start.click()
    return run_of(studio, qtbot)


def wait_for_end(studio, run_id, qtbot):
    qtbot.waitUntil(lambda: studio.panels.monitor.history(run_id).outcome is not None)


def wait_for_step(studio, run_id, step, qtbot):
    qtbot.waitUntil(lambda: studio.panels.monitor.history(run_id).done == step)


def test_one_click_after_accepting_trains_the_built_in_reader(trainer, script, qtbot):
    script(["metric", 1, 2.0], ["metric", 2, 1.0], ["adapter"])
    setup = panel_of(trainer).setup
    summary = shown_words(setup)
    assert "4 accepted pages of 1 document" in summary
    assert "Trains the vision part of the built-in reader" in summary
    assert "needs no download and no GPU" in shown_words(setup)
    offered = [setup.student.itemText(row) for row in range(setup.student.count())]
    assert offered == ["Built-in reader", "DeepSeek-OCR"]
    run_id = start(trainer, qtbot)
    wait_for_end(trainer, run_id, qtbot)
    spec = trainer.panels.monitor.spec(run_id)
    assert spec.request["model"] == "reader"
    image = spec.config["image"]
    assert (image["base_size"], image["image_size"], image["max_tiles"]) == (384, 384, 6)
    assert spec.request["eval_dataset"] is not None
    assert spec.config["training"]["eval_fraction"] == 0.0, "the export holds pages out already"
    status = panel_of(trainer).run.status
    qtbot.waitUntil(lambda: "Finished" in shown_words(status).splitlines())
    assert "training has finished" in trainer.window.message_stack.text
    assert not status.resume.isVisible()


def test_nothing_accepted_says_what_to_do(studio, workspace_root, qtbot):
    assert studio.workspaces.open(workspace_root)
    setup = panel_of(studio).setup
    qtbot.waitUntil(lambda: "No page is accepted yet" in shown_words(setup))
    assert "4 pages with a draft" in shown_words(setup)
    assert not setup.start.isEnabled()


def test_values_changed_in_the_panel_reach_the_run(trainer, script, qtbot):
    script(["metric", 1, 2.0])
    setup = panel_of(trainer).setup
    setup.fields["training.max_steps"].field.setValue(7)
    line = setup.fields["training.learning_rate"].field
    line.setText("3e-4")
    line.setModified(True)
    line.editingFinished.emit()
    assert "7 steps" in shown_words(setup)
    run_id = start(trainer, qtbot)
    wait_for_end(trainer, run_id, qtbot)
    training = trainer.panels.monitor.spec(run_id).config["training"]
    assert (training["max_steps"], training["learning_rate"]) == (7, 3e-4)


def test_an_impossible_value_is_refused_in_words(trainer):
    setup = panel_of(trainer).setup
    setup.set_value("training.learning_rate", "fast")
    assert not setup.start.isEnabled()
    assert "learning_rate" in shown_words(setup)
    button(setup, "Undo changes").click()
    assert setup.start.isEnabled()


def test_all_values_are_a_form_and_yaml_that_loads_back(trainer, tmp_path):
    button(panel_of(trainer).setup, "All values…").click()
    dialog = trainer.window.findChild(ConfigDialog)
    assert not dialog.isModal()
    assert len(dialog.editors) > 30
    dialog.editors["lora.lora_dropout"].edited.emit("lora.lora_dropout", 0.25)
    data = yaml.safe_load(dialog.findChild(QPlainTextEdit).toPlainText())
    assert data["lora"]["lora_dropout"] == 0.25
    target = tmp_path / "mine.yaml"
    dialog.save_requested.emit(target)
    assert load_train_config(target).lora.lora_dropout == 0.25
    dialog.close()


def test_a_dataset_file_can_be_trained_on(trainer, script, qtbot, tmp_path):
    script(["metric", 1, 2.0])
    setup = panel_of(trainer).setup
    run_id = start(trainer, qtbot)
    wait_for_end(trainer, run_id, qtbot)
    exported = trainer.panels.monitor.spec(run_id).request["dataset"]
    setup.source.setCurrentIndex(setup.source.findData(DataSource.FILE))
    setup.source.activated.emit(1)
    setup.dataset.set_text("")
    setup.dataset.findChild(QLineEdit).setText(exported)
    setup.dataset.findChild(QLineEdit).editingFinished.emit()
    qtbot.waitUntil(lambda: "3 samples of train.jsonl" in shown_words(setup))
    assert setup.start.isEnabled()
    setup.dataset.findChild(QLineEdit).setText(str(tmp_path / "gone.jsonl"))
    setup.dataset.findChild(QLineEdit).editingFinished.emit()
    qtbot.waitUntil(lambda: "gone.jsonl" in shown_words(setup) and not setup.start.isEnabled())


BLIND = {"own_loss": 6.1, "swapped_loss": 6.12, "pages": 1, "candidates": 1, "stand_in": True}


def test_the_line_under_the_curve_says_whether_the_student_looks(trainer, script, qtbot):
    line = panel_of(trainer).run.look
    moved = {"vision encoder": 0.012, "attention": 0.2}
    script(
        ["metric", 1, 2.0], ["summary", {"picture_check": {**BLIND, "swapped_loss": 9.5}, "movement": moved}]
    )
    wait_for_end(trainer, start(trainer, qtbot), qtbot)
    words = "The answer depends on the picture: 3.4 nats a token."
    qtbot.waitUntil(lambda: shown_words(line).splitlines()[1:] == [
        words, "Moved from the start: vision encoder 1.2 %, attention 20 %."
    ])  # fmt: skip
    sentence = next(label for label in line.findChildren(QLabel) if label.text() == words)
    assert theme().orange not in sentence.styleSheet()
    script(["metric", 1, 2.0], ["summary", {"picture_check": BLIND}])
    wait_for_end(trainer, start(trainer, qtbot), qtbot)
    qtbot.waitUntil(lambda: "hardly depends on the picture: 0.02 nats" in shown_words(line))
    assert theme().orange in sentence.styleSheet(), "amber"
    for fact in ("1 held-out page", "6.12 with pictures of other pages", "nothing is wrong with the run"):
        assert fact in sentence.toolTip()
    script(["metric", 1, 2.0])
    wait_for_end(trainer, start(trainer, qtbot), qtbot)
    qtbot.waitUntil(lambda: not line.isVisible(), timeout=5000)  # as a run of an older version


def test_stop_and_save_then_resume(trainer, script, qtbot, tmp_path):
    go = tmp_path / "go"
    script(["metric", 1, 2.0], ["metric", 2, 1.5], ["wait", str(go)], ["metric", 3, 1.0])
    run_id = start(trainer, qtbot)
    wait_for_step(trainer, run_id, 2, qtbot)
    status = panel_of(trainer).run.status
    status.stop.click()
    wait_for_end(trainer, run_id, qtbot)
    qtbot.waitUntil(status.resume.isVisible)
    assert "Stopped" in shown_words(status).splitlines()
    go.touch()
    status.resume.click()
    qtbot.waitUntil(lambda: trainer.panels.monitor.history(run_id).state is RunState.FINISHED)
    assert list(trainer.panels.monitor.history(run_id).loss.steps) == [1, 2, 3]


def test_stop_now_asks_once_in_the_panel_and_ends_a_deaf_worker(trainer, script, qtbot, tmp_path):
    script(["metric", 1, 2.0], ["hang", str(tmp_path / "never")])
    run_id = start(trainer, qtbot)
    wait_for_step(trainer, run_id, 1, qtbot)
    status = panel_of(trainer).run.status
    status.stop_now.click()
    assert status.confirm.isVisible(), "the question stands in the panel, not in a dialog"
    status.confirm.click()
    wait_for_end(trainer, run_id, qtbot)
    assert trainer.panels.monitor.history(run_id).state is RunState.INTERRUPTED
    assert "Resume" in shown_words(status)
    qtbot.waitUntil(lambda: not trainer.background.busy)


def test_a_failure_stands_in_the_panel_and_the_message_stack(trainer, script, qtbot):
    script(["metric", 1, 2.0], ["fail", "The GPU ran out of memory.", "Lower the batch size."])
    run_id = start(trainer, qtbot)
    wait_for_end(trainer, run_id, qtbot)
    assert "The GPU ran out of memory." in shown_words(panel_of(trainer).run.status)
    assert "Lower the batch size." in trainer.window.message_stack.text


def test_the_window_closes_while_a_training_goes_on_and_finds_it_again(
    trainer, script, qtbot, tmp_path, accepted
):
    go = tmp_path / "go"
    script(["metric", 1, 2.0], ["metric", 2, 1.5], ["wait", str(go)], ["metric", 3, 1.0])
    run_id = start(trainer, qtbot)
    wait_for_step(trainer, run_id, 2, qtbot)
    trainer.session.close()
    assert trainer.panels.monitor.history(run_id) is None
    assert trainer.workspaces.open(accepted)
    qtbot.waitUntil(lambda: trainer.panels.monitor.history(run_id) is not None)
    wait_for_step(trainer, run_id, 2, qtbot)
    go.touch()
    wait_for_end(trainer, run_id, qtbot)
    assert list(trainer.panels.monitor.history(run_id).loss.steps) == [1, 2, 3]


def test_the_curve_shows_the_values_at_the_pointer_and_changes_with_the_theme(trainer, script, qtbot):
    script(["metric", 1, 2.0], ["metric", 2, 1.0])
    run_id = start(trainer, qtbot)
    wait_for_end(trainer, run_id, qtbot)
    curve = panel_of(trainer).run.curve
    qtbot.waitUntil(lambda: curve._plot is not None)
    steps, values = curve._lines["loss"].getData()
    assert (list(steps), list(values)) == ([1, 2], [2.0, 1.0])
    box = curve._plot.getPlotItem().vb
    qtbot.waitUntil(lambda: box.viewRange()[0][1] >= 2)
    curve._hover(box.mapViewToScene(box.viewRect().center()))
    assert "loss" in curve._value.text()
    trainer.themes.choose("dark")
    trainer.themes.choose("light")


def test_a_hundred_thousand_points_keep_their_outline():
    steps = np.arange(100_000.0)
    values = np.sin(steps / 3_000)
    values[54_321] = 9.0
    few_steps, few = decimate(steps, values)
    assert len(few) <= 4_001
    assert few.max() == 9.0
    assert few_steps[few.argmax()] == 54_321
    assert few_steps[-1] == steps[-1]
    assert (np.diff(few_steps) > 0).all()


def test_a_resumed_curve_has_no_step_twice():
    curve = Curve()
    for step in range(1, 8):
        curve.add(step, 1.0 / step)
    for step in range(5, 10):
        curve.add(step, 0.5)
    assert list(curve.steps) == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert curve.values[4] == 0.5
    assert nearest(curve, 100) == 8


def test_unknown_events_and_values_that_are_no_numbers_do_no_harm():
    history = RunHistory(RunKind.TRAIN)
    history.take_all(
        [
            Event(1, 0.0, "started", {"attempt": 1}),
            Event(2, 0.0, "confetti", {"message": "new in a later version"}),
            Event(3, 0.0, "metric", {"step": 1, "values": {"loss": None, "grad_norm": 1.0}}),
        ]
    )
    assert len(history.loss) == 0
    assert history.last_seq == 3


def test_opening_the_panel_with_a_workspace_without_runs_shows_what_to_do(studio, tmp_path, qtbot):
    Workspace.create(tmp_path / "empty").close()
    assert studio.workspaces.open(tmp_path / "empty")
    show_panel(studio, "training")
    qtbot.waitUntil(lambda: "No page is accepted yet" in shown_words(panel_of(studio).setup))
    assert panel_of(studio).run._stack.currentIndex() == 0


def test_degraded_pages_are_a_choice_that_reaches_the_run_and_says_where_it_matters(trainer, script, qtbot):
    script(["metric", 1, 2.0])
    setup = panel_of(trainer).setup
    choice = setup.fields["training.augment"].field
    assert [choice.itemText(row) for row in range(choice.count())] == ["off", "light", "strong"]
    assert "as scans are" in choice.toolTip()
    choice.setCurrentIndex(2)
    choice.activated.emit(2)
    assert "look different in each pass" in shown_words(setup)
    setup.mode.setCurrentIndex(setup.mode.findData(TrainMode.LLM))
    setup.mode.activated.emit(setup.mode.currentIndex())
    assert "Matters most in modes Vision and Both" in shown_words(setup)
    run_id = start(trainer, qtbot)
    wait_for_end(trainer, run_id, qtbot)
    assert trainer.panels.monitor.spec(run_id).config["training"]["augment"] == "strong"
    button(setup, "Undo changes").click()
    assert choice.currentText() == "off"
    assert "Matters most" not in shown_words(setup)


def test_an_example_shows_the_page_in_view_degraded_and_other_passes_of_it(trainer, qtbot):
    button(panel_of(trainer).setup, "Show an example…").click()
    qtbot.waitUntil(lambda: trainer.window.findChild(AugmentDialog) is not None)
    dialog = trainer.window.findChild(AugmentDialog)
    assert not dialog.isModal()

    def looks():
        return [dialog.details[level]._image.copy() for level in ("off", "light", "strong")]

    first = looks()
    assert "Page 1 of harbour," in shown_words(dialog)
    assert first[0] != first[2]
    assert len({(image.width(), image.height()) for image in first}) == 1
    dialog.another.click()
    qtbot.waitUntil(lambda: "pass 2" in shown_words(dialog))
    second = looks()
    assert second[0] == first[0]
    assert second[2] != first[2]
    trainer.session.close()
    assert not dialog.isVisible()


def test_the_views_of_a_sample_are_degraded_as_the_worker_says(tmp_path):
    picture = tmp_path / "page.png"
    Image.effect_noise((300, 200), 60).convert("RGB").save(picture)
    image = load_train_config(overrides={"image.preset": "tiny"}).image.model_dump()
    plain = load_views(picture, image).overview
    look = {"level": "strong", "seed": 1, "epoch": 0, "sample": 4}
    degraded = load_views(picture, image, look).overview
    assert degraded.size() == plain.size()
    assert degraded != plain
    assert load_views(picture, image, look).overview == degraded


def test_an_example_of_a_file_without_pictures_says_so(trainer, qtbot, tmp_path):
    setup = panel_of(trainer).setup
    dataset = tmp_path / "texts.jsonl"
    messages = [{"role": "<|User|>", "content": "Say yes."}, {"role": "<|Assistant|>", "content": "yes"}]
    dataset.write_text(json.dumps({"messages": messages}) + "\n", encoding="utf-8")
    setup.source.setCurrentIndex(setup.source.findData(DataSource.FILE))
    setup.source.activated.emit(1)
    setup.dataset.set_text(str(dataset))
    button(setup, "Show an example…").click()
    qtbot.waitUntil(lambda: "no page to show" in trainer.window.message_stack.text)
    assert trainer.window.findChild(AugmentDialog) is None
    qtbot.waitUntil(lambda: not trainer.background.busy)
