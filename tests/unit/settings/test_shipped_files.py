"""The shipped files, the examples and the files of the toolkit."""

from pathlib import Path

import pytest

from ocrstudio.paths import config_dir
from ocrstudio.settings.app import load_app_settings
from ocrstudio.settings.prompts import load_prompts
from ocrstudio.settings.teacher import TEACHER_TYPES, load_teacher_config
from ocrstudio.settings.train import load_train_config
from ocrstudio.tasks import load_tasks

EXAMPLES = sorted((config_dir() / "examples").iterdir())
TOOLKIT = Path(__file__).parents[2] / "data" / "toolkit"
LOADERS = {
    "train": load_train_config,
    "teacher": load_teacher_config,
    "settings": load_app_settings,
    "prompts": load_tasks,
}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_example_loads_and_says_what_it_is_for(path, caplog, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert path.name.endswith(".example.yaml")
    LOADERS[path.name.split("_")[0].split(".")[0]](path)
    assert not caplog.text
    head = path.read_text(encoding="utf-8").splitlines()[:5]
    assert head[0].startswith("# ")
    assert any("ocrstudio" in line for line in head)


@pytest.mark.parametrize("path", sorted(config_dir().glob("*.yaml")), ids=lambda path: path.name)
def test_every_shipped_file_says_which_command_uses_it(path):
    head = path.read_text(encoding="utf-8").splitlines()[:4]
    assert any("ocrstudio" in line for line in head)


def test_the_toolkits_training_file_loads_unchanged():
    assert load_train_config(TOOLKIT / "train_config.yaml") == load_train_config()
    config = load_train_config(TOOLKIT / "out_of_memory.yaml")
    assert config.model.load_in_4bit
    assert config.training.gradient_accumulation_steps == 8


def test_the_toolkits_teacher_files_load_unchanged(caplog):
    config = load_teacher_config(TOOLKIT / "teacher_api.yaml")
    assert (config.type, config.model_type, config.generation.temperature) == ("api", "default", 0.1)
    assert config.request.concurrent_requests == 4
    assert config.prompts["document"].user.strip() == "Convert this document to Markdown format."
    assert load_teacher_config(TOOLKIT / "mode_api.yaml").api.model_name == "deepseek-ocr"
    assert load_teacher_config(TOOLKIT / "teacher_local.yaml").local.model_path == "models/deepseek_ocr"
    assert load_teacher_config(TOOLKIT / "output.yaml").output.format == "md"
    assert not caplog.text


def test_the_toolkits_prompts_load_unchanged():
    config = load_teacher_config(TOOLKIT / "prompts.yaml")
    assert list(config.prompts) == ["ocr", "document", "invoice", "medical_report"]
    assert list(load_prompts(TOOLKIT / "prompts.yaml")[0]) == list(config.prompts)
    assert load_tasks(extra=config.prompts)["invoice"].user == "Extract invoice details as JSON."


def test_there_is_a_shipped_file_for_each_type_of_teacher():
    for kind in TEACHER_TYPES:
        assert load_teacher_config(config_dir() / f"teacher_{kind}.yaml").type == kind
