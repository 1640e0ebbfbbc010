"""Evaluation runs and the prediction server, with the micro student."""

import json

import pytest
import yaml

from ocrstudio.domain.errors import DatasetError, InputError, ModelError
from ocrstudio.evaluation.report import read
from ocrstudio.jobs.run_folder import SPEC_NAME, RunFolder
from ocrstudio.student.evaluate import evaluate, read_evaluation_run
from ocrstudio.student.predictions import Prediction, PredictionLog
from ocrstudio.student.recipe import train
from ocrstudio.student.serve import Server
from tests.student.small_run import (
    PROMPT,
    context_of,
    draw,
    evaluation_folder,
    events,
    fast_config,
    training_folder,
    write_dataset,
)


def run(folder, **options):
    with context_of(folder, **options) as context:
        return evaluate(context)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="module")
def adapter(tmp_path_factory, dataset):
    config = fast_config(training__max_steps=12, training__save_steps=12)
    folder = training_folder(tmp_path_factory.mktemp("runs"), dataset, config)
    with context_of(folder) as context:
        train(context)
    return folder.adapter


def test_every_page_is_measured_and_told(tmp_path, dataset):
    output = tmp_path / "results.json"
    folder = evaluation_folder(tmp_path / "runs", dataset, fast_config(), output=str(output))
    summary = run(folder)
    report = read(output)
    assert report.overall.pages == summary["pages"] == 6
    assert [page.page for page in report.pages] == [1, 2, 3, 4, 5, 6]
    assert {page.document for page in report.pages} == {"letter"}
    assert report.pages[0].reference == "total amount"
    assert summary["cer"] == report.overall.cer.corpus
    assert summary["profile"] == report.profile.describe()
    assert summary["order_edit"] == report.overall.order_edit
    rows = events(folder, "sample")
    assert [row["cer"] for row in rows] == [page.cer for page in report.pages]
    assert [row["kind"] for row in rows] == ["evaluation"] * 6
    assert events(folder, "progress")[-1]["done"] == 6


def test_an_adapter_is_measured_beside_its_base(tmp_path, dataset, adapter):
    texts = []
    for number, folder_of in enumerate((None, str(adapter))):
        output = tmp_path / f"{number}.json"
        folder = evaluation_folder(
            tmp_path / "runs", dataset, fast_config(), output=str(output), adapter=folder_of
        )
        run(folder)
        texts.append([page.prediction for page in read(output).pages])
    assert texts[0] != texts[1]


def test_figures_depend_neither_on_the_batch_nor_on_the_references(tmp_path, dataset):
    predictions = []
    long_answers = write_dataset(tmp_path / "other", ["x" * 300, *["y"] * 5])
    for number in range(1, 7):  # the same pictures under other references
        picture = (dataset.parent / f"letter_p{number}.png").read_bytes()
        (long_answers.parent / f"letter_p{number}.png").write_bytes(picture)
    for source, size in ((dataset, 1), (dataset, 4), (long_answers, 4)):
        config = fast_config(training__per_device_eval_batch_size=size, evaluation__max_tokens=20)
        folder = evaluation_folder(tmp_path / "runs", source, config)
        summary = run(folder)
        report = read(folder.path / "results.json")
        predictions.append([page.prediction for page in report.pages])
        assert summary["max_tokens"] == report.system["decoding"]["max_tokens"] == 20
        assert summary["tokens"] <= 6 * 20
        assert summary["truncated_rate"] == report.overall.truncated_rate > 0
    assert predictions[0] == predictions[1] == predictions[2]
    assert report.system["image"]["image_size"] == 64


def test_a_stopped_run_goes_on_behind_its_last_prediction(tmp_path, dataset):
    folder = evaluation_folder(tmp_path / "runs", dataset, fast_config())
    first = run(folder, stop_after=2)
    assert first == {"stopped": True, "pages": 2, "planned_pages": 6}
    before = (folder.path / "predictions.jsonl").read_text(encoding="utf-8")
    second = run(folder)
    after = (folder.path / "predictions.jsonl").read_text(encoding="utf-8")
    assert second["stopped"] is False
    assert after.startswith(before)
    assert len(after.splitlines()) == 6
    assert (folder.path / "results.json").is_file()


def test_a_page_that_cannot_be_read_is_missing_and_the_others_count(tmp_path):
    dataset = write_dataset(tmp_path / "data", ["a", "b", "c"])
    (tmp_path / "data" / "letter_p2.png").write_bytes(b"broken")
    folder = evaluation_folder(tmp_path / "runs", dataset, fast_config())
    summary = run(folder)
    pages = read(folder.path / "results.json").pages
    assert summary["missing"] == 1
    assert "missing" in pages[1].flags
    assert "letter_p2.png" in pages[1].error
    assert pages[0].prediction is not None
    assert pages[2].prediction is not None


def test_a_strict_evaluation_stops_at_a_picture_that_cannot_be_read(tmp_path):
    dataset = write_dataset(tmp_path / "data", ["a", "b", "c"])
    (tmp_path / "data" / "letter_p2.png").write_bytes(b"broken")
    folder = evaluation_folder(tmp_path / "runs", dataset, fast_config(), strict=True)
    with pytest.raises(DatasetError, match=r"data\.jsonl, line 2: .*letter_p2\.png"):
        run(folder)
    assert not (folder.path / "results.json").exists()


