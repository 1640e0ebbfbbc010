from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from ocrstudio.datasets.record import DatasetRecord
from ocrstudio.domain.errors import InputError, ModelError
from ocrstudio.domain.run import RunKind
from ocrstudio.services.evaluation import EvaluationRequest, create_evaluation_run
from ocrstudio.settings.train import load_train_config
from ocrstudio.tasks import load_tasks


@pytest.fixture
def request_(tmp_path: Path) -> EvaluationRequest:
    Image.new("RGB", (8, 8)).save(tmp_path / "a_p1.png")
    line = DatasetRecord(image="a_p1.png", prompt="<image>\nFree OCR.", answer="hello").to_json()
    (tmp_path / "data.jsonl").write_text(line + "\n", encoding="utf-8")
    return EvaluationRequest(dataset=tmp_path / "data.jsonl", output=tmp_path / "results.json", model="micro")


def _create(tmp_path: Path, request: EvaluationRequest):
    return create_evaluation_run(tmp_path / "runs", request, load_train_config(), load_tasks())


def test_the_run_folder_holds_everything_needed_to_repeat_it(tmp_path, request_):
    spec = _create(tmp_path, request_).spec
    assert spec.kind is RunKind.EVALUATE
    assert spec.request["prompt"] is None
    assert spec.request["output"] == str(tmp_path / "results.json")
    assert spec.config["image"]["image_size"] == 640
    assert not (tmp_path / "results.json").exists()


def test_a_task_replaces_the_prompts_of_the_lines(tmp_path, request_):
    spec = _create(tmp_path, replace(request_, task="free_ocr")).spec
    assert spec.request["prompt"] == "<image>\nFree OCR."


def test_nothing_is_written_for_a_request_that_cannot_work(tmp_path, request_):
    with pytest.raises(InputError, match="no task"):
        _create(tmp_path, replace(request_, task="free-ocrr"))
    with pytest.raises(InputError, match="is a folder"):
        _create(tmp_path, replace(request_, output=tmp_path))
    with pytest.raises(ModelError, match="does not exist"):
        _create(tmp_path, replace(request_, adapter=tmp_path / "absent"))
    assert not (tmp_path / "runs").exists()
