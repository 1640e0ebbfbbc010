"""The environment panel: what it shows about this machine, the model and the last export."""

import json

from PIL import Image
from PySide6.QtGui import QGuiApplication


def rows(panel):
    """All rows under their headings, as {heading: {what: (state, found)}}."""
    found = {}
    for number in range(panel.tree.topLevelItemCount()):
        heading = panel.tree.topLevelItem(number)
        children = [heading.child(index) for index in range(heading.childCount())]
        found[heading.text(0)] = {child.text(0): (child.text(1), child.text(2)) for child in children}
    return found


def show(studio, qtbot):
    panel = studio.panels.environment
    studio.window.show_panel("environment")
    qtbot.waitUntil(lambda: panel.refresh.isEnabled() and panel.tree.topLevelItemCount() > 0)
    return panel


def export(folder, answers):
    folder.mkdir(parents=True)
    lines = []
    for number, answer in enumerate(answers, start=1):
        Image.new("RGB", (60, 80), (number, 0, 0)).save(folder / f"letter_p{number}.png")
        user = {"role": "<|User|>", "content": "<image>\nFree OCR.", "images": [f"letter_p{number}.png"]}
        lines.append(json.dumps({"messages": [user, {"role": "<|Assistant|>", "content": answer}]}))
    (folder / "train.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "eval.jsonl").write_text(lines[0] + "\n", encoding="utf-8")


def test_the_machine_is_looked_at_when_the_panel_is_shown(opened, qtbot):
    found = rows(show(opened, qtbot))
    assert list(found) == ["Machine", "Model", "Last exported dataset", "Packages"]
    assert "available" in found["Machine"]["Memory"][1]
    assert "free" in found["Machine"]["Disk"][1]
    assert found["Packages"]["pymupdf"][0] in ("Good", "Differs")
    state, words = found["Model"]["models/deepseek_ocr"]
    assert (state, "not there yet" in words) == ("Missing", True)
    assert found["Model"]["Download by hand"][1].startswith("hf download unsloth/DeepSeek-OCR --local-dir")
    assert "none was exported" in found["Last exported dataset"]["Dataset"][1]


def test_the_last_export_is_measured_and_its_leaks_are_named(opened, qtbot):
    export(opened.session.workspace.exports_folder / "markdown", ["one", "two words"])
    found = rows(show(opened, qtbot))["Last exported dataset"]
    assert "2 samples" in found["markdown"][1]
    assert found["Answers in characters"][1].startswith("3 to 9")
    assert found["Duplicates"] == ("Good", "0")
    assert found["Pictures that cannot be opened"] == ("Good", "0")
    assert found["Pictures also in the evaluation set"] == ("Problem", "1")


def test_the_model_of_the_users_training_values_is_looked_at(opened, qtbot, tmp_path):
    values = tmp_path / "train.yaml"
    values.write_text("model:\n  base_model_path: micro\n", encoding="utf-8")
    panel = show(opened, qtbot)
    opened.apply_settings(opened.settings.model_copy(update={"train_config": str(values)}))
    qtbot.waitUntil(lambda: "micro" in rows(panel).get("Model", {}))


def test_everything_can_be_copied_for_a_report(opened, qtbot):
    panel = show(opened, qtbot)
    panel.copy.click()
    text = QGuiApplication.clipboard().text()
    assert text.startswith("Machine\n  OCR Studio: ")
    assert "\nPackages\n  torch: " in text