def test_a_blank_page_is_measured_under_the_profile_of_the_configuration(tmp_path):
    dataset = write_dataset(tmp_path / "data", ["north", ""])
    config = fast_config(scoring__profile="text", scoring__fold_case=True)
    folder = evaluation_folder(tmp_path / "runs", dataset, config, strict=True)
    summary = run(folder)
    report = read(folder.path / "results.json")
    assert (summary["pages"], report.profile.name, report.profile.rules.fold_case) == (2, "text", True)
    invented = report.pages[1].prediction.strip()
    assert report.pages[1].cer == (1 if invented else 0)


def test_a_run_of_an_earlier_version_is_measured_with_the_shipped_rules(tmp_path, dataset):
    folder = evaluation_folder(tmp_path / "runs", dataset, fast_config())
    spec = yaml.safe_load((folder.path / SPEC_NAME).read_text(encoding="utf-8"))
    del spec["config"]["scoring"]
    (folder.path / SPEC_NAME).write_text(yaml.safe_dump(spec), encoding="utf-8")
    assert read_evaluation_run(RunFolder(folder.path)).config.scoring.profile == "source"


def test_a_prediction_that_a_crash_cut_off_is_made_again(tmp_path):
    path = tmp_path / "predictions.jsonl"
    with PredictionLog(path) as log:
        log.append(Prediction(1, "one"))
        log.append(Prediction(2, "two"))
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole[:-9], encoding="utf-8")
    with PredictionLog(path) as log:
        assert list(log.known) == [1]
        log.append(Prediction(2, "two"))
    assert path.read_text(encoding="utf-8") == whole


def test_the_prompt_of_a_task_replaces_that_of_the_dataset(tmp_path, dataset):
    outputs = []
    for prompt in (None, "<image>\nParse the figure."):
        folder = evaluation_folder(tmp_path / "runs", dataset, fast_config(), prompt=prompt)
        run(folder)
        outputs.append([page.prediction for page in read(folder.path / "results.json").pages])
    assert outputs[0] != outputs[1]


def test_the_server_answers_batches(tmp_path):
    server = Server("micro")
    images = [draw(tmp_path / "a.png", "north"), draw(tmp_path / "b.png", "winter", (64, 90))]
    small = {"base_size": 64, "image_size": 64, "crop_mode": True, "max_tiles": 4, "preset": "custom"}
    results = server.predict(images, [PROMPT, PROMPT], {"max_tokens": 5, "image": small})
    assert [result["tokens"] for result in results] == [5, 5]
    assert all(result["truncated"] for result in results)
    assert results[0]["prompt_tokens"] < results[1]["prompt_tokens"]
    json.dumps(results)
    assert server.predict([], [], {}) == []
    with pytest.raises(InputError, match="1 pictures came with 2 prompts"):
        server.predict(images[:1], [PROMPT, PROMPT], {})


def test_a_page_that_cannot_be_read_costs_the_server_s_batch_nothing_else(tmp_path):
    server = Server("micro")
    (tmp_path / "b.png").write_bytes(b"no picture")
    images = [draw(tmp_path / "a.png", "a"), tmp_path / "b.png", tmp_path / "c.png"]
    draw(images[2], "c")
    small = {"base_size": 64, "image_size": 64, "crop_mode": False, "max_tiles": 4, "preset": "custom"}
    first, broken, last = server.predict(images, [PROMPT] * 3, {"max_tokens": 3, "image": small})
    assert (first["tokens"], last["tokens"]) == (3, 3)
    assert broken.keys() == {"error", "hint"}
    assert "b.png is not an image" in broken["error"]


def test_an_adapter_keeps_the_image_settings_that_it_was_trained_with(tmp_path, adapter):
    server = Server("micro", str(adapter))
    other = {"base_size": 320, "image_size": 320, "crop_mode": False, "max_tiles": 9, "preset": "custom"}
    result = server.predict([draw(tmp_path / "a.png", "a")], [PROMPT], {"max_tokens": 2, "image": other})[0]
    assert result["image"]["image_size"] == 64
    assert any("trained with are used" in remark for remark in result["remarks"])


def test_a_folder_without_adapter_is_refused(tmp_path):
    with pytest.raises(ModelError, match="is not an adapter"):
        Server("micro", str(tmp_path))


def test_an_adapter_of_another_base_model_is_refused(tmp_path, adapter):
    info = json.loads((adapter / "ocrstudio.json").read_text(encoding="utf-8"))
    copy = tmp_path / "adapter"
    copy.mkdir()
    for file in adapter.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    info["base"]["seed"] = 1
    (copy / "ocrstudio.json").write_text(json.dumps(info), encoding="utf-8")
    with pytest.raises(ModelError, match="another base model"):
        Server("micro", str(copy))


def test_damaged_adapter_weights_are_refused(tmp_path, adapter):
    copy = tmp_path / "adapter"
    copy.mkdir()
    for file in adapter.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    weights = copy / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ModelError, match="cannot be read"):
        Server("micro", str(copy))
