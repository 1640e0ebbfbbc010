"""The end of a training: does its student look? Real runs of the micro student."""

import json

import pytest
import torch

from ocrstudio.domain.picture_check import read_check, read_movement
from ocrstudio.student.recipe import Recipe, train
from ocrstudio.student.request import read_train_request
from tests.student.small_run import (
    StoppingContext,
    context_of,
    events,
    fast_config,
    training_folder,
    write_dataset,
)

STEPS = 2


@pytest.fixture(scope="module")
def datasets(tmp_path_factory):
    root = tmp_path_factory.mktemp("pages")
    return write_dataset(root / "train"), write_dataset(root / "eval", ["small print", "harbour 27", "snow"])


def folder_of(parent, datasets, mode="both", **overrides):
    config = fast_config(training__max_steps=STEPS, training__save_steps=STEPS, **overrides)
    return training_folder(parent, datasets[0], config, mode=mode, eval_dataset=str(datasets[1]))


def said(folder):
    return [event["message"] for event in events(folder, "phase") if event["name"] == "pictures"]


def warned(folder):
    messages = [event["message"] for event in events(folder, "warning")]
    return [words for words in messages if "depends on the picture" in words or "student looks" in words]


def run(folder, **options):
    with context_of(folder, **options) as context:
        return train(context)


def test_random_weights_do_not_look_and_the_warning_is_calm(datasets, tmp_path):
    folder = folder_of(tmp_path, datasets)
    summary = run(folder)
    check = read_check(summary)
    assert abs(check.dependence) < 0.3
    assert (check.pages, check.held_out, check.stand_in) == (3, True, True)
    assert check.own_loss == pytest.approx(summary["eval_losses"][-1][1], rel=1e-4)
    (warning,) = warned(folder)
    assert warning.startswith(check.sentence())
    assert "3 held-out pages" in warning
    assert "nothing is wrong with the run" in warning
    assert read_movement(summary).keys() == {"vision encoder", "attention", "routed experts", "MLP"}
    moved = [event["message"] for event in events(folder, "phase") if event["name"] == "movement"]
    assert moved[0].startswith("Moved from the start: vision encoder ")


@pytest.mark.parametrize("keep", [True, False])
def test_a_student_whose_image_features_are_zero_depends_on_nothing(datasets, tmp_path, keep):
    folder = folder_of(tmp_path, datasets, mode="llm", training__keep_image_features=keep)
    with context_of(folder) as context:
        recipe = Recipe(context)
        recipe.setup_data()
        recipe.estimate()
        recipe.setup_model()
        with torch.no_grad():
            inner = recipe.student.model.model
            for tensor in (*inner.projector.parameters(), inner.image_newline, inner.view_separator):
                tensor.zero_()
        recipe.check()
        with recipe.kept_pictures():
            recipe.train()
            recipe.save()
            recipe.look()
        check = read_check(recipe.summary())
    assert check.dependence == 0.0
    assert check.own_loss > 0
    assert warned(folder)[0].startswith("The answer hardly depends on the picture: 0.00 nats a token.")


def test_a_stop_in_the_middle_of_it_loses_nothing(datasets, tmp_path):
    folder = folder_of(tmp_path, datasets)
    summary = run(folder, stop_after=STEPS + 1)  # each step is one event of progress, then a batch
    assert said(folder)[-1] == (
        "Whether the student looks was not measured: it was stopped. The adapter is complete."
    )
    assert (summary["stopped"], summary["steps"], summary["picture_check"]) == (False, STEPS, None)
    assert (folder.adapter / "adapter_model.safetensors").is_file()
    assert events(folder, "progress")[-1] == {"done": STEPS, "total": STEPS, "unit": "steps"}


def test_a_training_that_was_stopped_does_not_go_on_with_it(datasets, tmp_path):
    folder = folder_of(tmp_path, datasets)
    summary = run(folder, stop_after=1)
    assert said(folder) == ["Whether the student looks was not measured: the run was stopped."]
    assert (summary["stopped"], summary["picture_check"]) == (True, None)
    assert read_movement(summary)["attention"] > 0


class LosingContext(StoppingContext):
    """Somebody deletes the held-out pictures while the adapter is written."""

    def emit(self, type, **data):  # noqa: A002
        super().emit(type, **data)
        if data.get("name") == "save":
            for picture in self.lost.glob("*.png"):
                picture.unlink()


def test_what_goes_wrong_in_it_fails_nothing(tmp_path):
    datasets = write_dataset(tmp_path / "train"), write_dataset(tmp_path / "eval", ["a", "b"])
    folder = folder_of(tmp_path / "runs", datasets)
    with context_of(folder) as plain:
        plain.__class__ = LosingContext
        plain.lost = tmp_path / "eval"
        summary = train(plain)
    (warning,) = warned(folder)
    assert "was not measured" in warning
    assert "letter_p" in warning
    assert warning.endswith("The adapter is complete.")
    assert (summary["steps"], summary["picture_check"]) == (STEPS, None)


def test_it_can_be_switched_off(datasets, tmp_path):
    folder = folder_of(tmp_path, datasets, training__check_pictures=False)
    summary = run(folder)
    assert said(folder) == warned(folder) == []
    assert summary["picture_check"] is None


def test_a_run_of_a_version_without_it_goes_on_with_the_shipped_value(datasets, tmp_path):
    folder = folder_of(tmp_path, datasets)
    path = folder.path / "run.yaml"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if "check_pictures" not in line), encoding="utf-8")
    old = type(folder)(folder.path)
    assert "check_pictures" not in json.dumps(old.spec.config)
    config = read_train_request(old).config.training
    assert (config.check_pictures, config.max_steps) == ("auto", STEPS)
