"""Features of a frozen vision tower are computed once, and the training is the same one."""

import json

import pytest

from ocrstudio.domain.picture_check import read_check
from ocrstudio.student.feature_store import obstacle_to_keeping
from ocrstudio.student.recipe import train
from tests.student.small_run import context_of, draw, events, fast_config, losses, record, training_folder


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Pages of different tilings, one of them in two samples."""
    root = tmp_path_factory.mktemp("pages")
    sizes = {"a_p1.png": (96, 40), "a_p2.png": (200, 300), "a_p3.png": (300, 120)}
    for name, size in sizes.items():
        draw(root / name, name, size)
    lines = [record(name, f"answer {name}") for name in (*sizes, "a_p2.png")]
    both = {"role": "<|User|>", "content": "<image><image>\nBoth.", "images": ["a_p3.png", "a_p1.png"]}
    again = {"role": "<|User|>", "content": "Again."}
    answers = [{"role": "<|Assistant|>", "content": text} for text in ("one and two", "two and one")]
    lines.append(json.dumps({"messages": [both, answers[0], again, answers[1]]}))
    path = root / "data.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def run(root, dataset, mode="llm", **overrides):
    config = fast_config(
        image__crop_mode=True, training__eval_steps=3, training__per_device_train_batch_size=3, **overrides
    )
    folder = training_folder(root, dataset, config, mode=mode, eval_dataset=str(dataset))
    with context_of(folder) as context:
        folder.summary_path.write_text(json.dumps(train(context)), encoding="utf-8")
    return folder


def said(folder):
    return [event["message"] for event in events(folder, "phase") if event["name"] == "features"]


def test_kept_features_change_nothing_but_the_time(dataset, tmp_path):
    kept = run(tmp_path / "kept", dataset)
    anew = run(tmp_path / "anew", dataset, training__keep_image_features=False)
    assert said(kept) == ["Encoding every picture once; the vision part is not trained"]
    assert said(anew) == []
    assert list(losses(kept).values()) == pytest.approx(list(losses(anew).values()), rel=1e-4)
    for name in ("eval_loss", "pages_per_second"):
        values = [event["values"][name] for event in events(kept, "metric") if name in event["values"]]
        assert all(value > 0 for value in values)
    pages = [event for event in events(kept, "progress") if event["unit"] == "pages"]
    counted = [(event["done"], event["total"]) for event in pages[:3]]
    assert counted == [(1, 3), (2, 3), (3, 3)], "a page of two samples is encoded once"
    checks = [read_check(folder.summary()) for folder in (kept, anew)]
    assert checks[0].pages == 4
    assert checks[0].swapped_loss == pytest.approx(checks[1].swapped_loss, rel=1e-4)


def test_nothing_is_left_of_them(dataset, tmp_path):
    folder = run(tmp_path, dataset)
    assert not (folder.path / "features").exists()


@pytest.mark.parametrize(("mode", "steps"), [("both", 6), ("vision", 6), ("llm", 1)])
def test_they_are_kept_only_where_it_helps(dataset, tmp_path, mode, steps):
    assert said(run(tmp_path, dataset, mode, training__max_steps=steps)) == []


def test_a_full_disk_is_no_place_for_them(tmp_path):
    training = fast_config().training
    assert obstacle_to_keeping(training, tmp_path, 1000 * 1280 * 2) == ""
    assert "disk is too full" in obstacle_to_keeping(training, tmp_path, 10**15)
