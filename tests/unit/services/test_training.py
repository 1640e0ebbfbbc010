from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from PIL import Image

from ocrstudio.datasets.record import DatasetRecord
from ocrstudio.domain.errors import DatasetError, ModelError
from ocrstudio.domain.run import RunKind, TrainMode
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.services.training import TrainingRequest, create_training_run
from ocrstudio.settings.train import load_train_config


@pytest.fixture
def request_(tmp_path: Path) -> TrainingRequest:
    Image.new("RGB", (8, 8)).save(tmp_path / "a_p1.png")
    line = DatasetRecord(image="a_p1.png", prompt="<image>\nFree OCR.", answer="hello").to_json()
    (tmp_path / "data.jsonl").write_text(line + "\n", encoding="utf-8")
    return TrainingRequest(dataset=tmp_path / "data.jsonl", mode=TrainMode.BOTH, model="micro")


def test_the_run_folder_holds_everything_needed_to_repeat_it(tmp_path, request_):
    config = load_train_config(None, {"training.max_steps": 9})
    spec = RunFolder(create_training_run(tmp_path / "runs", request_, config).path).spec
    assert spec.kind is RunKind.TRAIN
    assert spec.request["dataset"] == str(tmp_path / "data.jsonl")
    assert spec.request["mode"] == "both"
    assert spec.base_model == "micro"
    assert load_train_config(None, _dotted(spec.config)) == config
    assert spec.versions["python"].startswith("3.")


def _dotted(config):
    return {f"{section}.{key}": value for section, keys in config.items() for key, value in keys.items()}


def test_the_hash_follows_pictures_and_answers_not_file_names(tmp_path, request_):
    config = load_train_config()
    first = create_training_run(tmp_path / "runs", request_, config).spec.dataset_sha256
    (tmp_path / "data.jsonl").rename(tmp_path / "renamed.jsonl")
    renamed = replace(request_, dataset=tmp_path / "renamed.jsonl")
    assert create_training_run(tmp_path / "runs", renamed, config).spec.dataset_sha256 == first
    Image.new("RGB", (9, 9)).save(tmp_path / "a_p1.png")
    assert create_training_run(tmp_path / "runs", renamed, config).spec.dataset_sha256 != first


def test_nothing_is_written_for_a_request_that_cannot_work(tmp_path, request_):
    config = load_train_config()
    broken = tmp_path / "broken.jsonl"
    broken.write_text("not json\n")
    with pytest.raises(DatasetError, match="no usable line"):
        create_training_run(tmp_path / "runs", replace(request_, dataset=broken), config)
    with pytest.raises(ModelError, match="does not exist"):
        create_training_run(tmp_path / "runs", replace(request_, resume_from=tmp_path / "absent"), config)
    assert not (tmp_path / "runs").exists()


def test_a_model_folder_becomes_absolute_and_its_revision_is_noted(tmp_path, request_, monkeypatch):
    notes = tmp_path / "weights" / ".cache" / "huggingface" / "download"
    notes.mkdir(parents=True)
    (notes / "config.json.metadata").write_text("0123abc\netag\n1.0\n")
    monkeypatch.chdir(tmp_path)
    spec = create_training_run(
        tmp_path / "runs", replace(request_, model="weights"), load_train_config()
    ).spec
    assert spec.base_model == str(tmp_path / "weights")
    assert spec.base_revision == "0123abc"


def test_a_secret_never_reaches_the_run_folder(tmp_path):
    from ocrstudio.jobs.spec import RunSpec

    spec = RunSpec(
        RunKind.TRAIN,
        "x",
        0.0,
        request={"api_key": "sk-very-secret"},
        config={"api": {"hf_token": "hf-secret"}},
    )
    folder = RunFolder.create(tmp_path, spec)
    text = (folder.path / "run.yaml").read_text()
    assert "secret" not in text
    assert yaml.safe_load(text)["request"] == {"api_key": "(not stored)"}
